/** Invalidation by pattern and tag at different sizes, and how long anything holds the event loop with a million entries. */
import { longestHold, median, type Row, report } from './measure.ts';
import { cacheable, cachifiedLru, lruCache, ourCache } from './peers.ts';

const KINDS = ['profile', 'wallet', 'vip', 'cart', 'settings'];
const MILLION = 1_000_000;

const idAt = (i: number) => `${100_000_000_000_000_000n + BigInt(i)}`;

function fillCache(entries: number) {
  const cache = ourCache(4_000);
  for (let user = 0; user < entries / KINDS.length; user++) {
    const id = idAt(user);
    for (const kind of KINDS) cache.set(`user::${id}::${kind}`, { id, kind }, { tags: [`person:${id}`] });
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
  const cache = fillCache(entries);
  const users = entries / KINDS.length;
  // Removed keys are put back, so that every round finds five.
  const again = (user: number) => {
    const id = idAt(user);
    for (const kind of KINDS) cache.set(`user::${id}::${kind}`, { id, kind }, { tags: [`person:${id}`] });
  };
  const rounds = (remove: (id: string) => unknown) => {
    const times: number[] = [];
    for (let i = 0; i < 2_000; i++) {
      const user = (i * 7_919) % users;
      times.push(microseconds(() => remove(idAt(user))));
      again(user);
    }
    return median(times.slice(500));
  };
  const pattern = rounds((id) => cache.invalidate(`user::${id}::*`));
  const tag = rounds((id) => cache.invalidate({ tag: `person:${id}` }));
  rows.push(
    {
      what: `\`user::ID::*\` covering 5 of ${entries.toLocaleString('en')}`,
      measured: `${pattern.toFixed(1)} µs`,
      goal: '< 10 µs',
      holds: pattern < 10,
    },
    {
      what: `tag of 5 of ${entries.toLocaleString('en')}`,
      measured: `${tag.toFixed(1)} µs`,
      goal: '< 10 µs',
      holds: tag < 10,
    },
  );
  await cache.stop();
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
  const ms = await longestHold(work);
  holds.push({ what, measured: `${ms.toFixed(1)} ms`, goal: '≤ 10 ms', holds: ms <= 10 });
}
let million = fillCache(MILLION);
await hold('statistics', async () => million.stats(100));
await hold('completion', async () => million.keys('user::', 25));
await hold('preview of `user::*`', () => million.preview('user::*'));
await hold('preview of `user::*::vip`', () => million.preview('user::*::vip'));
await hold('invalidate `user::*::vip` (200,000)', async () => million.invalidate('user::*::vip').pending);
await hold('invalidate `user::*` (800,000)', async () => million.invalidate('user::*').pending);
await million.stop();
million = fillCache(MILLION);
await hold('clear', async () => million.clear());
await million.stop();
report('Longest hold of the event loop, a million entries', holds);
