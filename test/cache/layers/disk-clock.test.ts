/** The machine's clock, which people and NTP set, and what lies on disk: no entry lives longer than its ttl. */
import { expect, it } from 'vitest';
import { handClock } from '../../support/hand-clock.ts';
import { placeForEach } from './support.ts';

const place = placeForEach();
const HOUR_MS = 3_600_000;
const AT = Date.UTC(2026, 0, 1, 12);

/** Starts with the machine's clock at that time. */
const startAt = (at: number) => place.start({ clock: handClock(at) });

it('what was written in the future is loaded anew when the clock is right again', async () => {
  const ahead = startAt(AT + HOUR_MS);
  ahead.set('config::a', 'old', { ttlMs: 4 * HOUR_MS });
  await ahead.stop();
  const right = startAt(AT);
  expect(right.getOrLoadSync('config::a', () => 'new')).toBe('new');
  expect(right.stats().disk).toMatchObject({ hits: 0, unproven: 1 });
});

it('what was written before a clock was set back is not believed, though its time is in the past', async () => {
  const clock = handClock(AT);
  const first = place.start({ clock });
  first.set('config::a', 'old', { ttlMs: 4 * HOUR_MS });
  clock.advance(HOUR_MS / 2);
  await first.stop();
  const setBack = startAt(AT + HOUR_MS / 4);
  expect(setBack.getOrLoadSync('config::a', () => 'new')).toBe('new');
  setBack.set('config::b', 'kept', { ttlMs: 4 * HOUR_MS });
  await setBack.stop();
  const next = startAt(AT + HOUR_MS / 3);
  expect(next.get('config::b')).toBe('kept');
});

it('a clock that was set forward ends entries early, and nothing is to be loaded twice', async () => {
  const first = startAt(AT);
  first.set('config::a', 'old', { ttlMs: HOUR_MS });
  await first.stop();
  const next = startAt(AT + 24 * HOUR_MS);
  expect(next.getOrLoadSync('config::a', () => 'new')).toBe('new');
  expect(next.get('config::a')).toBe('new');
});
