/** A key that leaves the arguments out gives two people the same row: the log says so, once and with what to write. */
import { describe, expect, it } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { cached, cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { keptLog } from '../plugin/setup.ts';

function bench() {
  const { lines, logger } = keptLog();
  return { cache: createCache({ logger }), said: () => lines.map(({ message }) => message) };
}

const WARNING =
  "getUser() was called with different arguments, and its key 'user::profile' gives all of them the same entry: put the argument into the key, such as 'user::profile::{0}'.";

describe('a key without a placeholder, of a function with parameters', () => {
  it('is named in the log at the first call with another argument, and not again', async () => {
    const { cache, said } = bench();
    const getUser = cached(
      cache,
      async function getUser(id: string) {
        return { id };
      },
      { key: 'user::profile' },
    );
    await getUser('1');
    await getUser('1');
    expect(said()).toEqual([]);
    for (const id of ['2', '3', '1']) await getUser(id);
    expect(said()).toEqual([WARNING]);
    await cache.stop();
  });

  it('is named for synchronous reads, and parameters with a default, too', async () => {
    const { cache, said } = bench();
    const getPage = cachedSync(
      cache,
      function getPage(page = 1) {
        return [page];
      },
      { key: 'query::pages' },
    );
    getPage(1);
    getPage(2);
    expect(said()).toEqual([expect.stringContaining("such as 'query::pages::{0}'")]);
    await cache.stop();
  });

  it('is right where the arguments are objects to work with, the same, or not looked at', async () => {
    const { cache, said } = bench();
    const withClient = cachedSync(cache, (client: object, kind: string) => [client, kind].length, {
      key: 'config::all',
    });
    for (const client of [{}, {}]) withClient(client, 'a');
    const getAll = cachedSync(cache, () => [1], { key: 'products::all' }) as (...args: unknown[]) => unknown;
    ['a', 'b'].map(getAll);
    const byId = cachedSync(cache, (id: string) => id, { key: 'user::{0}::id' });
    ['a', 'b'].map((id) => byId(id));
    expect(said()).toEqual([]);
    await cache.stop();
  });
});
