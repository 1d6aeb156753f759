/** The bound of what waits: back-pressure first, then a typed error, and never a write that is half taken. */
import { describe, expect, it } from 'vitest';
import { bench, rows, source } from './support.ts';

function full(options: object = {}) {
  const made = bench();
  const shop = source<number>();
  shop.failWith(() => new Error('down'));
  const write = made.behind.writeBehind('n', shop.save, {
    maxPending: 2,
    maxWaitMs: 5_000,
    backoffMs: 60_000,
    ...options,
  });
  write.sync('user::1', 1);
  write.sync('user::2', 2);
  return { ...made, shop, write };
}

describe('a write for which there is no room', () => {
  it('waits for it, and is journalled when it comes', async () => {
    const { shop, write, clock, db } = full();
    let acknowledged = false;
    const waiting = write('user::3', 3).then(() => {
      acknowledged = true;
    });
    await clock.settle();
    expect(acknowledged).toBe(false);
    expect(rows(db)).toHaveLength(2);
    shop.recover();
    await clock.advanceAsync(100);
    await waiting;
    await clock.advanceAsync(100);
    expect(shop.values.get('user::3')).toBe(3);
  });

  it('is refused with ERR_BACKLOG_FULL after maxWaitMs, saying why, and nothing of it is written', async () => {
    const { write, clock, db, behind } = full();
    const waiting = expect(write('user::3', 3)).rejects.toMatchObject({
      code: 'ERR_BACKLOG_FULL',
      key: 'user::3',
      message: expect.stringMatching(
        /2 wait to be saved already. Nothing was written. The last failure: down/,
      ),
    });
    await clock.advanceAsync(5_000);
    await waiting;
    expect(rows(db)).toHaveLength(2);
    expect(behind.stats().writers).toMatchObject([{ waiting: 2, refused: 1 }]);
    expect(write.pending('user::3')).toEqual({ state: 'miss' });
  });

  it('is refused at once in synchronous code, and where it may not wait', async () => {
    const { write } = full({ maxWaitMs: 0 });
    expect(() => write.sync('user::3', 3)).toThrow(expect.objectContaining({ code: 'ERR_BACKLOG_FULL' }));
    await expect(write('user::3', 3)).rejects.toMatchObject({ code: 'ERR_BACKLOG_FULL' });
  });

  it('is taken all the same where it takes the place of one that waits', async () => {
    const { write, clock, shop } = full();
    await write('user::2', 20);
    shop.recover();
    await clock.advanceAsync(100);
    expect(shop.values.get('user::2')).toBe(20);
  });

  it('is not passed by a later write to its key', async () => {
    const { write, clock, shop } = full({ coalesce: false });
    const waiting = [write('user::3', 3), write('user::3', 4)];
    expect(() => write.sync('user::3', 5)).toThrow(expect.objectContaining({ code: 'ERR_BACKLOG_FULL' }));
    shop.recover();
    await clock.advanceAsync(1_000);
    await Promise.all(waiting);
    await clock.advanceAsync(1_000);
    expect(shop.applied.filter(({ key }) => key === 'user::3').map(({ value }) => value)).toEqual([3, 4]);
  });

  it('is refused with ERR_CLOSED when write-behind is stopped meanwhile', async () => {
    const { write, behind, clock } = full();
    const waiting = expect(write('user::3', 3)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    const stopping = behind.stop();
    await clock.advanceAsync(3_000);
    await stopping;
    await waiting;
  });
});
