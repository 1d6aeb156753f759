/** What the feed does while somebody else holds the database: it waits for nobody, and believes what it may. */
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { makeFolder, SHOP, watch } from './support.ts';

/** Long enough to be told from what a slow machine does. */
const BUSY_TIMEOUT_MS = 5_000;
const PAY = "UPDATE users SET cents = cents + 1 WHERE id = '1'";

function begin(journalMode: 'DELETE' | 'WAL') {
  const folder = makeFolder();
  const open = () => {
    const opened = new Database(folder.file(), { timeout: BUSY_TIMEOUT_MS });
    opened.pragma(`journal_mode = ${journalMode}`);
    opened.pragma('synchronous = OFF');
    return opened;
  };
  const db = open();
  db.exec(`${SHOP} INSERT INTO users (id, name, cents) VALUES ('1', 'Ada', 100), ('2', 'Bob', 200)`);
  const watched = watch(db, { users: 'user::{id}' });
  const other = open();
  let asked = 0;
  const wallet = cachedSync(
    watched.sql.cache,
    (id: string) => {
      asked++;
      return db.prepare('SELECT cents FROM users WHERE id = ?').pluck().get(id);
    },
    { key: 'user::{0}' },
  );
  onTestFinished(async () => {
    watched.feed.stop();
    await watched.cache.stop();
    other.close();
    db.close();
    folder.remove();
  });
  return { ...watched, other, wallet, asked: () => asked };
}

/** How long something takes, in real milliseconds. */
async function took<T>(run: () => T | Promise<T>): Promise<{ ms: number; result: T }> {
  const beganAt = performance.now();
  const result = await run();
  return { ms: performance.now() - beganAt, result };
}

const AT_ONCE = BUSY_TIMEOUT_MS / 2;

describe('I12: while somebody holds the database', () => {
  it('a poll does not wait, and is made up for by the next one', async () => {
    const { other, cache, wallet, db, gaps, messages, asked } = begin('DELETE');
    wallet('1');
    wallet('2');
    other.exec(`BEGIN EXCLUSIVE; ${PAY}`);
    expect((await took(() => cache.clock.advanceAsync(750))).ms).toBeLessThan(AT_ONCE);
    expect([wallet('1'), asked()]).toEqual([100, 2]);
    other.exec('COMMIT');
    await cache.clock.advanceAsync(250);
    expect([wallet('1'), wallet('2'), asked()]).toEqual([101, 200, 3]);
    expect(db.pragma('busy_timeout', { simple: true })).toBe(BUSY_TIMEOUT_MS);
    expect([gaps, messages]).toEqual([[], []]);
  });

  it('neither does `drain`, which says so and leaves what is cached', async () => {
    const { other, feed, cache, wallet } = begin('DELETE');
    wallet('1');
    other.exec('BEGIN EXCLUSIVE');
    const { ms, result } = await took(() => feed.drain());
    expect(ms).toBeLessThan(AT_ONCE);
    expect([result, cache.has('user::1')]).toEqual([false, true]);
    other.exec('ROLLBACK');
    expect(feed.drain()).toBe(true);
  });

  it('what this connection has written and cannot read sends reads to the database', async () => {
    const { db, other, cache, sql, wallet, asked } = begin('DELETE');
    wallet('1');
    wallet('2');
    db.exec(PAY);
    other.exec('BEGIN EXCLUSIVE');
    const { ms, result } = await took(() => sql.cache.get('user::1'));
    expect(ms).toBeLessThan(AT_ONCE);
    expect([result, sql.cache.has('user::2'), cache.has('user::2')]).toEqual([undefined, false, true]);
    // A read waits as it would without a cache.
    db.pragma('busy_timeout = 0');
    expect(() => wallet('2')).toThrow('locked');
    other.exec('COMMIT');
    expect([wallet('1'), wallet('2'), asked()]).toEqual([101, 200, 4]);
  });

  it('I13: an end does not wait', async () => {
    const { db, other, feed, wallet } = begin('DELETE');
    wallet('1');
    db.exec(PAY);
    other.exec('BEGIN EXCLUSIVE');
    expect((await took(() => feed.stop())).ms).toBeLessThan(AT_ONCE);
    expect(db.pragma('busy_timeout', { simple: true })).toBe(BUSY_TIMEOUT_MS);
    other.exec('ROLLBACK');
  });

  it('I9: triggers that are gone, and cannot be put back meanwhile, leave nothing to be believed', async () => {
    const { other, cache, wallet, messages } = begin('WAL');
    wallet('1');
    const triggers = other
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'users'")
      .pluck()
      .all();
    for (const name of triggers) other.exec(`DROP TRIGGER "${name}"`);
    other.exec(PAY);
    other.exec('BEGIN IMMEDIATE');
    expect((await took(() => cache.clock.advanceAsync(250))).ms).toBeLessThan(AT_ONCE);
    expect(wallet('1')).toBe(101);
    await cache.clock.advanceAsync(250);
    expect(cache.has('user::1')).toBe(false);
    other.exec(`${PAY}; COMMIT`);
    await cache.clock.advanceAsync(250);
    expect(wallet('1')).toBe(102);
    other.exec(PAY);
    await cache.clock.advanceAsync(250);
    expect(wallet('1')).toBe(103);
    expect(messages).toEqual([expect.stringContaining('were put back')]);
  });
});
