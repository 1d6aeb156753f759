/** I13: the end. What waits is saved within the deadline, and the rest is left to the next start. */
import { describe, expect, it } from 'vitest';
import { bench, rows, source } from './support.ts';

describe('I13: stop', () => {
  it('saves what waits, without waiting for company, and leaves nothing behind', async () => {
    const { behind, cache, clock, db } = bench();
    const shop = source<number>();
    const write = behind.writeBehind('n', shop.save, { maxDelayMs: 60_000, maxBatch: 2 });
    for (let n = 0; n < 5; n++) write.sync(`user::${n}`, n);
    expect(await behind.stop()).toEqual({ left: 0 });
    expect(shop.applied).toHaveLength(5);
    expect(rows(db)).toEqual([]);
    await cache.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tries what rests after a failure once more', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    shop.failWith(() => new Error('down'));
    behind.writeBehind('n', shop.save, { backoffMs: 60_000 }).sync('user::1', 1);
    await clock.advanceAsync(100);
    shop.recover();
    expect(await behind.stop()).toEqual({ left: 0 });
    expect(shop.values.get('user::1')).toBe(1);
  });

  it('resolves at the deadline when the source hangs, tells the saver, and leaves the rest in the journal', async () => {
    const { behind, clock, db, file, lines, die } = bench();
    const shop = source<number>();
    shop.hold();
    const write = behind.writeBehind('n', shop.save, { maxBatch: 1 });
    write.sync('user::1', 1);
    write.sync('user::2', 2);
    const stopping = behind.stop({ deadlineMs: 1_000 });
    await clock.advanceAsync(1_000);
    expect(await stopping).toEqual({ left: 2 });
    expect(shop.signals[0]?.reason).toMatchObject({ code: 'ERR_CLOSED' });
    expect(rows(db)).toHaveLength(2);
    expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { writes: 2 } });
    die();

    const next = bench(file);
    const saved = source<number>();
    next.behind.writeBehind('n', saved.save);
    await next.clock.settle();
    expect([...saved.values.values()]).toEqual([1, 2]);
  });

  it('takes no writes and no names afterwards, and may be called twice', async () => {
    const { behind } = bench();
    const write = behind.writeBehind('n', source().save);
    expect(await behind.stop()).toEqual({ left: 0 });
    expect(await behind.stop()).toEqual({ left: 0 });
    await expect(write('user::1', 1)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(() => write.sync('user::1', 1)).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    expect(() => behind.writeBehind('m', source().save)).toThrow(
      expect.objectContaining({ code: 'ERR_CLOSED' }),
    );
    await write.flush();
  });
});
