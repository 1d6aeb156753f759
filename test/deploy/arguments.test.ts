/** What is written behind `cachecord` in a shell: each mistake is told in one sentence, with what to write. */
import { describe, expect, it } from 'vitest';
import { readArguments, UsageError } from '../../src/deploy/arguments.ts';

const ONE = '123456789012345678';
const OTHER = '223456789012345678';

describe('the words behind the program', () => {
  it.each([
    [['plan'], { action: 'plan', guildIds: [], config: undefined, writeBehind: false }],
    [['deploy', '--guild', ONE], { action: 'deploy', guildIds: [ONE] }],
    [['--guild', ONE, 'remove'], { action: 'remove', guildIds: [ONE] }],
    [['deploy', '--guild', ONE, OTHER, '--write-behind'], { guildIds: [ONE, OTHER], writeBehind: true }],
    [['deploy', '--guild', ONE, '--guild', OTHER, '--guild', ONE], { guildIds: [ONE, OTHER] }],
    [['deploy', `--guild=${ONE},${OTHER}`], { guildIds: [ONE, OTHER] }],
    [['plan', '--config', 'my.json'], { config: 'my.json' }],
    [['plan', '--config=a=b.json'], { config: 'a=b.json' }],
    [['--help'], { action: 'help' }],
    [['deploy', '-h'], { action: 'help' }],
  ])('are read: %j', (argv, read) => {
    expect(readArguments(argv)).toMatchObject(read);
  });

  it('may leave out what a program does by itself', () => {
    expect(readArguments([], 'deploy').action).toBe('deploy');
    expect(readArguments(['plan'], 'deploy').action).toBe('plan');
  });

  it.each([
    [[], 'Say what to do: plan, deploy or remove; --help tells more.'],
    [['deplyo'], 'There is no "deplyo": did you mean deploy?'],
    [['Remove'], 'There is no "Remove": did you mean remove?'],
    [['upload'], 'There is no "upload": it is plan, deploy or remove.'],
    [['deploy', '--gild', ONE], 'There is no option --gild: did you mean --guild?'],
    [['deploy', '--guilds', ONE], 'There is no option --guilds: did you mean --guild?'],
    [['deploy', '--confg=x'], 'There is no option --confg: did you mean --config?'],
    [['deploy', '--writebehind'], 'There is no option --writebehind: did you mean --write-behind?'],
    [
      ['deploy', '--force'],
      'There is no option --force: there are --config, --guild, --write-behind, --help.',
    ],
    [['deploy', '--guild'], '--guild needs an id behind it: --guild 123456789012345678'],
    [['deploy', '--guild', ''], '--guild needs an id behind it: --guild 123456789012345678'],
    [['deploy', '--guild', '--config', 'x'], '--guild needs an id behind it: --guild 123456789012345678'],
    [['deploy', '--guild', 'hq'], '--guild: "hq" is no Discord id, expected 17 to 20 digits.'],
    [['deploy', '--guild', ONE, '42'], '--guild: "42" is no Discord id, expected 17 to 20 digits.'],
    [['deploy', '--config'], '--config needs a file behind it: --config cachecord.json'],
    [['deploy', '--write-behind=no'], '--write-behind takes no value: leave out what follows it.'],
    [['deploy', ONE], `${ONE} stands alone: a guild is named with --guild ${ONE}.`],
    [['plan', 'deploy'], '"deploy" is one word too many: plan was asked for already.'],
  ])('are refused: %j', (argv, sentence) => {
    expect(() => readArguments(argv)).toThrow(new UsageError(sentence));
  });

  it('never hold a token, and what was given as one is not repeated', () => {
    for (const argv of [
      ['deploy', '--token', 'hunter2'],
      ['deploy', '--bot-token=hunter2'],
      ['-token', 'hunter2'],
    ]) {
      expect(() => readArguments(argv)).toThrow(/read from DISCORD_TOKEN in the environment alone/);
      expect(() => readArguments(argv)).not.toThrow(/hunter2/);
    }
  });
});
