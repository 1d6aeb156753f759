/** At least once becomes exactly once in effect, for writes that are not idempotent by themselves. */
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { applyOnce } from '../../src/write-behind/apply-once.ts';
import type { SaveItem } from '../../src/write-behind/types.ts';

const context = { signal: new AbortController().signal };
const item = (idempotencyKey: string, value: number): SaveItem<number> => ({
  key: `points::${value}`,
  value,
  idempotencyKey,
  attempt: 1,
});

function points(apply?: (add: (value: number) => void, item: SaveItem<number>) => void, now = () => 0) {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  db.exec('CREATE TABLE points (sum INTEGER); INSERT INTO points VALUES (0)');
  const statement = db.prepare('UPDATE points SET sum = sum + ?');
  const add = (value: number) => void statement.run(value);
  const save = applyOnce<number>(db, (one) => (apply ?? ((run, { value }) => run(value)))(add, one), {
    now,
    keepMs: 1_000,
  });
  return { db, save, sum: () => db.prepare('SELECT sum FROM points').pluck().get() };
}

describe('applyOnce', () => {
  it('applies each write once, however often it comes', () => {
    const { save, sum } = points();
    save([item('a', 1), item('b', 10)], context);
    save([item('b', 10), item('c', 100)], context);
    expect(sum()).toBe(111);
  });

  it('applies all of a batch or none of it, so that it can be tried again', () => {
    let isBroken = true;
    const { save, sum, db } = points((add, { value }) => {
      if (value === 10 && isBroken) throw new Error('bad');
      add(value);
    });
    expect(() => save([item('a', 1), item('b', 10)], context)).toThrow('bad');
    expect(sum()).toBe(0);
    expect(db.inTransaction).toBe(false);
    isBroken = false;
    save([item('a', 1), item('b', 10)], context);
    expect(sum()).toBe(11);
  });

  it('forgets what is older than keepMs', () => {
    let now = 0;
    const { save, db } = points(undefined, () => now);
    save([item('a', 1)], context);
    now = 2_000;
    save([item('b', 1)], context);
    expect(db.prepare('SELECT key FROM idempotency').pluck().all()).toEqual(['b']);
  });
});
