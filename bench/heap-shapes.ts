/**
 * Values as bots have them, in shapes that `scripts/calibrate-weigher.ts` has never seen, and what a cache full of them
 * takes on the heap beside what it counts (I5). `test/cache/weight.test.ts` holds the same.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Cache } from '../src/cache/cache.ts';
import { createCache } from '../src/cache/create-cache.ts';
import { defineTier } from '../src/cache/tiers/define-tier.ts';
import type { LoadingPolicy } from '../src/cache/tiers/policy.ts';
import { silentLogger } from '../src/logger.ts';

/** One that is different for each number, flat and of its own, as texts are that come from a database. */
const text = (i: number, length: number) =>
  Buffer.from(`${i.toString(36)} ${'lorem ipsum dolor '.repeat(20)}`.slice(0, length)).toString('latin1');
const snowflake = (i: number) => String(200_000_000_000_000_000n + BigInt(i) * 4_194_304n);
const parsed = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const recordOf = (i: number, count: number) =>
  parsed(Object.fromEntries(times(count, (j) => [snowflake(i * 1_000 + j), j])));
const row = (i: number): Record<string, unknown> => ({
  id: i,
  guild: snowflake(i),
  level: i % 90,
  name: text(i, 17),
});
const longText = (i: number) => `${text(i, 60)}${'x'.repeat(20_000)}${i}`;

export interface HeapShape {
  readonly make: (i: number) => unknown;
  readonly keyOf?: (i: number) => string;
  readonly policy?: LoadingPolicy;
  readonly tagsOf?: (i: number) => readonly string[];
  /** So many bytes are filled before it is measured. @default 0 */
  readonly firstBytes?: number;
  /** Done with each entry after the fill. */
  readonly use?: (cache: Cache, key: string) => Promise<unknown> | unknown;
}

const words = 'abcdefghijklmnopqrstuvwxyz';

export const HEAP_SHAPES: Readonly<Record<string, HeapShape>> = {
  'rows of four columns': { make: (i) => row(i) },
  'rows of eleven columns': {
    make: (i) => parsed({ ...row(i), a: text(i, 40), b: null, c: true, d: i / 3, e: i, f: text(i, 9), g: 1 }),
  },
  'rows of 40 columns': { make: (i) => parsed(Object.fromEntries(times(40, (j) => [`column_${j}`, i + j]))) },
  'fields spread in': { make: (i) => ({ ...row(i), ...{ extra: i, more: text(i, 15) } }) },
  'fields added afterwards': {
    make: (i) => {
      const value = row(i);
      for (const name of ['first', 'second', 'third', 'fourth', 'fifth']) value[name] = i;
      return value;
    },
  },
  'rows after a delete': {
    make: (i) => {
      const value = parsed({ password: 'x', ...row(i) });
      Reflect.deleteProperty(value, 'password');
      return value;
    },
  },
  'records of 3 ids': { make: (i) => recordOf(i, 3) },
  'records of 10 ids': { make: (i) => recordOf(i, 10) },
  'records of 40 ids': { make: (i) => recordOf(i, 40) },
  'records of 200 ids': { make: (i) => recordOf(i, 200) },
  'records of small numbers': { make: (i) => ({ [i]: 1, [i + 70_000]: 2, 3: text(i, 20) }) },
  'records of words': {
    make: (i) => Object.fromEntries(times(6, (j) => [`${words[(i + j) % 26]}${text(i * 7 + j, 12)}`, j])),
  },
  '300 distinct words': {
    make: (i) => Object.fromEntries(times(300, (j) => [`w${(i * 300 + j).toString(36)}`, 1])),
  },
  'no prototype': { make: (i) => Object.assign(Object.create(null), row(i)) as unknown },
  'numbers far apart': { make: (i) => times(20, (j) => (i + j) * 1e12) },
  'numbers with fractions': {
    make: (i) => ({ lat: i + 0.25, lon: i + 0.75, list: times(10, (j) => i + j / 3) }),
  },
  'lists by push': {
    make: (i) => {
      const list: unknown[] = [];
      for (let j = 0; j < 23; j++) list.push(i + j);
      return list;
    },
  },
  'lists by filter and map': {
    make: (i) =>
      times(60, (j) => i + j)
        .filter((n) => n % 3 === 0)
        .map((n) => ({ n })),
  },
  'sparse lists': {
    make: (i) => {
      const list: unknown[] = [];
      list[500] = text(i, 30);
      list[20] = i;
      return list;
    },
  },
  'slices of long texts': { make: (i) => longText(i).slice(10, 50) },
  'matches in long texts': { make: (i) => ({ found: /ipsum.{30}/.exec(longText(i))?.[0], index: i }) },
  'cells of a CSV file': {
    make: (i) => `${text(i, 30)},${text(i + 1, 30)},${text(i, 400)}`.split(',').slice(0, 2),
  },
  'joined texts': { make: (i) => ({ said: `${text(i, 30)} says: ${text(i + 1, 30)}` }) },
  'Latin texts cut from others': { make: (i) => `${text(i, 120)} 😀 ${'y'.repeat(2_000)}`.slice(0, 100) },
  'texts beyond Latin': { make: (i) => ({ name: `Привет ${i} ${'мир'.repeat(10)}` }) },
  'answers of an API': {
    make: (i) =>
      parsed({
        id: snowflake(i),
        user: { id: snowflake(i + 1), username: text(i, 14), avatar: null, flags: 0 },
        roles: times(5, (j) => snowflake(i + j)),
        embeds: times(3, (j) => ({
          type: 'rich',
          fields: [{ name: text(j, 8), value: text(i, 20), inline: true }],
        })),
        reactions: times(4, (j) => ({ emoji: { id: null, name: 'x' }, count: j, me: false })),
      }),
  },
  'lists of 1,000 rows': { make: (i) => times(1_000, (j) => row(i * 1_000 + j)) },
  'small Buffers': { make: (i) => Buffer.from(text(i, 60)) },
  'Buffers of 5 kB': { make: (i) => ({ image: Buffer.alloc(5_000, i) }) },
  'typed arrays': { make: (i) => new Float64Array(50).fill(i) },
  BigInts: { make: (i) => ({ id: 2n ** 61n + BigInt(i), huge: 10n ** 40n + BigInt(i) }) },
  Maps: { make: (i) => new Map(times(12, (j) => [snowflake(i * 20 + j), { n: j }])) },
  Sets: { make: (i) => new Set(times(30, (j) => snowflake(i * 40 + j))) },
  Dates: { make: (i) => ({ at: new Date(i * 1_000), until: new Date(i * 2_000), name: text(i, 10) }) },
  'compressed lists': {
    make: (i) => times(80, (j) => ({ id: i + j, name: text(i + j, 30), level: j })),
    policy: { compressAboveBytes: 2_000 },
    firstBytes: 6_000_000, // until then memory of zstd's own is let go of
  },
  'frozen rows': { make: (i) => row(i), policy: { values: 'frozen' } },
  'frozen records of ids': { make: (i) => recordOf(i, 20), policy: { values: 'frozen' } },
  'frozen lists of fractions': { make: (i) => times(30, (j) => i + j / 3), policy: { values: 'frozen' } },
  'busy frozen rows': {
    make: (i) => row(i),
    policy: { values: 'frozen' },
    use: async (cache, key) => {
      for (let hits = 0; hits < 17; hits++) await cache.getOrLoad(key, () => null);
    },
  },
  'keys cut from long texts': {
    make: () => 1,
    keyOf: (i) => `user::${longText(i).slice(0, 40).replaceAll(' ', '_')}::profile`,
  },
  'tags cut from long texts': { make: () => 1, tagsOf: (i) => [longText(i).slice(0, 40)] },
};

/** Filled to so many bytes, as it counts them. */
const FILL_BYTES = 8_000_000;

/** What the heap grew by, divided by what is counted. Needs `--expose-gc`. */
export async function heapRatio(shape: HeapShape): Promise<number> {
  const { policy, firstBytes = 0 } = shape;
  const cacheOf = () =>
    createCache({
      maxWeightBytes: 1e9,
      tiers: [defineTier('query', { ttlMs: 3_600_000, ...policy, jitterRatio: 0 })],
      logger: silentLogger,
    });
  // What is made once, such as hidden classes and code, is there before.
  const warmUp = cacheOf();
  await fill(warmUp, shape, FILL_BYTES / 20, 1);
  await warmUp.stop();
  const cache = cacheOf();
  const next = await fill(cache, shape, firstBytes, 1);
  const weightBefore = cache.stats(0).total.weightBytes;
  const before = await heapBytes();
  await fill(cache, shape, firstBytes + FILL_BYTES, next);
  const after = await heapBytes();
  const { weightBytes } = cache.stats(0).total;
  await cache.stop();
  return (after - before) / (weightBytes - weightBefore);
}

/** @returns the number of the next value */
async function fill(
  cache: Cache,
  { make, keyOf = (i) => `query::${i}::value`, tagsOf, use }: HeapShape,
  bytes: number,
  first: number,
): Promise<number> {
  let i = first;
  while (cache.stats(0).total.weightBytes < bytes) {
    for (let n = 0; n < 50; n++, i++) {
      const key = keyOf(i);
      cache.set(key, make(i), tagsOf === undefined ? {} : { tags: tagsOf(i) });
      await use?.(cache, key);
    }
  }
  return i;
}

async function heapBytes(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
