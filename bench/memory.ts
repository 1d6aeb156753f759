/** What a cache of 100 MB really takes on the heap, and what an entry costs beyond its bare key and value. */
import { setImmediate as turn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { stringBytes } from '../src/cache/values/own-text.ts';
import { HEAP_SHAPES, heapRatio } from './heap-shapes.ts';
import { collectGarbage, median, type Row, report } from './measure.ts';
import { ourCache } from './peers.ts';

const MEGABYTES = 100;
/** Smaller for the peer: a bound that is not held takes many times its size. */
const PEER_MEGABYTES = 20;
const MEGABYTE = 2 ** 20;

/** Flat and of its own, as data is that comes from a database or the network. */
const parsed = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const text = (i: number, length: number) =>
  `${String(i).padStart(12, '0')}${'x'.repeat(length)}`.slice(0, length);
const keyOf = (i: number) =>
  `user::${100_000_000_000_000_000n + BigInt(Math.floor(i / 5))}::${['profile', 'wallet', 'vip', 'cart', 'settings'][i % 5]}`;

const SHAPES: Readonly<Record<string, (i: number) => unknown>> = {
  tiny: (i) => parsed({ n: i }),
  nested: (i) =>
    parsed({
      id: text(i, 18),
      profile: {
        name: text(i, 24),
        tags: [text(i, 12)],
        address: { city: text(i, 16), geo: { lat: i + 0.1 } },
      },
      orders: [{ id: i, lines: [{ product: text(i, 16), amount: 2 }] }],
    }),
  '20 kB Latin': (i) => text(i, 20_000),
  '20 kB with one emoji': (i) => parsed([`${text(i, 19_998)}😀`])[0],
  Cyrillic: (i) => parsed([`${i}${'я'.repeat(2_000)}`])[0],
};

async function heapBytes(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collectGarbage();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Fills our cache until entries have to leave; heap growth ÷ the bound. */
async function ratioOfOurs(make: (i: number) => unknown): Promise<number> {
  const before = await heapBytes();
  const cache = ourCache(MEGABYTES);
  for (let i = 0; ; i++) {
    const key = keyOf(i);
    cache.getOrLoadSync(key, () => make(i));
    // The first one leaves only when there is no room; looked at seldom, it is the least recently used.
    if (i % 2_000 === 1_999 && cache.stats(0).total.removals.evicted > 0) break;
  }
  const after = await heapBytes();
  await cache.stop();
  return (after - before) / (MEGABYTES * MEGABYTE);
}

/** The same for lru-cache with the usual size, the length of the JSON text. */
async function ratioOfJsonSized(make: (i: number) => unknown): Promise<number> {
  const before = await heapBytes();
  let full = false;
  const cache = new LRUCache<string, NonNullable<unknown>>({
    maxSize: PEER_MEGABYTES * MEGABYTE,
    sizeCalculation: (value) => JSON.stringify(value).length,
    dispose: () => {
      full = true;
    },
  });
  for (let i = 0; !full; i++) cache.set(keyOf(i), make(i) as NonNullable<unknown>);
  const after = await heapBytes();
  // Held until here.
  return cache.size > 0 ? (after - before) / (PEER_MEGABYTES * MEGABYTE) : Number.NaN;
}

/** Bytes an entry beyond a key and a value that are there anyway. Tables double as they grow, hence several sizes. */
async function bytesBeyond(entries: number): Promise<number> {
  const keys = Array.from({ length: entries }, (_, i) => Buffer.from(keyOf(i)).toString('latin1'));
  const value = 1;
  const before = await heapBytes();
  const cache = ourCache(4_000);
  for (const key of keys) cache.set(key, value);
  const after = await heapBytes();
  await cache.stop();
  // The cache holds keys of its own.
  const keyBytes = keys.reduce((sum, key) => sum + stringBytes(key), 0);
  return (after - before - keyBytes) / entries;
}

const rows: Row[] = [];
const lines: string[] = [];
for (const [name, make] of Object.entries(SHAPES)) {
  const ratio = await ratioOfOurs(make);
  rows.push({
    what: `heap growth ÷ ${MEGABYTES} MB, ${name}`,
    measured: ratio.toFixed(2),
    goal: '0.90 to 1.10',
    holds: ratio >= 0.9 && ratio <= 1.1,
  });
  lines.push(`lru-cache sized by JSON length, ${name}: ${(await ratioOfJsonSized(make)).toFixed(2)}`);
}
for (const [name, shape] of Object.entries(HEAP_SHAPES)) {
  const ratio = await heapRatio(shape);
  rows.push({
    what: `heap growth ÷ what is counted, ${name}`,
    measured: ratio.toFixed(2),
    goal: '0.90 to 1.10',
    holds: ratio >= 0.9 && ratio <= 1.1,
  });
}
const sizes = [60_000, 120_000, 250_000, 500_000];
const beyond: number[] = [];
for (const entries of sizes) beyond.push(await bytesBeyond(entries));
rows.push({
  what: `memory beyond key and value, median of ${sizes.map((size) => size.toLocaleString('en')).join(', ')} entries`,
  measured: `${median(beyond).toFixed(0)} B (${beyond.map((bytes) => bytes.toFixed(0)).join(', ')})`,
  goal: '< 250 B',
  holds: median(beyond) < 250,
});
report('Memory', rows, lines);
