/** What the loading policies cost a hit, and what compression takes and gives for values of different shapes. */
import { LRUCache } from 'lru-cache';
import type { Cache } from '../src/cache/cache.ts';
import { createCache } from '../src/cache/create-cache.ts';
import type { LoadingPolicy } from '../src/cache/tiers/policy.ts';
import type { TierPolicy } from '../src/cache/tiers/tier.ts';
import { inTurns, type Row, report } from './measure.ts';
import { TIERS } from './peers.ts';

const HOUR_MS = 3_600_000;
const KEYS = Array.from(
  { length: 1_000 },
  (_, i) => `user::${100_000_000_000_000_000n + BigInt(i)}::profile`,
);
const keyAt = (i: number) => KEYS[i % KEYS.length] ?? '';
const PROFILE = { id: '1', name: 'Ada', wallet: 12_345, vip: 'gold', joined: 1_700_000_000, orders: 12 };
const loadProfile = async () => ({ ...PROFILE });

/** Every policy there is, each with a value that a bot would give it. Profiles are too light to be compressed. */
const EVERY_POLICY: LoadingPolicy = {
  jitterRatio: 0.1,
  graceMs: HOUR_MS,
  graceBackoffMs: 10_000,
  staleWhileRevalidateMs: 60_000,
  softTimeoutMs: 200,
  hardTimeoutMs: 5_000,
  refreshAheadRatio: 0.8,
  earlyRefreshBeta: 1,
  adaptiveTtl: { minMs: 60_000, maxMs: 24 * HOUR_MS },
  compressAboveBytes: 4_096,
  maxEntryBytes: 262_144,
  skipEmpty: true,
  when: () => true,
};

function cacheWith(policy: LoadingPolicy): Cache {
  // `undefined` states nothing, so none is among them.
  const tiers = TIERS.map((tier) => ({ ...tier, ...policy }) as TierPolicy);
  return createCache({ maxWeightBytes: 200 * 2 ** 20, cleanupIntervalMs: HOUR_MS, tiers });
}

/** In one run, so that the ratios are of the same machine at the same time. */
async function hits(): Promise<void> {
  const lru = new LRUCache<string, object>({ maxSize: 50 * 2 ** 20, sizeCalculation: () => 500 });
  const caches = {
    'no policy': cacheWith({}),
    'every policy': cacheWith(EVERY_POLICY),
    'every policy and a cost': cacheWith({ ...EVERY_POLICY, cost: () => 1 }),
  };
  for (const key of KEYS) {
    lru.set(key, { ...PROFILE });
    // Loaded, as entries are: a value that was written has no load time for XFetch to go by.
    for (const cache of Object.values(caches)) await cache.getOrLoad(key, loadProfile);
  }
  const times = await inTurns(
    [
      {
        name: 'lru-cache',
        run: async (count: number) => {
          for (let i = 0; i < count; i++) await lru.get(keyAt(i));
        },
      },
      ...Object.entries(caches).map(([name, cache]) => ({
        name,
        run: async (count: number) => {
          for (let i = 0; i < count; i++) await cache.getOrLoad(keyAt(i), loadProfile);
        },
      })),
    ],
    () => 200_000,
    25,
  );
  const bare = times.get('lru-cache') ?? Number.NaN;
  const goals: Readonly<Record<string, number>> = { 'no policy': 0.9 };
  const rows = Object.keys(caches).map((name): Row => {
    const ratio = bare / (times.get(name) ?? Number.NaN);
    const goal = goals[name] ?? 0.6;
    return {
      what: `awaited hit with ${name}, of a bare \`await\` around \`get\``,
      measured: ratio.toFixed(2),
      goal: `≥ ${goal.toFixed(2)}`,
      holds: ratio >= goal,
    };
  });
  report(
    'Hits under policies',
    rows,
    [...times].map(([name, ns]) => `${name}: ${ns.toFixed(0)} ns`),
  );
  for (const cache of Object.values(caches)) await cache.stop();
}

const WORDS = 'the quick brown fox jumps over a lazy dog while nobody in this guild is looking at it'.split(
  ' ',
);
/** Words in no order that compression could guess: Knuth's multiplicative hash. */
const wordAt = (i: number) => WORDS[(Math.imul(i, 0x9e37_79b1) >>> 16) % WORDS.length] ?? '';

/** Values of three shapes, some 12 KB of text each. */
const SHAPES: Readonly<Record<string, (seed: number) => unknown>> = {
  'list of 120 rows': (seed) =>
    Array.from({ length: 120 }, (_, i) => ({
      id: `${100_000_000_000 + seed * 1_000 + i}`,
      name: `Product ${i}`,
      category: wordAt(i),
      price: (i * 37) % 5_000,
      stock: i % 9,
    })),
  'nested object': (seed) => ({
    guild: { id: `${seed}`, name: 'Test guild', roles: Array.from({ length: 40 }, (_, i) => roleOf(i)) },
    channels: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${seed}${i}`, channelOf(i)])),
  }),
  'one long text': (seed) => Array.from({ length: 2_400 }, (_, i) => wordAt(i + seed * 10_007)).join(' '),
};

function roleOf(i: number) {
  return { id: `${i}`, name: wordAt(i), color: (i * 65_537) % 16_777_216, permissions: `${i * 1_048_576}` };
}

function channelOf(i: number) {
  return {
    name: wordAt(i),
    topic: `${wordAt(i + 1)} ${wordAt(i + 2)}`,
    position: i,
    overwrites: [{ id: `${i}`, deny: '0' }],
  };
}

/** Values of each shape that are held, and filled anew in each round. */
const KEPT = 100;
const ROUNDS = 9;
const WARM_UP_ROUNDS = 3;

async function compression(): Promise<void> {
  const plain = cacheWith({ jitterRatio: 0 });
  const packed = cacheWith({ jitterRatio: 0, compressAboveBytes: 4_096 });
  const rows: Row[] = [];
  const lines: string[] = [];
  for (const [name, make] of Object.entries(SHAPES)) {
    const key = (i: number) => `query::${name.replaceAll(' ', '_')}::${i % KEPT}`;
    const contestants = Object.entries({ plain, packed }).flatMap(([kind, cache]) => {
      // A value of its own for each fill, as a loader gives it, made beforehand: what was frozen once is walked quickly.
      const values = Array.from({ length: KEPT * (ROUNDS + WARM_UP_ROUNDS) }, (_, seed) => make(seed));
      let next = 0;
      return [
        {
          name: `fill ${kind}`,
          run: (count: number) => {
            for (let i = 0; i < count; i++) cache.set(key(i), values[next++]);
          },
        },
        {
          name: `hit ${kind}`,
          run: (count: number) => {
            for (let i = 0; i < count; i++) cache.get(key(i));
          },
        },
      ];
    });
    const operations = (each: string) => (each === 'hit plain' ? 50_000 : KEPT);
    const took = await inTurns(contestants, operations, ROUNDS, WARM_UP_ROUNDS);
    const us = (each: string) => (took.get(each) ?? Number.NaN) / 1_000;
    const before = plain.inspect(key(0))?.weightBytes ?? Number.NaN;
    const after = packed.inspect(key(0))?.weightBytes ?? Number.NaN;
    rows.push({
      what: `${name}: compressed, of its weight on the heap`,
      measured: (after / before).toFixed(2),
      goal: '≤ 0.80',
      holds: after / before <= 0.8,
    });
    lines.push(
      `${name}: ${kilobytes(before)} become ${kilobytes(after)}; ` +
        `a hit ${us('hit plain').toFixed(2)} µs becomes ${us('hit packed').toFixed(0)} µs, ` +
        `a fill ${us('fill plain').toFixed(0)} µs becomes ${us('fill packed').toFixed(0)} µs`,
    );
  }
  report('Compression in memory', rows, lines);
  await plain.stop();
  await packed.stop();
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_024).toFixed(1)} kB`;
}

await hits();
await compression();
