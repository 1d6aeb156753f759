/** Hits and fills: what a lookup costs beside a bare lru-cache and the peers. */
import { LRUCache } from 'lru-cache';
import { allocatedBytes, inTurns, report } from './measure.ts';
import { cachecord, everybody, ourCache, type Peer } from './peers.ts';

const KEYS = Array.from(
  { length: 10_000 },
  (_, i) => `user::${100_000_000_000_000_000n + BigInt(i)}::profile`,
);
const PROFILE = {
  id: '1',
  name: 'Ada',
  wallet: 12_345,
  vip: 'gold',
  joined: 1_700_000_000,
  orders: 12,
  locale: 'en',
};
const loadProfile = async () => ({ ...PROFILE });
const loadProfileSync = () => ({ ...PROFILE });

/** As lru-cache does it: all share one value. */
const SHARED = { values: 'frozen' } as const;

const keyAt = (i: number) => KEYS[i % KEYS.length] ?? '';

/** Slow peers run fewer operations a round; the figure is per operation. */
const operationsOf = (name: string) => (name === 'lru-cache' || name === 'cachecord' ? 200_000 : 20_000);

/** Against the bare cache alone, before any peer has run, so that the engine has only these two to learn. */
async function againstBareLru(): Promise<void> {
  const lru = new LRUCache<string, object>({ maxSize: 50 * 2 ** 20, sizeCalculation: () => 500 });
  const cache = ourCache(50);
  for (const key of KEYS) {
    lru.set(key, { ...PROFILE });
    cache.set(key, { ...PROFILE }, SHARED);
  }
  const contestants = [
    {
      name: 'awaited lru-cache',
      run: async (count: number) => {
        for (let i = 0; i < count; i++) await lru.get(keyAt(i));
      },
    },
    {
      name: 'awaited cachecord',
      run: async (count: number) => {
        for (let i = 0; i < count; i++) await cache.getOrLoad(keyAt(i), loadProfile, SHARED);
      },
    },
    {
      name: 'lru-cache',
      run: (count: number) => {
        for (let i = 0; i < count; i++) lru.get(keyAt(i));
      },
    },
    {
      name: 'cachecord',
      run: (count: number) => {
        for (let i = 0; i < count; i++) cache.getOrLoadSync(keyAt(i), loadProfileSync, SHARED);
      },
    },
  ];
  const times = await inTurns(contestants, () => 200_000, 25);
  const of = (name: string) => times.get(name) ?? Number.NaN;
  const bytes = await allocatedBytes(20_000, async (count) => {
    for (let i = 0; i < count; i++) await cache.getOrLoad(keyAt(i), loadProfile, SHARED);
  });
  const awaited = of('awaited lru-cache') / of('awaited cachecord');
  const synchronous = of('lru-cache') / of('cachecord');
  await cache.stop();
  report('Hits of frozen values beside a bare lru-cache, statistics on', [
    {
      what: 'awaited hit, of a bare `await` around `get`',
      measured: awaited.toFixed(2),
      goal: '≥ 0.90',
      holds: awaited >= 0.9,
    },
    {
      what: 'allocated by an awaited hit',
      measured: `${bytes.toFixed(0)} B`,
      goal: '≤ 400 B',
      holds: bytes <= 400,
    },
    {
      what: 'synchronous hit, of `get`',
      measured: synchronous.toFixed(2),
      goal: '≥ 0.60',
      holds: synchronous >= 0.6,
    },
  ]);
}

const ROW = { ...PROFILE, level: 7 };
const COPIED: Readonly<Record<string, unknown>> = {
  'a row of eight columns': ROW,
  'a nested object of 30 values': {
    id: '1',
    profile: { name: 'Ada', tags: ['a', 'b', 'c'], address: { city: 'x', geo: { lat: 0.1, lon: 0.2 } } },
    orders: Array.from({ length: 3 }, (_, i) => ({ id: i, lines: [{ product: 'x', amount: 2 }] })),
  },
  'a row with a Date': { ...PROFILE, at: new Date(5) },
  '1,000 rows of eight columns': Array.from({ length: 1_000 }, (_, i) => ({ ...ROW, id: String(i) })),
};

/** What it costs that each caller has a value of its own. */
async function copies(): Promise<void> {
  const cache = ourCache(50);
  const lines: string[] = [];
  for (const [name, value] of Object.entries(COPIED)) {
    const load = () => value;
    cache.set('user::copied', value);
    cache.set('user::frozen', value, SHARED);
    const isList = Array.isArray(value);
    const spread = (list: readonly object[]) => list.map((row) => ({ ...row }));
    const times = await inTurns(
      [
        {
          name: 'copied',
          run: (count) => {
            for (let i = 0; i < count; i++) cache.getOrLoadSync('user::copied', load);
          },
        },
        {
          name: 'frozen',
          run: (count) => {
            for (let i = 0; i < count; i++) cache.getOrLoadSync('user::frozen', load, SHARED);
          },
        },
        {
          name: 'spread',
          run: (count) => {
            for (let i = 0; i < count; i++) isList ? spread(value) : { ...(value as object) };
          },
        },
        {
          name: 'structuredClone',
          run: (count) => {
            for (let i = 0; i < count; i++) structuredClone(value);
          },
        },
      ],
      (of) => (isList ? 200 : of === 'structuredClone' ? 5_000 : 100_000),
    );
    const ns = (of: string) => (times.get(of) ?? Number.NaN).toFixed(0);
    lines.push(
      `${name}: copied ${ns('copied')} ns · frozen ${ns('frozen')} ns · { ...row } alone ${ns('spread')} ns · structuredClone ${ns('structuredClone')} ns`,
    );
  }
  await cache.stop();
  report('Synchronous hits, with what a copy costs', [], lines);
}

/** Everybody behind the same few calls, each an awaited read-through. */
async function besideThePeers(): Promise<void> {
  const peers = everybody(20_000, 50);
  for (const peer of peers) for (const key of KEYS) await peer.getOrLoad(key, loadProfile);
  const times = await inTurns(
    peers.map((peer) => ({ name: peer.name, run: (count) => awaitHits(peer, count) })),
    operationsOf,
  );
  report('Awaited hits of the peers', [], [peerLine(times)]);
  for (const peer of peers) await peer.stop?.();
}

async function awaitHits(peer: Peer, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await peer.getOrLoad(keyAt(i), loadProfile);
}

async function fills(): Promise<void> {
  // Small enough that every fill evicts, once warm.
  const entries = 10_000;
  const peers = everybody(entries, 5);
  let unique = 0;
  const times = await inTurns(
    peers.map((peer) => ({
      name: peer.name,
      run: async (count: number) => {
        for (let i = 0; i < count; i++) await peer.getOrLoad(`user::${unique++}::profile`, loadProfile);
      },
    })),
    (name) => operationsOf(name) / 4,
  );
  const ratio = (times.get('lru-cache') ?? Number.NaN) / (times.get('cachecord') ?? Number.NaN);
  report(
    'Miss and fill, unique keys, evicting',
    [
      {
        what: 'of lru-cache behind the same loader',
        measured: ratio.toFixed(2),
        goal: '≥ 0.25',
        holds: ratio >= 0.25,
      },
    ],
    [peerLine(times)],
  );
  for (const peer of peers) await peer.stop?.();
}

async function taggedHits(): Promise<void> {
  const plain = cachecord(50);
  const tagged = cachecord(50);
  for (const [i, key] of KEYS.entries()) {
    plain.set(key, { ...PROFILE });
    tagged.setTagged?.(key, { ...PROFILE }, `guild:${i % 200}`);
  }
  const run = (peer: Peer) => ({
    name: peer === plain ? 'plain' : 'tagged',
    run: (count: number) => awaitHits(peer, count),
  });
  const times = await inTurns([run(plain), run(tagged)], () => 100_000, 25);
  const ratio = (times.get('plain') ?? Number.NaN) / (times.get('tagged') ?? Number.NaN);
  report('Hit on a tagged entry', [
    { what: 'of an untagged one', measured: ratio.toFixed(2), goal: '≥ 0.90', holds: ratio >= 0.9 },
  ]);
  await plain.stop?.();
  await tagged.stop?.();
}

/** Everybody as a ratio of lru-cache, which is 1.00. */
function peerLine(times: ReadonlyMap<string, number>): string {
  const reference = times.get('lru-cache') ?? Number.NaN;
  return [...times]
    .map(([name, ns]) => `${name} ${(reference / ns).toFixed(2)} (${ns.toFixed(0)} ns)`)
    .join(' · ');
}

await againstBareLru();
await copies();
await besideThePeers();
await taggedHits();
await fills();
