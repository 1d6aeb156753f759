/**
 * Holds the weigher against the heap: for values of many shapes, and for whole caches filled to their bound, the bytes
 * that the heap really grew by, divided by what was weighed. Everything should lie between 0.90 and 1.10.
 *
 *     node --expose-gc scripts/calibrate-weigher.ts [shape]
 */
import { setImmediate as turn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { createCache } from '../src/cache/create-cache.ts';
import type { EntryOptions } from '../src/cache/entry-options.ts';
import type { TierPolicy } from '../src/cache/tiers/tier.ts';

import { Values } from '../src/cache/values/values.ts';
import { silentLogger } from '../src/logger.ts';

/** Makes the value with a number, sharing nothing with those of other numbers. */
type Make = (i: number) => unknown;

/** Long enough that V8 shares none of them with another one. */
const text = (i: number, length: number) =>
  `${String(i).padStart(12, '0')}${'x'.repeat(length)}`.slice(0, length);
/** Flat and of its own, as texts are that come from a database or the network. */
const parsed = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const db = new Database(':memory:');
const profileRow = db.prepare(
  `SELECT printf('%018d', @i) AS id, printf('member number %06d', @i) AS name, @i * 100 AS wallet, 'gold' AS vip,
   printf('2026-01-01T00:00:%05d', @i) AS created_at, @i % 50 AS orders, NULL AS avatar`,
);
const productRows = db.prepare(
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
   SELECT i AS id, printf('product %06d of %03d', ?, i) AS name, i * 99 AS price, i % 7 AS stock FROM n`,
);
const wideRow = db.prepare(
  `SELECT ${Array.from({ length: 30 }, (_, i) => `? + ${i} AS column_${i}`).join(', ')}`,
);

const SHAPES: Readonly<Record<string, Make>> = {
  'number, small': (i) => i,
  'number, with fractions': (i) => i + 0.5,
  'tiny: { n }': (i) => ({ n: i }),
  'tiny, parsed': (i) => parsed({ n: i }),
  'empty object': () => ({}),
  'empty array': () => [],
  'id, 18 digits': (i) => parsed([text(i, 18)])[0],
  'profile, parsed': (i) =>
    parsed({
      id: text(i, 18),
      name: text(i, 24),
      wallet: i * 100,
      vip: text(i, 12),
      createdAt: text(i, 24),
      orders: i % 50,
      avatar: null,
    }),
  'profile, literal': (i) => ({
    id: i,
    name: i * 2,
    wallet: i * 100,
    vip: i % 5,
    createdAt: 0,
    orders: i % 50,
    avatar: null,
  }),
  'profile, sqlite row': (i) => profileRow.get({ i }),
  'wide row, sqlite': (i) => wideRow.get(...Array.from({ length: 30 }, () => i)),
  'product list, sqlite': (i) => productRows.all(i),
  'product list, parsed': (i) =>
    parsed(
      Array.from({ length: 50 }, (_, j) => ({
        id: j,
        name: text(i * 100 + j, 22),
        price: j * 99,
        stock: j % 7,
      })),
    ),
  'nested, parsed': (i) =>
    parsed({
      id: text(i, 18),
      profile: {
        name: text(i, 24),
        tags: [text(i, 12), text(i + 1, 12)],
        address: { city: text(i, 16), geo: { lat: i + 0.1, lon: i + 0.2 } },
      },
      orders: [
        { id: i, lines: [{ product: text(i, 16), amount: 2 }] },
        { id: i + 1, lines: [{ product: text(i, 16), amount: 3 }] },
      ],
    }),
  'dates as text, 10 fields with fractions': (i) =>
    parsed(Object.fromEntries(Array.from({ length: 10 }, (_, j) => [`f${j}`, i + j / 7]))),
  'numbers, list of 100': (i) => parsed(Array.from({ length: 100 }, (_, j) => i + j)),
  'fractions, list of 100': (i) => parsed(Array.from({ length: 100 }, (_, j) => i + j / 7)),
  // The room that pushing leaves cannot be seen from outside; it is small beside what the list holds.
  'pushed list of 50 rows': (i) => {
    const list: unknown[] = [];
    for (let j = 0; j < 50; j++) list.push(parsed({ id: j, name: text(i * 100 + j, 22), price: j * 99 }));
    return list;
  },
  '20 kB, Latin': (i) => text(i, 20_000),
  '20 kB with one emoji': (i) => parsed([`${text(i, 19_998)}😀`])[0],
  'Cyrillic, 2,000 characters': (i) => parsed([`${i}${'я'.repeat(2_000)}`])[0],
  'record of 200 ids': (i) =>
    parsed(Object.fromEntries(Array.from({ length: 200 }, (_, j) => [text(i * 1_000 + j, 18), j]))),
  Date: (i) => new Date(i),
  'Map of 20': (i) => new Map(Array.from({ length: 20 }, (_, j) => [i + j, j])),
  'Set of 20': (i) => new Set(Array.from({ length: 20 }, (_, j) => i + j)),
  'Buffer, 100 bytes': (i) => Buffer.alloc(100, i),
  'Buffer, 10 kB': (i) => Buffer.alloc(10_000, i),
  'bigint, 64 bits': (i) => 2n ** 62n + BigInt(i),
};

async function heapBytes(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const values = new Values();

/** As the cache keeps it, and its weight. */
function taken(value: unknown): { readonly value: unknown; readonly weightBytes: number } {
  const result = values.take(value, 'copy');
  if (result.refusal !== undefined) throw new Error(result.refusal.text);
  return result;
}

async function ratioOfValues(make: Make): Promise<{ ratio: number; weight: number }> {
  const { weightBytes } = taken(make(1));
  const count = Math.min(200_000, Math.max(500, Math.ceil(30e6 / (weightBytes + 16))));
  for (let i = 0; i < 2_000; i++) taken(make(i));
  const kept: unknown[] = new Array(count).fill(null);
  let weighed = 0;
  const before = await heapBytes();
  for (let i = 0; i < count; i++) {
    const { value, weightBytes } = taken(make(i + 1_000_000));
    kept[i] = value;
    weighed += weightBytes;
  }
  const after = await heapBytes();
  if (kept.length === 0) throw new Error('Held until here.');
  return {
    ratio: weighed === 0 ? (after - before) / count + 1 : (after - before) / weighed,
    weight: weighed / count,
  };
}

/** Filled with getOrLoad, or by other keys and with tags or dependencies. */
async function ratioOfCache(
  make: Make,
  maxWeightBytes: number,
  keyOf = (n: number) => `user::${text(n, 18)}::profile`,
  optionsOf: (n: number) => EntryOptions = () => ({}),
): Promise<{ ratio: number; entries: number }> {
  const policy: TierPolicy = {
    tier: 'query',
    label: 'Query',
    description: '',
    ttlMs: 3_600_000,
    negativeTtlMs: 3_600_000,
    jitterRatio: 0.1,
    namespaces: ['user'],
  };
  const before = await heapBytes();
  const cache = createCache({
    maxWeightBytes,
    tiers: [policy],
    cleanupIntervalMs: 3_600_000,
    logger: silentLogger,
  });
  // Until some of them had to leave, so that the bound has been reached.
  for (let i = 0; cache.stats().total.removals.evicted === 0 && i < 40; i++) {
    const batch = Math.ceil(maxWeightBytes / 20 / (taken(make(1)).weightBytes + 250));
    for (let j = 0; j < batch; j++) {
      const n = 1_000_000 + i * batch + j;
      await cache.getOrLoad(parsed(keyOf(n)), () => make(n), parsed(optionsOf(n)));
    }
  }
  const after = await heapBytes();
  const { entries, weightBytes } = cache.stats().total;
  await cache.stop();
  return { ratio: (after - before) / weightBytes, entries };
}

function line(name: string, ratio: number, rest: string): string {
  const verdict = ratio >= 0.9 && ratio <= 1.1 ? ' ' : '!';
  return `${verdict} ${name.padEnd(42)} ${ratio.toFixed(2)}  ${rest}`;
}

if (globalThis.gc === undefined) {
  console.error('Run it with --expose-gc: without it there is no telling what the heap holds.');
  process.exitCode = 1;
} else {
  const only = process.argv[2] ?? '';
  console.log('  values: heap growth ÷ weight, and the mean weight in bytes');
  for (const [name, make] of Object.entries(SHAPES)) {
    if (!name.includes(only)) continue;
    const { ratio, weight } = await ratioOfValues(make);
    console.log(line(name, ratio, weight.toFixed(0)));
  }
  console.log('  caches of 50 MB: heap growth ÷ weight, and the number of entries');
  for (const name of [
    'tiny, parsed',
    'profile, sqlite row',
    'nested, parsed',
    '20 kB, Latin',
    '20 kB with one emoji',
    'Cyrillic, 2,000 characters',
  ]) {
    const make = SHAPES[name];
    if (make === undefined || !name.includes(only)) continue;
    const { ratio, entries } = await ratioOfCache(make, 50e6);
    console.log(line(name, ratio, String(entries)));
  }
  console.log('  the same of small rows, with other keys, tags and dependencies');
  const usual = (n: number) => `user::${n}`;
  const ways: readonly [
    name: string,
    keyOf: (n: number) => string,
    optionsOf?: (n: number) => EntryOptions,
  ][] = [
    ['keys without a namespace', (n) => `user:${n}:profile`],
    ['a namespace each', (n) => `guild:${n}::settings`],
    ['a tag that all share', usual, () => ({ tags: ['vip-members'] })],
    ['a tag that four share', usual, (n) => ({ tags: [`guild:${text(n >> 2, 18)}`] })],
    ['two tags of its own', usual, (n) => ({ tags: [`order:${n}`.padEnd(60, '-'), `user:${n}`] })],
    ['a tag of 1,000 characters', usual, (n) => ({ tags: [text(n, 1_000)] })],
    ['a dependency that four share', usual, (n) => ({ dependsOn: [`shop::${n >> 2}::orders`] })],
    ['two dependencies of its own', usual, (n) => ({ dependsOn: [`shop::${n}::orders`, `guild::${n}`] })],
  ];
  for (const [name, keyOf, optionsOf] of ways) {
    if (!name.includes(only)) continue;
    const { ratio, entries } = await ratioOfCache((i) => ({ i }), 50e6, keyOf, optionsOf);
    console.log(line(name, ratio, String(entries)));
  }
}
