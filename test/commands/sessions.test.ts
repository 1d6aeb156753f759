import { describe, expect, it } from 'vitest';
import { Sessions } from '../../src/commands/sessions.ts';
import { handClock } from '../support/hand-clock.ts';

const MINUTE_MS = 60_000;

function opened(lifeMs = MINUTE_MS) {
  const clock = handClock();
  const sessions = new Sessions<string>('cache-clear');
  const expired: string[] = [];
  const session = sessions.open({
    clock,
    userId: 'asker',
    state: 'a question',
    lifeMs,
    onExpire: ({ state }) => expired.push(state),
  });
  return { clock, sessions, session, expired };
}

describe('a panel', () => {
  it('is named by command, action and nonce in at most 100 characters', () => {
    const { session } = opened();
    expect(session.id('confirm-warm')).toMatch(/^cacheadmin:1:cache-clear:confirm-warm:[\w-]{12}$/);
    expect(session.id('confirm-warm').length).toBeLessThanOrEqual(100);
  });

  it('answers to nobody but who opened it', () => {
    const { sessions, session } = opened();
    expect(sessions.press(session.nonce, 'stranger')).toEqual({ kind: 'not-yours' });
    expect(sessions.press(session.nonce, 'asker')).toEqual({ kind: 'open', session });
  });

  it('is unknown under any other nonce', () => {
    const { sessions } = opened();
    for (const nonce of [undefined, '', 'x', '__proto__']) {
      expect(sessions.press(nonce, 'asker')).toEqual({ kind: 'unknown' });
    }
  });

  it('ends by the clock, once, and is unknown afterwards', () => {
    const { clock, sessions, session, expired } = opened();
    clock.advance(MINUTE_MS - 1);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual(['a question']);
    expect(sessions.press(session.nonce, 'asker')).toEqual({ kind: 'unknown' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets one of two presses end it, and tells the other what became of it', () => {
    const { clock, sessions, session, expired } = opened();
    expect(sessions.end(session, clock, 'Being worked on.')).toBe(true);
    expect(sessions.end(session, clock, '42 entries cleared.')).toBe(false);
    expect(sessions.press(session.nonce, 'asker')).toEqual({ kind: 'over', outcome: '42 entries cleared.' });
    clock.advance(60 * MINUTE_MS);
    expect(expired, 'what was ended does not expire').toEqual([]);
    expect(sessions.size).toBe(0);
  });

  it('leaves when too many are open, the oldest first', () => {
    const clock = handClock();
    const sessions = new Sessions<number>('cache-stats', 3);
    const all = [1, 2, 3, 4].map((state) =>
      sessions.open({ clock, userId: 'asker', state, lifeMs: MINUTE_MS }),
    );
    expect(sessions.size).toBe(3);
    expect(clock.pendingTimers).toBe(3);
    expect(all.map(({ nonce }) => sessions.press(nonce, 'asker').kind)).toEqual([
      'unknown',
      'open',
      'open',
      'open',
    ]);
  });

  it('I13: leaves no timer when the commands stop, and opens none after', () => {
    const { clock, sessions, expired } = opened();
    sessions.stop();
    sessions.open({ clock, userId: 'asker', state: 'late', lifeMs: MINUTE_MS });
    expect(clock.pendingTimers).toBe(0);
    clock.advance(MINUTE_MS);
    expect(expired).toEqual([]);
  });
});
