/** What stands behind `cachecord` in a shell: what to do, and where. Each mistake is told with what to write. */
import { SNOWFLAKE } from '../config/schema.ts';
import { withoutSecrets } from '../logger/secrets.ts';
import { nearestName } from '../nearest-name.ts';

const ACTIONS = ['plan', 'deploy', 'remove'] as const;
const OPTIONS = ['--config', '--guild', '--write-behind', '--help'] as const;

export type Action = (typeof ACTIONS)[number];

export interface Arguments {
  /** `help` where it was asked for. */
  readonly action: Action | 'help';
  /** Instead of the guilds of the configuration; empty: those. */
  readonly guildIds: readonly string[];
  readonly config: string | undefined;
  readonly writeBehind: boolean;
}

/** A mistake in the shell or around it; its message is for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * @param argv without Node and the script
 * @throws UsageError in one sentence
 */
export function readArguments(argv: readonly string[], fallback?: Action): Arguments {
  const rest = [...argv];
  const guildIds = new Set<string>();
  let action: Arguments['action'] | undefined;
  let config: string | undefined;
  let writeBehind = false;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-')) {
      // The ids behind `--guild` have been taken by it.
      if (action !== undefined) throw new UsageError(surplus(word, action));
      action = actionOf(word);
      continue;
    }
    const [name = '', ...given] = word.split('=');
    const value = () => (given.length > 0 ? given.join('=') : takeValue(rest));
    switch (optionOf(name)) {
      case '--guild': {
        const ids = [value(), ...takeWhile(rest, (next) => /^[\d,]+$/.test(next))];
        for (const id of ids.join().split(',')) guildIds.add(guildId(id.trim()));
        break;
      }
      case '--config':
        config = value();
        if (config === '') throw new UsageError('--config needs a file behind it: --config cachecord.json');
        break;
      case '--write-behind':
        if (given.length > 0)
          throw new UsageError('--write-behind takes no value: leave out what follows it.');
        writeBehind = true;
        break;
      default:
        return { action: 'help', guildIds: [], config: undefined, writeBehind: false };
    }
  }
  action ??= fallback;
  if (action === undefined) throw new UsageError(`Say what to do: ${oneOf(ACTIONS)}; --help tells more.`);
  return { action, guildIds: [...guildIds], config, writeBehind };
}

function actionOf(word: string): Action {
  const known = ACTIONS.find((action) => action === word);
  if (known !== undefined) return known;
  const near = nearestName(word, ACTIONS);
  throw new UsageError(
    near === undefined
      ? `There is no "${shown(word)}": it is ${oneOf(ACTIONS)}.`
      : `There is no "${shown(word)}": did you mean ${near}?`,
  );
}

function optionOf(name: string): (typeof OPTIONS)[number] {
  if (name === '-h') return '--help';
  const known = OPTIONS.find((option) => option === name);
  if (known !== undefined) return known;
  if (/^--?(?:\w*-)?token$/i.test(name)) {
    throw new UsageError(
      `There is no option ${shown(name)}: the token is read from DISCORD_TOKEN in the environment alone, where no list of processes and no history of a shell shows it.`,
    );
  }
  const near = nearestName(name, OPTIONS);
  throw new UsageError(
    near === undefined
      ? `There is no option ${shown(name)}: there are ${OPTIONS.join(', ')}.`
      : `There is no option ${shown(name)}: did you mean ${near}?`,
  );
}

function surplus(word: string, action: string): string {
  return /^\d+$/.test(word)
    ? `${word} stands alone: a guild is named with --guild ${word}.`
    : `"${shown(word)}" is one word too many: ${action} was asked for already.`;
}

function guildId(text: string): string {
  if (text === '') throw new UsageError('--guild needs an id behind it: --guild 123456789012345678');
  if (SNOWFLAKE.test(text)) return text;
  throw new UsageError(`--guild: "${shown(text)}" is no Discord id, expected 17 to 20 digits.`);
}

/** A token is known by its form, which half of it has no more: it is looked for before the text is cut. */
function shown(text: string): string {
  return withoutSecrets(text).slice(0, 40);
}

/** The next word, unless it is an option itself. */
function takeValue(rest: string[]): string {
  return rest[0] === undefined || rest[0].startsWith('-') ? '' : (rest.shift() ?? '');
}

function takeWhile(rest: string[], test: (word: string) => boolean): string[] {
  const end = rest.findIndex((word) => !test(word));
  return rest.splice(0, end === -1 ? rest.length : end);
}

function oneOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
