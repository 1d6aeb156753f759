import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCache } from '../src/cache/create-cache.ts';
import { key } from '../src/cache/keys/keys.ts';
import { forget } from '../src/forget.ts';
import { silentLogger } from '../src/logger.ts';
import { tierOf } from './cache/support.ts';
import { handClock } from './support/hand-clock.ts';

const PERSON = '80351110224678912';
const OTHER = '803511102246789125';

describe('forgetting a person', () => {
  it('removes what is held of them from memory, disk and the statistics, with a receipt', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cachecord-forget-'));
    const path = join(folder, 'cache.db');
    const cache = createCache({
      maxWeightBytes: 1_000_000,
      tiers: [tierOf('user', ['user'], { persist: 'on_change' })],
      cleanupIntervalMs: 60_000,
      clock: handClock(),
      logger: silentLogger,
      disk: { path },
    });
    cache.set(`user::${PERSON}`, 'whole');
    cache.set(`user::${PERSON}::profile`, { name: 'Secret Name' });
    cache.set(`query::transactions::${PERSON}::0`, ['Secret Movement']);
    cache.set('query::leaderboard', ['Secret Name'], { tags: [`user:${PERSON}`] });
    cache.set(`user::${OTHER}::profile`, { name: 'Other' });
    for (const key of [`user::${PERSON}::profile`, `user::${OTHER}::profile`]) cache.get(key);
    await expect(
      cache.getOrLoad(`user::${PERSON}::x`, () => Promise.reject(new Error('down'))),
    ).rejects.toThrow();

    const receipt = await forget(cache, 'user', PERSON);
    expect(receipt).toMatchObject({ kind: 'user', id: PERSON, entries: 4, stored: 4, topKeys: 1 });
    expect(cache.keys('', 10)).toEqual([`user::${OTHER}::profile`]);
    expect(JSON.stringify(cache.stats(100))).not.toContain(`${PERSON}:`);
    await cache.stop();
    const bytes = readFileSync(path).toString('latin1');
    expect(bytes).toContain('Other');
    expect(bytes).not.toMatch(/Secret/);
    rmSync(folder, { recursive: true });
  });

  it('removes names that do not tell whose they are, by the tags of their entries', async () => {
    const cache = createCache({
      maxWeightBytes: 1_000_000,
      tiers: [tierOf('query', ['query'])],
      cleanupIntervalMs: 60_000,
      clock: handClock(),
      logger: silentLogger,
    });
    cache.set('query::search::ada', ['Ada'], { tags: [`user:${PERSON}`] });
    cache.get('query::search::ada');
    expect(await forget(cache, 'user', PERSON)).toMatchObject({ topKeys: 1, isUnfinished: false });
    expect(JSON.stringify(cache.stats(100))).not.toContain('ada');
    await cache.stop();
  });

  it('I15: removes every spelling of their id in every place of a key, and every one of their tag', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cachecord-forget-'));
    const path = join(folder, 'cache.db');
    const cache = createCache({
      maxWeightBytes: 1_000_000,
      tiers: [tierOf('user', ['user'], { persist: 'on_change' })],
      cleanupIntervalMs: 60_000,
      clock: handClock(),
      logger: silentLogger,
      disk: { path },
    });
    const id = BigInt(PERSON);
    const theirs = [
      PERSON,
      `${PERSON}::profile`,
      `%i${PERSON}::profile`,
      `user::${PERSON}`,
      key.of('user', id, 'profile'),
      key.of('user', 'all', id),
      key.of('user', `0${PERSON}`, 'profile'),
      `user:${PERSON}`,
      `user:${PERSON}:profile`,
    ];
    const tags = [`user:${PERSON}`, `user:%i${PERSON}`];
    const others = [OTHER, `user::${OTHER}::profile`, `user::${PERSON}0`, `user::a${PERSON}`];
    for (const each of [...theirs, ...others]) cache.getOrLoadSync(each, () => 'Secret');
    for (const [i, tag] of tags.entries()) {
      cache.getOrLoadSync(`query::tagged::${i}`, () => 'Secret', { tags: [tag] });
      cache.getOrLoadSync(`query::made::${i}`, () => 'Secret', { dependsOn: [theirs[i] ?? ''] });
    }
    for (const each of theirs) cache.get(each);
    await cache.persist();

    const receipt = await forget(cache, 'user', PERSON);
    const all = theirs.length + 2 * tags.length;
    expect(receipt).toMatchObject({ entries: all, stored: all, topKeys: theirs.length, isUnfinished: false });
    expect(cache.keys('', 100).sort()).toEqual(others.sort());
    expect(JSON.stringify(cache.stats(100))).not.toMatch(new RegExp(`${PERSON}\\b`));
    await cache.stop();
    const bytes = readFileSync(path).toString('latin1');
    expect(bytes).toContain(`user::${OTHER}::profile`);
    expect(bytes).not.toContain(`%i${PERSON}`);
    expect(bytes).not.toContain(`user::${PERSON}::`);
    rmSync(folder, { recursive: true });
  });

  it('I15: removes small ids that are kept as numbers', async () => {
    const cache = createCache({ maxWeightBytes: 1_000_000, clock: handClock(), logger: silentLogger });
    for (const each of ['#123::n', key.of('user', 123, 'n'), key.of('user', 123n), 'user::1234']) {
      cache.set(each, 1);
    }
    expect(await forget(cache, 'user', '123')).toMatchObject({ entries: 3 });
    expect(cache.keys('', 10)).toEqual(['user::1234']);
    await cache.stop();
  });

  it('refuses an id that is a number: those of Discord are rounded by then', async () => {
    const cache = createCache({ maxWeightBytes: 1_000, logger: silentLogger });
    const number = 80351110224678912 as unknown as string;
    await expect(forget(cache, 'user', number)).rejects.toThrow('as Discord gives them');
    await cache.stop();
  });

  it.each(['', '*', '12*', 'abc', '1'.repeat(21)])('refuses %j, which is no id', async (id) => {
    const cache = createCache({
      maxWeightBytes: 1_000,
      tiers: [tierOf('user', ['user'])],
      cleanupIntervalMs: 1_000,
    });
    cache.set('user::1::profile', 1);
    await expect(forget(cache, 'user', id)).rejects.toMatchObject({ code: 'ERR_ARGUMENT_INVALID' });
    expect(cache.has('user::1::profile')).toBe(true);
    await cache.stop();
  });
});
