/** Pending writes of a bot in several processes: each shard has a journal, and no reply passes one for all. */
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { ANSWER_LIMIT_MS } from '../../src/commands/shards/shards.ts';
import { silentLogger } from '../../src/logger.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import { shardedDesks } from './shard-bus.ts';
import { schemaIssues } from './spoken.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Shards with a journal each, whose database refuses everything until it is mended; the operator is at shard 0. */
function broken(count = 3) {
  let isBroken = true;
  const saved: string[] = [];
  const behind = (cache: Cache) => {
    const db = openJournal(':memory:', (file) => new Database(file), { logger: silentLogger });
    return createWriteBehind(db, cache, { logger: silentLogger, random: () => 0 });
  };
  const { bus, desks } = shardedDesks(count, { desk: [{}, undefined, behind] });
  const writers = desks.map(({ services }) =>
    services.writeBehind?.writeBehind<string>(
      'names',
      (batch) => {
        if (isBroken) throw new Error('no such table: names');
        saved.push(...batch.map(({ key }) => key));
      },
      { maxAttempts: 1 },
    ),
  );
  const [operator] = desks;
  if (operator === undefined) throw new Error('There is one at least.');
  stops.push(async () => {
    for (const one of desks) {
      for (const message of one.discord.messages) {
        expect(schemaIssues('IncomingWebhookInteractionRequest', message)).toEqual([]);
        expect(JSON.stringify(message)).not.toContain('Secret');
      }
      await one.services.writeBehind?.stop();
      await one.stop();
    }
  });
  const fail = async (shard: number, ...keys: string[]) => {
    for (const key of keys) writers[shard]?.sync(key, 'Secret');
    await desks[shard]?.clock.advanceAsync(100);
  };
  const dead = () => desks.map(({ services }) => services.writeBehind?.stats().dead);
  const settle = async () => {
    for (const one of desks) await one.clock.settle();
  };
  const mend = () => {
    isBroken = false;
  };
  return { bus, desks, operator, fail, dead, saved, mend, settle };
}

describe('/cache-writes list', () => {
  it('sums up all shards in a line, and tells of those that have something', async () => {
    const { operator, fail } = broken();
    await fail(0, 'user::0');
    await fail(2, 'user::2', 'user::22');
    await operator.run('cache-writes list');
    expect(operator.markdown).toContain("0 waiting · 3 can't be saved");
    expect(operator.markdown).toContain('`0#1` `user::0` of `names`');
    expect(operator.markdown).toContain('`2#2` `user::22` of `names`');
    expect(operator.markdown).toContain("**`names`** — 0 waiting · 0 saved · 3 can't be saved");
    expect(operator.markdown).toContain("**Shard 2** — 2 can't be saved");
    expect(operator.markdown).toContain('-# Shard 1: nothing waits');
    expect(operator.markdown).toContain('in 3 journals, one a shard.');
    expect(operator.audit).toMatchObject([{ outcome: '0 waiting, 3 not saved, on 3 of 3 shards' }]);
  });

  it('says of all that nothing waits in a line', async () => {
    const { operator } = broken();
    await operator.run('cache-writes list');
    expect(operator.markdown).toContain('Nothing waits: all that was written is saved');
    expect(operator.markdown).toContain('-# All 3 shards: nothing waits');
  });

  it('hides no shard that does not answer', async () => {
    const { bus, operator } = broken();
    bus.faults.set(1, 'dead');
    bus.faults.set(2, 'frozen');
    const run = operator.run('cache-writes list');
    await operator.clock.advanceAsync(ANSWER_LIMIT_MS);
    await run;
    expect(operator.markdown).toContain('**1 of 3 shards answered.**');
    expect(operator.markdown).toContain('⚠️ **Shard 1** is not running; what waits there');
    expect(operator.markdown).toContain('⚠️ **Shard 2** did not answer within 5 s; what waits there');
  });
});

describe('/cache-writes retry', () => {
  it('tries all of them again everywhere', async () => {
    const { operator, fail, mend, saved, settle, dead } = broken();
    await fail(0, 'user::0');
    await fail(2, 'user::2');
    mend();
    await operator.run('cache-writes retry', { which: 'all' });
    await settle();
    expect(saved.sort()).toEqual(['user::0', 'user::2']);
    expect(dead()).toEqual([0, 0, 0]);
    expect(operator.markdown).toContain('**2 writes** — Everything — are being saved again.');
    expect(operator.markdown).toContain('**Shard 2** — 1 write being saved again');
    expect(operator.audit).toMatchObject([{ outcome: '2 writes, on 3 of 3 shards' }]);
  });

  it('finds a write on the shard that has it, and asks which where several have its number', async () => {
    const { operator, fail, mend, saved, settle } = broken();
    await fail(1, 'user::1');
    mend();
    await operator.run('cache-writes retry', { which: '#1' });
    await settle();
    expect(saved).toEqual(['user::1']);

    const other = broken();
    await other.fail(0, 'user::0');
    await other.fail(2, 'user::2');
    await other.operator.run('cache-writes retry', { which: '#1' });
    expect(other.operator.markdown).toContain('More than one shard has a write of this number.');
    expect(other.operator.markdown).toContain('`2#1` `user::2`');
    expect(other.dead()).toEqual([1, 0, 1]);
    other.mend();
    await other.operator.run('cache-writes retry', { which: '2#1' });
    await other.settle();
    expect(other.dead()).toEqual([1, 0, 0]);
  });

  it('says that nothing matches only of the shards that answered', async () => {
    const { bus, operator } = broken();
    bus.faults.set(1, 'dead');
    await operator.run('cache-writes retry', { which: 'all' });
    expect(operator.markdown).toContain('There is no write that could not be saved.');
    expect(operator.markdown).toContain('⚠️ **Shard 1** is not running');
  });
});

describe('/cache-writes drop', () => {
  it('drops on every shard exactly what was shown', async () => {
    const { operator, fail, dead } = broken();
    await fail(0, 'user::0');
    await fail(1, 'user::1');
    await operator.run('cache-writes drop', { which: 'names' });
    expect(operator.markdown).toContain('`names` → **2 writes**');
    await fail(1, 'user::11');
    await operator.press('Drop 2 writes');
    expect(operator.markdown).toContain('**Dropped 2 writes** — `names`.');
    expect(operator.markdown).toContain('**Shard 1** — 1 write dropped');
    expect(operator.markdown).not.toContain('Shard 2');
    expect(dead()).toEqual([0, 1, 0]);
  });

  it('says which shard did not do it', async () => {
    const { bus, operator, fail, dead } = broken(2);
    await fail(0, 'user::0');
    await fail(1, 'user::1');
    await operator.run('cache-writes drop', { which: 'all' });
    bus.faults.set(1, 'dead');
    await operator.press('Drop 2 writes');
    expect(operator.markdown).toContain('**Dropped 1 write**');
    expect(operator.markdown).toContain('⚠️ **Shard 1** is not running; look at the list again.');
    expect(dead()).toEqual([0, 1]);
    expect(operator.audit.at(-1)?.outcome).toBe('1 write, on 1 of 2 shards (not 1)');
  });
});

describe('completion', () => {
  it('offers the writes of all shards, and does not wait long for one that hangs', async () => {
    const { bus, operator, fail } = broken();
    await fail(0, 'user::0');
    await fail(2, 'user::2');
    bus.faults.set(1, 'frozen');
    const typing = operator.type('cache-writes drop', 'which', '');
    await operator.clock.advanceAsync(1_500);
    expect((await typing).map(({ value }) => value)).toEqual(['all', 'names', '0#1', '2#1']);
  });
});

describe('/cache-info', () => {
  it('sums up the journals, and names the shard that has trouble', async () => {
    const { bus, operator, fail } = broken();
    await fail(2, 'user::2', 'user::22');
    await operator.run('cache-info');
    expect(operator.markdown).toContain("**Write-behind:** 2 can't be saved");
    expect(operator.markdown).toContain("⚠️ **Shard 2** — 2 can't be saved");
    expect(operator.markdown).toContain("2 writes can't be saved");
    expect(operator.markdown).not.toContain('alone');
    expect(operator.markdown).toContain('**Shard 1** — 0 entries');
    bus.faults.set(1, 'dead');
    await operator.press('More about', { picks: 'writes' });
    expect(operator.markdown).toContain('⚠️ **Shard 1** is not running.');
    expect(operator.markdown).not.toContain('0 entries');
  });
});
