/** Measuring side by side: contestants take turns in short rounds, so that a machine whose speed drifts is fair to all. */
import { type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks';

export interface Contestant {
  readonly name: string;
  /** Runs `operations` operations. */
  run(operations: number): unknown;
}

/** Median nanoseconds an operation of each contestant, in processor time, so that a busy machine disturbs little. */
export async function inTurns(
  contestants: readonly Contestant[],
  operations: (name: string) => number,
  rounds = 15,
  warmUpRounds = 3,
): Promise<Map<string, number>> {
  const samples = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const { name, run } of contestants) {
      const count = operations(name);
      const before = process.cpuUsage();
      await run(count);
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) samples.get(name)?.push(((user + system) * 1_000) / count);
    }
  }
  return new Map([...samples].map(([name, taken]) => [name, median(taken)]));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Bytes that an operation allocates, from the growth of the heap between two collections that do not come. */
export async function allocatedBytes(
  operations: number,
  run: (operations: number) => unknown,
): Promise<number> {
  await run(operations);
  const grown: number[] = [];
  for (let i = 0; i < 9; i++) {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    await run(operations);
    grown.push((process.memoryUsage().heapUsed - before) / operations);
  }
  return median(grown);
}

export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('Start with --expose-gc: npm run bench');
  globalThis.gc();
}

/**
 * The longest time the event loop was held while `work` ran, in milliseconds of this thread's processor time, so that
 * another process on the machine is not mistaken for a hold; the same without V8's collections of garbage; and by the
 * wall, waiting for disks and other processes included.
 */
export async function longestHold(
  work: () => Promise<unknown>,
): Promise<{ readonly ms: number; readonly withoutGcMs: number; readonly wallMs: number }> {
  const turns: { readonly at: number; readonly until: number; readonly ms: number }[] = [];
  const collections: PerformanceEntry[] = [];
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  let last = { at: performance.now(), cpuMs: threadMs() };
  let watching = true;
  const tick = () => {
    const now = { at: performance.now(), cpuMs: threadMs() };
    const ms = now.cpuMs - last.cpuMs;
    if (now.at - last.at >= 1) turns.push({ at: last.at, until: now.at, ms });
    last = now;
    if (watching) setImmediate(tick);
  };
  setImmediate(tick);
  await new Promise((resolve) => setTimeout(resolve, 50));
  turns.length = 0;
  await work();
  await new Promise((resolve) => setTimeout(resolve, 50));
  watching = false;
  observer.disconnect();
  const gcMs = ({ at, until }: { readonly at: number; readonly until: number }) =>
    collections
      .filter(({ startTime }) => startTime >= at && startTime < until)
      .reduce((sum, { duration }) => sum + duration, 0);
  return {
    ms: Math.max(0, ...turns.map(({ ms }) => ms)),
    withoutGcMs: Math.max(0, ...turns.map((turn) => turn.ms - gcMs(turn))),
    wallMs: Math.max(0, ...turns.map(({ at, until }) => until - at)),
  };
}

/** Linux brings a thread's figure up to date every few milliseconds, or when the process is asked for its own. */
function threadMs(): number {
  process.cpuUsage();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly goal: string;
  readonly holds: boolean;
}

/** Prints what was measured, its goal, and whether it holds; peers, where there are any, come below. */
export function report(title: string, rows: readonly Row[], peers: readonly string[] = []): void {
  console.log(`\n## ${title}\n`);
  if (rows.length > 0) console.log('| what | measured | goal | holds |\n| --- | --- | --- | --- |');
  for (const { what, measured, goal, holds } of rows)
    console.log(`| ${what} | ${measured} | ${goal} | ${holds ? 'yes' : 'NO'} |`);
  for (const line of peers) console.log(`\n${line}`);
}
