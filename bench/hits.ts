/** Hits and fills: what a lookup costs beside a bare lru-cache and the peers. */
import { allocatedBytes, inTurns, report } from './measure.ts';
import { cachecord, everybody, type Peer } from './peers.ts';

const KEYS = Array.from(
  { length: 1_000 },
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

const keyAt = (i: number) => KEYS[i % KEYS.length] ?? '';

/** Slow peers run fewer operations a round; the figure is per operation. */
const operationsOf = (name: string) => (name === 'lru-cache' || name === 'cachecord' ? 200_000 : 20_000);

async function awaitedHits(): Promise<void> {
  const peers = everybody(10_000, 50);
  for (const peer of peers) for (const key of KEYS) await peer.getOrLoad(key, loadProfile);
  const times = await inTurns(
    peers.map((peer) => ({ name: peer.name, run: (count) => awaitHits(peer, count) })),
    operationsOf,
  );
  // The bare await around lru-cache's get, without even a function of one's own.
  const bare = await bareAwait();
  const ours = cachecord(50);
  for (const key of KEYS) await ours.getOrLoad(key, loadProfile);
  const bytes = await allocatedBytes(20_000, (count) => awaitHits(ours, count));
  const ratio = bare.lru / bare.ours;
  report(
    'Awaited hit, statistics on',
    [
      {
        what: 'of a bare `await` around lru-cache `get`',
        measured: ratio.toFixed(2),
        goal: '≥ 0.90',
        holds: ratio >= 0.9,
      },
      { what: 'allocated a hit', measured: `${bytes.toFixed(0)} B`, goal: '≤ 400 B', holds: bytes <= 400 },
    ],
    [peerLine(times)],
  );
  for (const peer of [...peers, ours]) await peer.stop?.();
}

async function awaitHits(peer: Peer, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await peer.getOrLoad(keyAt(i), loadProfile);
}

async function bareAwait(): Promise<{ lru: number; ours: number }> {
  const { LRUCache } = await import('lru-cache');
  const { ourCache } = await import('./peers.ts');
  const lru = new LRUCache<string, object>({ max: 10_000 });
  const cache = ourCache(50);
  for (const key of KEYS) {
    lru.set(key, { ...PROFILE });
    cache.set(key, { ...PROFILE });
  }
  const contestants = [
    {
      name: 'lru',
      run: async (count: number) => {
        for (let i = 0; i < count; i++) await lru.get(keyAt(i));
      },
    },
    {
      name: 'ours',
      run: async (count: number) => {
        for (let i = 0; i < count; i++) await cache.getOrLoad(keyAt(i), loadProfile);
      },
    },
  ];
  const times = await inTurns(contestants, () => 200_000, 25);
  await cache.stop();
  return { lru: times.get('lru') ?? Number.NaN, ours: times.get('ours') ?? Number.NaN };
}

async function synchronousHits(): Promise<void> {
  const { LRUCache } = await import('lru-cache');
  const lru = new LRUCache<string, object>({ max: 10_000 });
  const peers = everybody(10_000, 50).filter(
    (peer) => peer.getOrLoadSync !== undefined && peer.name !== 'lru-cache',
  );
  for (const key of KEYS) {
    lru.set(key, { ...PROFILE });
    for (const peer of peers) peer.getOrLoadSync?.(key, loadProfileSync);
  }
  const contestants = [
    {
      name: 'lru-cache',
      run: (count: number) => {
        for (let i = 0; i < count; i++) lru.get(keyAt(i));
      },
    },
    ...peers.map((peer) => ({
      name: peer.name,
      run: (count: number) => {
        for (let i = 0; i < count; i++) peer.getOrLoadSync?.(keyAt(i), loadProfileSync);
      },
    })),
  ];
  const times = await inTurns(contestants, (name) => operationsOf(name) * 2, 25);
  const ratio = (times.get('lru-cache') ?? Number.NaN) / (times.get('cachecord') ?? Number.NaN);
  report(
    'Synchronous hit',
    [{ what: 'of lru-cache `get`', measured: ratio.toFixed(2), goal: '≥ 0.60', holds: ratio >= 0.6 }],
    [peerLine(times)],
  );
  for (const peer of peers) await peer.stop?.();
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

await awaitedHits();
await synchronousHits();
await taggedHits();
await fills();
