/** What the commands tell of write-behind, and `/cache-writes`. */
import Database from 'better-sqlite3';
import type { APIApplicationCommandSubcommandOption } from 'discord.js';
import { afterEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { adminCommands } from '../../src/commands/commands.ts';
import { parseConfig } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import type { WriteBehind } from '../../src/write-behind/types.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import { type Desk, desk } from './desk.ts';
import { OTHER_ID } from './discord-edge.ts';
import { outsideCode, schemaIssues } from './spoken.ts';

const desks: Desk[] = [];
const EPHEMERAL = 64;

/** A desk with a writer whose database refuses everything until it is mended. */
function broken() {
  let made: WriteBehind | undefined;
  const db = openJournal(':memory:', (file) => new Database(file), { logger: silentLogger });
  const at = desk({}, undefined, (cache: Cache) => {
    made = createWriteBehind(db, cache, { logger: silentLogger, random: () => 0 });
    return made;
  });
  desks.push(at);
  if (made === undefined) throw new Error('The desk made no write-behind.');
  const behind = made;
  const saved: unknown[] = [];
  let failure: string | undefined = 'UNIQUE constraint failed: /home/host/shop.db';
  const write = behind.writeBehind<string>(
    'names',
    (batch) => {
      if (failure !== undefined) throw new Error(failure);
      saved.push(...batch.map(({ value }) => value));
    },
    { maxAttempts: 1 },
  );
  /** Writes that end up on the list. */
  const fail = async (...keys: string[]) => {
    for (const key of keys) write.sync(key, `Secret of ${key}`);
    await at.clock.advanceAsync(100);
  };
  const mend = () => {
    failure = undefined;
  };
  return { at, behind, write, saved, fail, mend, db };
}

afterEach(async () => {
  for (const made of desks.splice(0)) {
    for (const message of made.discord.messages) {
      expect(schemaIssues('IncomingWebhookInteractionRequest', message)).toEqual([]);
      expect(JSON.stringify(message)).not.toContain('Secret');
    }
    await made.services.writeBehind?.stop();
    await made.stop();
    expect(made.clock.pendingTimers, 'I13: no timer is left').toBe(0);
  }
});

describe('the definition', () => {
  const named = (writeBehind: boolean) =>
    adminCommands(parseConfig({}), { writeBehind }).find(({ name }) => name === 'cache-writes');

  it('is there only where there is a write-behind, and takes the form that Discord wants', () => {
    expect(named(false)).toBeUndefined();
    const data = named(true)?.data;
    expect(data?.default_member_permissions).toBe('0');
    expect(
      schemaIssues('ApplicationCommandCreateRequest', { ...data, default_member_permissions: 0 }),
    ).toEqual([]);
    expect(data?.options?.map(({ name }) => name)).toEqual(['list', 'retry', 'drop']);
  });

  it('is described in every language, its subcommands and their options, too', () => {
    const data = named(true)?.data;
    // All of its options are subcommands.
    const subcommands = (data?.options ?? []) as readonly APIApplicationCommandSubcommandOption[];
    const options = subcommands.flatMap((one) => one.options ?? []);
    expect(options).toHaveLength(2);
    for (const part of [data, ...subcommands, ...options]) {
      const languages = part?.description_localizations ?? {};
      expect(Object.keys(languages).sort()).toEqual(['de', 'en-US', 'es-ES', 'fr', 'pt-BR']);
      for (const text of Object.values(languages)) expect(text?.length).toBeLessThanOrEqual(100);
    }
  });

  it('I11: asks for a turn of the cooldown where it changes something', () => {
    const { at } = broken();
    const isCostly = (name: string, options = {}) => named(true)?.isCostly(at.discord.command(name, options));
    expect(isCostly('cache-writes list')).toBe(false);
    expect(isCostly('cache-writes retry', { which: 'all' })).toBe(true);
    expect(isCostly('cache-writes drop', { which: 'all' })).toBe(true);
  });
});

describe('/cache-writes list', () => {
  it('says that nothing waits and nothing failed, to the asker alone, on record', async () => {
    const { at } = broken();
    await at.run('cache-writes list');
    expect(Number(at.discord.lastMessage.flags) & EPHEMERAL).toBe(EPHEMERAL);
    expect(at.markdown).toContain('**`names`** — 0 waiting · 0 saved');
    expect(at.markdown).toContain('Nothing waits: all that was written is saved');
    expect(at.audit).toMatchObject([
      { action: 'view', command: 'cache-writes', outcome: '0 waiting, 0 not saved' },
    ]);
  });

  it('tells what waits and since when, what could not be saved and why; no value, no path, no markup of keys', async () => {
    const { at, fail, write } = broken();
    await fail('user::1::`name`', 'user::@everyone');
    write.sync('user::3', 'Secret');
    await at.run('cache-writes list');
    expect(at.markdown).toContain('1 waiting, the oldest <t:');
    expect(at.markdown).toContain("2 can't be saved");
    expect(at.markdown).toContain(
      '`#1` `user::1::ˋnameˋ` of `names` — `UNIQUE constraint failed: [path]` · 1 attempt',
    );
    expect(outsideCode(at.markdown)).not.toContain('@everyone');
    expect(at.markdown).not.toContain('/home');
  });

  it('shows the oldest of many, and counts the rest', async () => {
    const { at, fail } = broken();
    await fail(...Array.from({ length: 30 }, (_, n) => `user::${n}`));
    await at.run('cache-writes list');
    expect(at.markdown).toContain('`user::9`');
    expect(at.markdown).toContain('… and 20 more');
  });
});

describe('/cache-writes retry', () => {
  it('saves what could not be saved, all of it or one, and goes on record', async () => {
    const { at, fail, mend, saved } = broken();
    await fail('user::1', 'user::2', 'user::3');
    mend();
    await at.run('cache-writes retry', { which: '#2' });
    expect(at.markdown).toContain('**1 write** — `#2` — is being saved again');
    await at.clock.settle();
    expect(saved).toEqual(['Secret of user::2']);
    await at.run('cache-writes retry', { which: 'all' });
    await at.clock.settle();
    expect(saved).toHaveLength(3);
    expect(at.audit).toMatchObject([
      { action: 'retry', target: '#2', outcome: '1 write' },
      { action: 'retry', target: 'all', outcome: '2 writes' },
    ]);
  });

  it.each([
    ['all', 'all (1)'],
    ['#1', '#1 (1)'],
    [' names', '␣names (1)'],
  ])('a choice of a writer called %j retries that writer alone', async (name, shown) => {
    const { at, behind, fail } = broken();
    await fail('user::1', 'user::2');
    const retried: unknown[] = [];
    let fails = true;
    const save = (batch: readonly { readonly value: unknown }[]) => {
      if (fails) throw new Error('locked');
      retried.push(...batch.map(({ value }) => value));
    };
    behind.writeBehind<string>(name, save, { maxAttempts: 1 }).sync('other::1', 'Secret of the other');
    await at.clock.advanceAsync(100);
    fails = false;
    const choices = await at.type('cache-writes retry', 'which', '');
    const choice = choices.findLast((one) => one.name === shown);
    await at.run('cache-writes retry', { which: choice?.value ?? '' });
    await at.clock.settle();
    expect(retried).toEqual(['Secret of the other']);
    expect(behind.list().map(({ key }) => key)).toEqual(['user::1', 'user::2']);
    expect(at.audit.at(-1)).toMatchObject({ action: 'retry', target: name, outcome: '1 write' });
  });

  it('a choice of a write means that write, also where a writer is called like its number', async () => {
    const { at, behind, fail } = broken();
    await fail('user::1', 'user::2');
    behind.writeBehind<string>('#1', () => undefined);
    const choice = (await at.type('cache-writes drop', 'which', 'user::1')).at(0);
    expect(choice?.name).toContain('#1 user::1');
    await at.run('cache-writes drop', { which: choice?.value ?? '' });
    await at.press('Drop 1 write');
    expect(behind.list().map(({ key }) => key)).toEqual(['user::2']);
  });

  it('says what there is when nothing matches', async () => {
    const { at, fail } = broken();
    await fail('user::1');
    await at.run('cache-writes retry', { which: '`other`' });
    expect(at.markdown).toContain('Nothing that could not be saved matches `ˋotherˋ`.');
    expect(at.markdown).toContain('a writer: `names`');
  });
});

describe('/cache-writes drop', () => {
  it('asks first, with how many and which, and drops at the press', async () => {
    const { at, fail, behind, db } = broken();
    await fail('user::1', 'user::2');
    await at.run('cache-writes drop', { which: 'names' });
    expect(at.markdown).toContain('`names` → **2 writes**, acknowledged and never saved.');
    expect(at.markdown).toContain('`#1` `user::1`');
    expect(behind.stats().dead).toBe(2);
    await at.press('Drop 2 writes');
    expect(at.markdown).toContain('**Dropped 2 writes** — `names`.');
    expect(db.prepare('SELECT count(*) FROM writes').pluck().get()).toBe(0);
    expect(at.audit).toMatchObject([{ action: 'drop', target: 'names', outcome: '2 writes' }]);
  });

  it('drops exactly what was agreed to, and not what has failed since', async () => {
    const { at, fail, behind } = broken();
    await fail('user::1');
    await at.run('cache-writes drop', { which: 'all' });
    await fail('user::2');
    await at.press('Drop 1 write');
    expect(behind.list()).toMatchObject([{ key: 'user::2' }]);
  });

  it('does nothing when it is cancelled, when nobody answers, and when somebody else presses', async () => {
    const { at, fail, behind } = broken();
    await fail('user::1');
    await at.run('cache-writes drop', { which: 'all' });
    const question = at.discord.lastMessage;
    await at.press('Drop 1 write', { userId: OTHER_ID });
    expect(at.markdown).toContain('Somebody else opened this panel.');
    await at.press('Cancel', { on: question });
    expect(at.markdown).toContain('Cancelled. Nothing was dropped.');
    await at.press('Drop 1 write', { on: question });
    expect(at.markdown).toContain('Cancelled. Nothing was dropped.');
    await at.run('cache-writes drop', { which: 'all' });
    await at.clock.advanceAsync(60_000);
    expect(at.markdown).toContain('Not confirmed in 60 s. Nothing was dropped.');
    expect(behind.stats().dead).toBe(1);
  });

  it('gives up all that is kept of a writer that the bot does not have', async () => {
    const { at, behind, db } = broken();
    db.prepare(
      "INSERT INTO writes (name, key, value, idempotency_key, written_at) VALUES ('old', 'user::9', '1', 'x', 1)",
    ).run();
    await at.run('cache-info');
    expect(at.markdown).toContain('The journal keeps 1 write of 1 writer that this bot does not have.');
    await at.run('cache-writes list');
    expect(at.markdown).toContain('**`old`** — 1 write kept: this bot has no such writer');
    await at.run('cache-writes drop', { which: 'old' });
    await at.press('Drop 1 write');
    expect(behind.stats().waiting).toBe(0);
  });

  it('offers what there is', async () => {
    const { at, fail } = broken();
    await fail('user::1', 'user::2');
    expect((await at.type('cache-writes drop', 'which', '')).map(({ value }) => value)).toEqual([
      'all',
      'names',
      '#1',
      '#2',
    ]);
    expect((await at.type('cache-writes drop', 'which', 'user::2')).map(({ value }) => value)).toEqual([
      '#2',
    ]);
  });
});

describe('/cache-info', () => {
  it('shows what waits, what failed and what could not be saved, and warns of that', async () => {
    const { at, fail, write } = broken();
    await fail('user::1');
    write.sync('user::2', 'Secret');
    await at.run('cache-info');
    expect(at.markdown).toContain('**Write-behind:** 1 waiting, the oldest <t:');
    expect(at.markdown).toContain("1 can't be saved (see </cache-writes:1>) · 0 saved");
    expect(at.markdown).toContain("1 write can't be saved: see");
    await at.press('More about', { picks: 'writes' });
    expect(at.markdown).toContain('📮 Write-behind');
    expect(at.markdown).toContain('**Waiting:** 1, the oldest <t:');
    expect(at.markdown).toContain("**Can't be saved:** 1 (see `/cache-writes`)");
    expect(at.markdown).toContain('What is acknowledged survives a kill of the process');
  });

  it('says nothing of it where there is none', async () => {
    const at = desk();
    desks.push(at);
    await at.run('cache-info');
    expect(at.markdown).not.toContain('Write-behind');
  });
});
