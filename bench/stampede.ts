/** A thousand callers of one cold key: how many loads, and how long beyond the loader's own time. */
import { setTimeout as wait } from 'node:timers/promises';
import { median, report } from './measure.ts';
import { everybody, type Peer } from './peers.ts';

const CALLERS = 1_000;
const LOADER_MS = 20;

interface Outcome {
  readonly loads: number;
  readonly overMs: number;
}

async function stampede(peer: Peer, key: string, rejects: boolean): Promise<Outcome> {
  let loads = 0;
  let loaderMs = 0;
  const load = async () => {
    loads++;
    const beganAt = performance.now();
    await wait(LOADER_MS);
    loaderMs = performance.now() - beganAt;
    if (rejects) throw new Error('The database is away.');
    return { value: 1 };
  };
  const beganAt = performance.now();
  await Promise.allSettled(Array.from({ length: CALLERS }, () => peer.getOrLoad(key, load)));
  return { loads, overMs: performance.now() - beganAt - loaderMs };
}

const peers = everybody(10_000, 50);
const lines: string[] = [];
const rows = [];
for (const rejects of [false, true]) {
  const what = rejects ? 'loads when it rejects' : 'loads';
  for (const peer of peers) {
    const outcomes: Outcome[] = [];
    // Peers that ask the loader once a caller, one after the other, take half a minute a round: once is enough.
    const rounds = peer.name === 'cachecord' ? 15 : 1;
    for (let i = 0; i < rounds; i++) {
      outcomes.push(await Promise.race([stampede(peer, `cold::${rejects}::${i}`, rejects), gaveUp()]));
    }
    const loads = Math.max(...outcomes.map((outcome) => outcome.loads));
    const overMs = median(outcomes.map((outcome) => outcome.overMs));
    lines.push(`${peer.name}: ${loads} ${what}, ${overMs.toFixed(1)} ms beyond the loader`);
    if (peer.name !== 'cachecord') continue;
    rows.push({ what: `${CALLERS} callers, ${what}`, measured: `${loads}`, goal: '1', holds: loads === 1 });
    rows.push({
      what: 'beyond the loader',
      measured: `${overMs.toFixed(2)} ms`,
      goal: '≤ 1 ms',
      holds: overMs <= 1,
    });
  }
}

async function gaveUp(): Promise<Outcome> {
  await wait(30_000, undefined, { ref: false });
  return { loads: Number.NaN, overMs: 30_000 };
}

report('A thousand callers of one cold key', rows, [lines.join(' · ')]);
for (const peer of peers) await peer.stop?.();
process.exit(0);
