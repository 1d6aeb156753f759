/** What goes wrong while something else goes on: a journal that takes no decision, an end in the midst of a save. */
import { describe, expect, it } from 'vitest';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import { bench, openFile, rows, source } from './support.ts';

const KEY = 'user::1::seen';

/** A bench with a write on the list of those that can't be saved. */
async function withDead(options: object = {}) {
  const all = bench();
  const shop = source<number>();
  shop.failWith(() => new Error('down'));
  const write = all.behind.writeBehind<number>('n', shop.save, { maxAttempts: 1, ...options });
  write.sync(KEY, 1);
  await all.clock.advanceAsync(1_000);
  expect(all.behind.stats().dead).toBe(1);
  return { ...all, shop, write };
}

/** From here on the file takes no removals, until what is returned is called. */
function refuseRemovals(db: ReturnType<typeof openFile>): () => void {
  db.exec("CREATE TEMP TRIGGER stuck BEFORE DELETE ON main.writes BEGIN SELECT RAISE(ABORT, 'stuck'); END");
  return () => void db.exec('DROP TRIGGER stuck');
}

describe('a decision that the journal does not take', () => {
  it('drops nothing, now or later', async () => {
    const { behind, db, shop, write } = await withDead();
    const recover = refuseRemovals(db);
    expect(() => behind.drop('all')).toThrow('stuck');
    recover();
    write.sync('user::2::seen', 2);
    expect(behind.list().map(({ key }) => key)).toEqual([KEY]);
    shop.recover();
    expect(behind.retry('all')).toBe(1);
    await write.flush();
    expect(shop.values.get(KEY)).toBe(1);
  });
});

describe('a write that is tried again on request', () => {
  it('is dropped no more while it is being saved', async () => {
    const { behind, clock, shop } = await withDead();
    shop.recover();
    shop.hold();
    expect(behind.retry('all')).toBe(1);
    await clock.settle();
    expect([behind.drop('all'), behind.retry('all')]).toEqual([0, 0]);
    shop.release();
    await clock.settle();
    expect(shop.values.get(KEY)).toBe(1);
    expect(behind.stats()).toMatchObject({ waiting: 0, dead: 0 });
  });
});

describe('a list that a restart makes shorter', () => {
  it('takes no more, and what it has stays on it', async () => {
    const first = bench();
    const shop = source<number>();
    shop.failWith(() => new Error('down'));
    const write = first.behind.writeBehind<number>('n', shop.save, { maxAttempts: 1 });
    for (let n = 0; n < 3; n++) write.sync(`user::${n}::seen`, n);
    await first.clock.advanceAsync(1_000);
    first.die();

    const next = bench(first.file);
    const again = next.behind.writeBehind<number>('n', shop.save, { maxAttempts: 1, maxDead: 1 });
    for (let n = 3; n < 9; n++) again.sync(`user::${n}::seen`, n);
    await next.clock.advanceAsync(1_000);
    expect(next.behind.stats()).toMatchObject({ dead: 3, waiting: 6 });
  });
});

describe('room that is made by forgetting', () => {
  it('is given to who waits for it, though nothing is saved for the moment', async () => {
    const { behind, clock, db } = bench();
    const shop = source<number>();
    shop.failWith(() => new Error('down'));
    const write = behind.writeBehind<number>('n', shop.save, { maxPending: 1, backoffMs: 300_000 });
    write.sync(KEY, 1);
    await clock.advanceAsync(1_000);
    const waiting = write('user::2::seen', 2);
    behind.forget('user::1::*');
    await clock.settle();
    await waiting;
    expect(rows(db).map(({ key }) => key)).toEqual(['user::2::seen']);
  });
});

describe('an end in the midst of a save', () => {
  it('I13: leaves no timer of its timeout', async () => {
    const { behind, cache, clock } = bench();
    const shop = source<number>();
    shop.hold();
    behind.writeBehind<number>('n', shop.save, { saveTimeoutMs: 60_000 }).sync(KEY, 1);
    await clock.advanceAsync(1_000);
    const stopping = behind.stop({ deadlineMs: 100 });
    await clock.advanceAsync(100);
    await stopping;
    await cache.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is no harm when the save succeeds after the journal was closed: it is replayed', async () => {
    const { behind, clock, die, file } = bench();
    const shop = source<number>();
    shop.hold();
    behind.writeBehind<number>('n', shop.save).sync(KEY, 1);
    await clock.advanceAsync(1_000);
    const stopping = behind.stop({ deadlineMs: 100 });
    await clock.advanceAsync(100);
    await stopping;
    die();
    shop.release();
    await clock.settle();
    const next = bench(file);
    const saved = source<number>();
    next.behind.writeBehind<number>('n', saved.save);
    await next.clock.settle();
    expect(saved.applied.map(({ attempt, value }) => [attempt, value])).toEqual([[2, 1]]);
    expect(saved.applied[0]?.idempotencyKey).toBe(shop.applied[0]?.idempotencyKey);
  });

  it('hands its keys to whoever takes the name again in the same process', async () => {
    const { behind, cache, clock, die, file } = bench();
    const shop = source<number>();
    shop.failWith(() => new Error('down'));
    behind.writeBehind<number>('n', shop.save).sync(KEY, 1);
    await clock.settle();
    await behind.stop();
    die();
    const db = openJournal(file, openFile);
    const next = createWriteBehind(db, cache);
    shop.recover();
    const write = next.writeBehind<number>('n', shop.save);
    write.sync(KEY, 2);
    cache.clear();
    expect(cache.getOrLoadSync(KEY, () => shop.values.get(KEY))).toBe(2);
    await write.flush();
    expect(cache.getOrLoadSync(KEY, () => 'of the source')).toBe('of the source');
    db.close();
  });
});

describe('keys and names that objects have already', () => {
  it('are keys and names like others', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    const names = ['__proto__', 'constructor', 'toString'];
    for (const name of names) {
      const write = behind.writeBehind<number>(name, shop.save);
      for (const key of names) write.sync(key, 1);
      expect(write.pending('__proto__')).toEqual({ state: 'hit', value: 1 });
      expect(write.pending('hasOwnProperty')).toEqual({ state: 'miss' });
    }
    await clock.advanceAsync(1_000);
    expect(shop.applied).toHaveLength(9);
    expect(behind.stats().waiting).toBe(0);
  });
});

describe('thousands who wait for room', () => {
  it('are all refused when it does not come, and all served in their order when it does', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    shop.hold();
    const write = behind.writeBehind<number>('n', shop.save, { maxPending: 1, maxBatch: 1 });
    await write(KEY, 0);
    await clock.advanceAsync(200);
    const early = Array.from({ length: 5_000 }, (_, n) => write(`user::${n}::early`, n));
    const refused = Promise.allSettled(early);
    await clock.advanceAsync(5_000);
    expect((await refused).every(({ status }) => status === 'rejected')).toBe(true);
    const late = Promise.all(Array.from({ length: 200 }, (_, n) => write(`user::${n}::late`, n)));
    shop.release();
    await clock.advanceAsync(4_000);
    await late;
    await behind.flush();
    expect(shop.applied.slice(1).map(({ value }) => value)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });
});
