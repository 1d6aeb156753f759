import { beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { EntryOptions } from '../../src/cache/entry-options.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import { silentLogger } from '../../src/logger.ts';
import { placeForEach } from './layers/support.ts';
import { bench } from './support.ts';

/** What callers without types say by mistake, and what text from outside does to a key. */
const FAULTS: readonly (readonly [name: string, options: EntryOptions, say: (load: LoadContext) => void])[] =
  [
    ['a tag that is a number', { tags: [5 as never] }, ({ tag }) => tag(5 as never)],
    ['a tag that is nothing', { tags: [undefined as never] }, ({ tag }) => tag(undefined as never)],
    ['a pattern to depend on', { dependsOn: ['user::a*'] }, ({ dependsOn }) => dependsOn('user::a*')],
    ['an empty key to depend on', { dependsOn: [''] }, ({ dependsOn }) => dependsOn('')],
    ['no text to depend on', { dependsOn: [7 as never] }, ({ dependsOn }) => dependsOn(7 as never)],
  ];
const NO_LISTS: readonly EntryOptions[] = [
  { tags: 'vip' as never },
  { dependsOn: 'user::1' as never },
  { tags: 5 as never },
];
const KEY = 'user::1';

let cache: Cache;
let said: string[];
beforeEach(() => {
  said = [];
  const logger = { ...silentLogger, warn: (text: string) => void said.push(text) };
  ({ cache } = bench({ logger, maxWeightBytes: 100_000_000 }));
});

function fillsAnIndex(): void {
  for (let i = 0; i < 9_000; i++)
    cache.set(`query::${i}`, i, { tags: [`t${i}`], dependsOn: [`user::d${i}`] });
}

describe('I4: a tag or dependency that cannot be one does not fail a read: it is served and not kept', () => {
  it.each(FAULTS)('%s, said by the caller or by the loader', async (_, options, say) => {
    fillsAnIndex();
    cache.set(KEY, 'old');
    const load = () => 'new';
    const tells = (context: LoadContext) => {
      say(context);
      return 'new';
    };
    for (const fresh of [true, false]) {
      expect(await cache.getOrLoad(KEY, load, { ...options, fresh })).toBe('new');
      expect(cache.has(KEY)).toBe(false);
      expect(cache.getOrLoadSync(KEY, load, { ...options, fresh })).toBe('new');
      expect(await cache.getOrLoad(KEY, tells, { fresh })).toBe('new');
      expect(cache.getOrLoadSync(KEY, tells, { fresh })).toBe('new');
      expect(await cache.getOrLoadMany([KEY], () => new Map([[KEY, 'new']]), options)).toEqual(
        new Map([[KEY, 'new']]),
      );
      expect(cache.has(KEY)).toBe(false);
    }
    expect(cache.stats()).toMatchObject({ loading: 0, total: { refusals: { unsafe: 10 } } });
    expect(said).toHaveLength(1);
    expect(await cache.getOrLoad(KEY, load)).toBe('new');
    expect(cache.has(KEY)).toBe(true);
  });

  it.each(NO_LISTS)('no list: %o', async (options) => {
    expect(await cache.getOrLoad(KEY, () => 1, options)).toBe(1);
    expect(cache.has(KEY)).toBe(false);
    expect(said).toHaveLength(1);
  });

  it.each(FAULTS)('%s, in a write: it is saved, and what was there leaves', async (_, options) => {
    fillsAnIndex();
    for (const write of [
      () => cache.set(KEY, 'new', options),
      () => cache.writeSync(KEY, 'new', () => 'saved', options),
      () => cache.write(KEY, 'new', () => 'saved', options),
    ]) {
      cache.set(KEY, 'old');
      await write();
      expect(cache.has(KEY)).toBe(false);
    }
  });

  it('is told what to write instead of a number', async () => {
    await cache.getOrLoad(KEY, ({ tag }) => tag(5 as never));
    expect(said).toEqual([
      'A value is served but not kept. A tag is text, not number: String(id) makes one.',
    ]);
  });

  it('I2: what it says well beside it voids its load as ever', async () => {
    const load = ({ tag }: LoadContext) => {
      tag('vip', 5 as never);
      cache.invalidate({ tag: 'vip' });
      return 1;
    };
    expect(await cache.getOrLoad(KEY, load)).toBe(1);
    expect(cache.stats().total.refusals).toMatchObject({ invalidated: 1, unsafe: 0 });
  });
});

describe('a tag that is no text, with a disk', () => {
  const place = placeForEach();

  it('I4: keeps no other entry from being written', async () => {
    const onDisk = place.start();
    await onDisk.getOrLoad('products::bad', ({ tag }) => tag(5 as never));
    for (let i = 0; i < 5; i++) onDisk.set(`products::${i}`, i);
    await onDisk.persist();
    expect(place.rows()).toHaveLength(5);
  });
});
