/**
 * A clock that stands still until a test turns it. Due timers run in the order of their instants (those of one
 * instant in the order they were set), each with the clock showing its own instant, so a test sees what would
 * really happen, at once.
 */
import type { Clock } from '../../src/cache/clock.ts';

export interface HandClock extends Clock {
  /** Turns the clock by `ms` and runs what falls due, timers set meanwhile included. Synchronous. */
  advance(ms: number): void;
  /** The same, letting promises settle before each due timer and after the last one. */
  advanceAsync(ms: number): Promise<void>;
  /** Sets the machine's clock, which only `wallNow` shows, forward or back. */
  setWallBy(ms: number): void;
  /** Lets pending promises, and slices that await `yield`, go on until nothing more happens by itself. */
  settle(): Promise<void>;
  /** How many timers are set and not cancelled: 0 after a clean end. */
  readonly pendingTimers: number;
  /** How long until the next timer; `undefined` when none is set. */
  readonly nextTimerInMs: number | undefined;
  /** How often `yield` was awaited. */
  readonly yields: number;
}

/** Turns of the event loop that {@link HandClock.settle} waits: more than any chain of awaits in our tests. */
const SETTLING_TURNS = 25;

/** @param epochOriginAt the epoch milliseconds of instant 0; by default 2026-01-01T00:00:00Z */
export function handClock(epochOriginAt: number = Date.UTC(2026, 0, 1)): HandClock {
  let now = 0;
  let wallOffset = 0;
  let yields = 0;
  let order = 0;
  const timers = new Map<number, { readonly dueAt: number; readonly run: () => void }>();

  const after = (delayMs: number, run: () => void): (() => void) => {
    const id = order++;
    timers.set(id, { dueAt: now + Math.max(0, delayMs), run });
    return () => void timers.delete(id);
  };
  const next = (): readonly [id: number, dueAt: number] | undefined => {
    let found: readonly [number, number] | undefined;
    for (const [id, { dueAt }] of timers) if (!found || dueAt < found[1]) found = [id, dueAt];
    return found;
  };
  const runNextUntil = (untilAt: number): boolean => {
    const due = next();
    if (!due || due[1] > untilAt) return false;
    const timer = timers.get(due[0]);
    timers.delete(due[0]);
    now = Math.max(now, due[1]);
    timer?.run();
    return true;
  };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const settle = async () => {
    for (let turns = 0; turns < SETTLING_TURNS; turns++) await turn();
  };

  return {
    now: () => Math.floor(now),
    precise: () => now,
    epochAt: (at) => epochOriginAt + at,
    wallNow: () => epochOriginAt + wallOffset + now,
    setWallBy(ms) {
      wallOffset += ms;
    },
    after,
    every(intervalMs, run) {
      let cancel = after(intervalMs, function tick() {
        cancel = after(intervalMs, tick);
        run();
      });
      return () => cancel();
    },
    yield() {
      yields++;
      return turn();
    },
    advance(ms) {
      const untilAt = now + ms;
      while (runNextUntil(untilAt));
      now = untilAt;
    },
    async advanceAsync(ms) {
      const untilAt = now + ms;
      await settle();
      while (runNextUntil(untilAt)) await settle();
      now = untilAt;
      await settle();
    },
    settle,
    get pendingTimers() {
      return timers.size;
    },
    get nextTimerInMs() {
      const due = next();
      return due && due[1] - now;
    },
    get yields() {
      return yields;
    },
  };
}
