/** What the disk layer costs while entries are written, and what it saves when they are read. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cache } from '../src/cache/cache.ts';
import { createCache } from '../src/cache/create-cache.ts';
import type { Provenance } from '../src/cache/layers/disk/disk.ts';
import type { PersistenceLevel } from '../src/cache/tiers/policy.ts';
import { generateShop } from '../src/db/generator.ts';
import { openDatabase } from '../src/db/open.ts';
import { createQueries } from '../src/db/queries.ts';
import { silentLogger } from '../src/logger.ts';
import { inTurns, longestHold, type Row, report } from './measure.ts';

const ENTRIES = 100_000;
const HOUR_MS = 3_600_000;
const PROVEN: Provenance = {
  beginning: 'resumed',
  drain: () => true,
  position: () => 1,
  tellsOf: () => true,
};

const folder = mkdtempSync(join(tmpdir(), 'cachecord-bench-'));
const file = join(folder, 'cache.db');
const rows: Row[] = [];

function start(persist: PersistenceLevel, maxWeightBytes = 500 * 1_024 ** 2, path = file): Cache {
  const tier = { tier: 'query', label: 'Query', description: '', ttlMs: HOUR_MS, negativeTtlMs: HOUR_MS };
  const cache = createCache({
    maxWeightBytes,
    cleanupIntervalMs: HOUR_MS,
    tiers: [{ ...tier, jitterRatio: 0, namespaces: [], persist }],
    logger: silentLogger,
    disk: { path, maxBytes: 1_024 ** 3, intervalMs: HOUR_MS, remembersUse: false },
  });
  cache.provenBy(PROVEN);
  return cache;
}

const rowOf = (i: number) => ({
  id: `${i}`,
  name: `Product number ${i}`,
  category: `category ${i % 50}`,
  priceCents: (i * 7) % 10_000,
  stock: i % 100,
  description: 'A thing that somebody may want to buy.',
});

// ---- writing ----

// A bot that has been running for a while has compiled what it runs.
const warm = start('periodic', undefined, join(folder, 'warm.db'));
for (let round = 0; round < 3; round++) {
  for (let i = 0; i < 5_000; i++) warm.set(`products::${i % 50}::${i}`, rowOf(i));
  await warm.persist();
  warm.invalidate('products::1*', 'products::2::*', 'products::3::*');
  await warm.persist();
}
await warm.stop();

const full = start('periodic');
for (let i = 0; i < ENTRIES; i++) full.set(`products::${i % 50}::${i}`, rowOf(i));
const beganAt = performance.now();
let endedAt = beganAt;
const hold = await longestHold(async () => {
  await full.persist();
  endedAt = performance.now();
});
const seconds = (endedAt - beganAt) / 1_000;
rows.push({
  what: 'writing 100,000 dirty entries: the longest hold of the loop',
  measured: `${hold.ms.toFixed(1)} ms (${hold.withoutGcMs.toFixed(1)} without collections of garbage)`,
  goal: '≤ 10 ms',
  holds: hold.withoutGcMs <= 10,
});
rows.push({
  what: 'and how many a second, while the loop turns',
  measured: `${Math.round(ENTRIES / seconds).toLocaleString('en')}/s, ${(statSync(file).size / 1_024 ** 2).toFixed(0)} MB`,
  goal: '≥ 5,000/s',
  holds: ENTRIES / seconds >= 5_000,
});

/** What an operation on the full file holds the loop for at most. */
async function held(what: string, work: () => Promise<unknown>): Promise<void> {
  const { ms, withoutGcMs } = await longestHold(work);
  rows.push({
    what: `${what}: the longest hold`,
    measured: `${withoutGcMs.toFixed(1)} ms${ms - withoutGcMs < 0.1 ? '' : `, ${ms.toFixed(1)} with collections of garbage`}`,
    goal: '≤ 10 ms',
    holds: withoutGcMs <= 10,
  });
}

await held('invalidating 6,000 of them by patterns', async () => {
  await full.invalidate('products::7::*', 'products::8::*', 'products::9::*').pending;
  await full.persist();
});
for (let i = 0; i < 2_000; i++) full.set(`user::42::${i}`, rowOf(i), { tags: ['people'] });
await full.persist();
await held('forgetting a person of 2,000 entries', () => full.forget('user::42::*'));
await full.stop();
const dirty = start('periodic', undefined, join(folder, 'dirty.db'));
for (let i = 0; i < ENTRIES; i++) dirty.set(`products::${i % 50}::${i}`, rowOf(i));
await held('the end, with 100,000 dirty entries', () => dirty.stop());

const atOnce = start('on_change', 500 * 1_024 ** 2, join(folder, 'at-once.db'));
const inMemory = start('memory', 500 * 1_024 ** 2, join(folder, 'memory.db'));
let n = 0;
const repeat = (once: () => unknown) => (operations: number) => {
  for (let i = 0; i < operations; i++) once();
};
const sets = await inTurns(
  [
    { name: 'at once', run: repeat(() => atOnce.set(`products::${n++ % 5_000}`, rowOf(n))) },
    { name: 'memory', run: repeat(() => inMemory.set(`products::${n++ % 5_000}`, rowOf(n))) },
  ],
  () => 1_000,
  7,
);
const level = ((sets.get('at once') ?? Number.NaN) - (sets.get('memory') ?? Number.NaN)) / 1_000;
rows.push({
  what: 'what level on_change adds to a write',
  measured: `${level.toFixed(0)} µs`,
  goal: '≤ 300 µs',
  holds: level <= 300,
});

// ---- reading ----

const opening = await longestHold(async () => void (await start('periodic', undefined, file).stop()));
rows.push({
  what: 'opening a file of 94,000 entries, and closing it',
  measured: `${opening.withoutGcMs.toFixed(1)} ms`,
  goal: '≤ 100 ms',
  holds: opening.withoutGcMs <= 100,
});

const emptied = start('periodic');
await held('clearing it', async () => {
  emptied.clear();
  await emptied.persist();
});
await held('the end after that', () => emptied.stop());

const db = openDatabase(join(folder, 'shop.sqlite'));
generateShop(db);
const queries = createQueries(db);
const reads = join(folder, 'reads.db');
const writer = start('on_change', undefined, reads);
const days = { fromDay: '2025-12-01', toDay: '2025-12-31' };
const compared = [
  ['leaderboard', () => queries.leaderboard(10)],
  ['sales', () => queries.sales(days)],
  ['search', () => queries.search({ text: 'steam' })],
  ['product', () => queries.product(7)],
] as const;
const lines: string[] = [];
for (const [name, query] of compared) {
  const pair = [`query::${name}::a`, `query::${name}::b`] as const;
  for (const key of pair) writer.set(key, query());
  // Memory holds one of the two, so that every read comes from disk.
  const tiny = start('on_change', (writer.inspect(pair[0])?.weightBytes ?? 0) * 1.5, reads);
  let turn = 0;
  const fromDisk = () => {
    if (tiny.lookup(pair[turn++ & 1] ?? '').state !== 'hit') throw new Error(`${name} is not on disk.`);
  };
  const times = await inTurns(
    [
      { name: 'disk', run: repeat(fromDisk) },
      { name: 'query', run: repeat(query) },
    ],
    () => 20,
    7,
  );
  if (tiny.stats(0).disk?.hits !== turn) throw new Error('Memory has served some of it.');
  await tiny.stop();
  const [disk = Number.NaN, source = Number.NaN] = [times.get('disk'), times.get('query')];
  lines.push(
    `- ${name}: ${(disk / 1_000).toFixed(0)} µs from disk, ${(source / 1_000).toFixed(0)} µs from the database: ${(source / disk).toFixed(1)} times as quick`,
  );
  if (name === 'leaderboard')
    rows.push({
      what: 'an aggregate read from disk, beside the query it spares',
      measured: `${(disk / 1_000).toFixed(0)} µs, ${(source / 1_000).toFixed(0)} µs`,
      goal: '≤ 1/10',
      holds: disk <= source / 10,
    });
}

for (const cache of [atOnce, inMemory, writer]) await cache.stop();
db.close();
rmSync(folder, { recursive: true, force: true });
report('The disk layer', rows, [
  `By the wall, waiting for the disk and other processes included, the longest hold while they were written was ${hold.wallMs.toFixed(0)} ms.`,
  lines.join('\n'),
]);
