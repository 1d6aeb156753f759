/** Invalidation by pattern and tag at different sizes, and how long anything holds the event loop with a million entries. */
import { longestHold, median, type Row, report } from './measure.ts';
import { cacheable, cachifiedLru, lruCache, ourCache } from './peers.ts';

const KINDS = ['profile', 'wallet', 'vip', 'cart', 'settings'];
const MILLION = 1_000_000;

const idAt = (i: number) => `${100_000_000_000_000_000n + BigInt(i)}`;

function fillCache(entries: number, tagged: boolean) {
  const cache = ourCache(4_000);
  for (let user = 0; user < entries / KINDS.length; user++) {
    const id = idAt(user);
    for (const kind of KINDS)
      cache.set(`user::${id}::${kind}`, { id, kind }, tagged ? { tags: [`person:${id}`] } : {});
  }
  return cache;
}

function microseconds(run: () => unknown): number {
  const beganAt = process.hrtime.bigint();
  run();
  return Number(process.hrtime.bigint() - beganAt) / 1_000;
}

const rows: Row[] = [];
for (const entries of [1_000, MILLION]) {
  for (const tagged of [false, true]) {
    const cache = fillCache(entries, tagged);
    const times: number[] = [];
    for (let i = 0; i < 4_000; i++) {
      const id = idAt((i * 7_919) % (entries / KINDS.length));
      times.push(microseconds(() => cache.invalidate(tagged ? { tag: `person:${id}` } : `user::${id}::*`)));
      // What was removed is put back, so that every round finds five.
      for (const kind of KINDS) {
        cache.set(`user::${id}::${kind}`, { id, kind }, tagged ? { tags: [`person:${id}`] } : {});
      }
    }
    await cache.stop();
    const took = median(times.slice(1_000));
    rows.push({
      what: `${tagged ? 'a tag' : '`user::ID::*`'} covering 5 of ${entries.toLocaleString('en')}`,
      measured: `${took.toFixed(1)} µs`,
      goal: '< 10 µs',
      holds: took < 10,
    });
  }
}

const peers: string[] = [];
for (const make of [lruCache, cachifiedLru, cacheable]) {
  const peer = make(MILLION + 1);
  for (let user = 0; user < 200_000 / KINDS.length; user++) {
    for (const kind of KINDS) await peer.set(`user::${idAt(user)}::${kind}`, { kind });
  }
  const times: number[] = [];
  for (let i = 0; i < 3; i++) times.push(microseconds(() => peer.removePrefix?.(`user::${idAt(i * 7)}::`)));
  peers.push(`${peer.name} at 200,000: ${(median(times) / 1_000).toFixed(0)} ms`);
  await peer.stop?.();
}
report('Invalidation of five entries', rows, [peers.join(' · ')]);

const holds: Row[] = [];
async function hold(what: string, work: () => Promise<unknown>): Promise<void> {
  globalThis.gc?.();
  const { ms, withoutGcMs } = await longestHold(work);
  holds.push({
    what,
    measured: `${ms.toFixed(1)} ms (${withoutGcMs.toFixed(1)})`,
    goal: '≤ 10 ms',
    holds: withoutGcMs <= 10,
  });
}
let million = fillCache(MILLION, false);
await hold('statistics', async () => million.stats(100));
await hold('completion', async () => million.keys('user::', 25));
await hold('preview of `user::*`', () => million.preview('user::*'));
await hold('preview of `user::*::vip`', () => million.preview('user::*::vip'));
await hold('invalidate `user::*::vip` (200,000)', async () => million.invalidate('user::*::vip').pending);
await hold('invalidate `user::*` (800,000)', async () => million.invalidate('user::*').pending);
await million.stop();
million = fillCache(MILLION, false);
await hold('clear', async () => million.clear());
await million.stop();
million = ourCache(4_000);
for (let i = 0; i < MILLION; i++) {
  million.set(`products::${i}`, i, i < 200_000 ? { dependsOn: ['config::rates'] } : {});
}
await hold(
  'invalidate a key with 200,000 dependants',
  async () => million.invalidate('config::rates').pending,
);
await hold('fills beyond 1,048,576 entries', async () => {
  for (let i = 0; i < 300_000; i++) {
    million.set(`query::search::${i}`, i);
    if (i % 100 === 0) await new Promise((done) => setImmediate(done));
  }
});
await million.stop();
report('Longest hold of the event loop, a million entries (without the garbage collector)', holds);
