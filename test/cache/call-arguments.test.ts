/** What callers give where nothing checks types: refused with words that name the right way, and at no cost to hits. */
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { bench, heldLoader } from './support.ts';

/** As JavaScript sees it. */
type Loose = { readonly [Name in keyof Cache]: (...args: unknown[]) => unknown };
const loose = (cache: Cache) => cache as unknown as Loose;

const load = () => 1;
const save = () => 1;

describe.each([7, undefined, null, Symbol('key'), {}])('a key that is no text (%o)', (key) => {
  it.each(['a small cache', 'one that has grown'])(
    'is refused by reads and writes of %s with what to do',
    async (size) => {
      const { cache } = bench();
      if (size !== 'a small cache') for (let i = 0; i < 10_000; i++) cache.set(`user::${i}`, 1);
      const calls = loose(cache);
      const refusal = { code: 'ERR_KEY_INVALID', message: expect.stringContaining('key.of(') };
      for (const call of [
        () => calls.get(key),
        () => calls.lookup(key),
        () => calls.getMany([key]),
        () => calls.set(key, 1),
        () => calls.delete(key),
        () => calls.getOrLoadSync(key, load),
        () => calls.writeSync(key, 1, save),
      ])
        expect(call).toThrow(expect.objectContaining(refusal));
      for (const call of [
        calls.getOrLoad(key, load),
        calls.getOrLoadMany([key], () => new Map()),
        calls.write(key, 1, save),
      ])
        await expect(call).rejects.toMatchObject(refusal);
      expect(cache.has(key as string)).toBe(false);
    },
  );
});

describe.each([
  [{ ttl: 5 }, 'ttlMs'],
  [{ tag: 'a' }, 'did you mean tags?'],
  [{ force: true }, 'there is no option "force"'],
  [60_000, 'takes an object of options, not a number'],
])('options that do not exist (%o)', (options, words) => {
  it('are refused where a load or write begins, and nothing is loaded, saved or kept', async () => {
    const { cache } = bench();
    const calls = loose(cache);
    const refusal = expect.objectContaining({
      code: 'ERR_ARGUMENT_INVALID',
      message: expect.stringContaining(words),
    });
    let ran = 0;
    const run = () => ++ran;
    for (const call of [
      () => calls.set('user::1', 1, options),
      () => calls.setMany([['user::1', 1]], options),
      () => calls.getOrLoadSync('user::1', run, options),
      () => calls.writeSync('user::1', 1, run, options),
    ])
      expect(call).toThrow(refusal);
    for (const call of [
      calls.getOrLoad('user::1', run, options),
      calls.getOrLoadMany(['user::1'], run, options),
      calls.write('user::1', 1, run, options),
    ])
      await expect(call).rejects.toEqual(refusal);
    expect(ran).toBe(0);
    expect(cache.stats()).toMatchObject({ loading: 0, total: { entries: 0 } });
  });

  it('are refused where a load that is in flight would be waited for', async () => {
    const { cache } = bench();
    const running = heldLoader();
    const read = cache.getOrLoad('user::1', running.load);
    await expect(loose(cache).getOrLoad('user::1', load, options)).rejects.toThrow(words);
    running.give(1);
    expect(await read).toBe(1);
  });

  it('are refused within a transaction as well, before anything is taken in', () => {
    const { cache } = bench();
    const db = new Database(':memory:');
    const sql = sqliteCache(db, cache);
    const calls = loose(sql.cache);
    sql.transaction(() => {
      expect(() => calls.set('user::1', 1, options)).toThrow(words);
      expect(() => calls.getOrLoadSync('user::1', load, options)).toThrow(words);
    })();
    expect(cache.has('user::1')).toBe(false);
    db.close();
  });
});

it('what should load a value and is no function is refused', async () => {
  const { cache } = bench();
  const refusal = { code: 'ERR_ARGUMENT_INVALID', message: expect.stringContaining('set(key, value)') };
  await expect(loose(cache).getOrLoad('user::1', 'Ada')).rejects.toMatchObject(refusal);
  expect(() => loose(cache).getOrLoadSync('user::1', { name: 'Ada' })).toThrow(
    expect.objectContaining(refusal),
  );
});
