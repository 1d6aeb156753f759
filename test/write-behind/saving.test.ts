/** The way of a write to the source: order, coalescing, batches, and what happens when a save fails. */
import { describe, expect, it } from 'vitest';
import { restMs } from '../../src/write-behind/backoff.ts';
import { bench, rows, source } from './support.ts';

const KEY = 'user::1::n';

describe('writes to one key', () => {
  it('are coalesced: of several that wait, the last is saved', async () => {
    const { behind, clock, db } = bench();
    const shop = source<number>();
    const write = behind.writeBehind('n', shop.save);
    for (const n of [1, 2, 3]) await write(KEY, n);
    expect(rows(db)).toHaveLength(1);
    await clock.advanceAsync(100);
    expect(shop.applied.map(({ value }) => value)).toEqual([3]);
    expect(behind.stats().writers).toMatchObject([{ saved: 1, coalesced: 2 }]);
  });

  it('are all saved, in their order and one after another, where each counts', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    const write = behind.writeBehind('n', shop.save, { coalesce: false, concurrency: 4 });
    for (const n of [1, 2, 3]) await write(KEY, n);
    shop.hold();
    await clock.advanceAsync(100);
    expect(shop.batches.map((batch) => batch.map(({ value }) => value))).toEqual([[1]]);
    shop.release();
    await clock.advanceAsync(1_000);
    expect(shop.applied.map(({ value }) => value)).toEqual([1, 2, 3]);
  });

  it('keep their order when one fails: none passes it', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    shop.failWith(([first]) => (first?.value === 1 && first.attempt < 3 ? new Error('busy') : undefined));
    const write = behind.writeBehind('n', shop.save, { coalesce: false });
    for (const n of [1, 2]) await write(KEY, n);
    await clock.advanceAsync(10_000);
    expect(shop.applied.map(({ value, attempt }) => [value, attempt])).toEqual([
      [1, 3],
      [2, 1],
    ]);
  });

  it('a write made while an older one is saved waits for it, and one that failed meanwhile is not tried again', async () => {
    const { behind, clock, db } = bench();
    const shop = source<number>();
    const write = behind.writeBehind('n', shop.save);
    await write(KEY, 1);
    shop.hold();
    shop.failWith(() => new Error('busy'));
    await clock.advanceAsync(100);
    await write(KEY, 2);
    expect(shop.batches).toHaveLength(1);
    shop.recover();
    shop.failWith(([first]) => (first?.value === 1 ? new Error('busy') : undefined));
    shop.release();
    await clock.advanceAsync(10_000);
    expect(shop.applied.map(({ value }) => value)).toEqual([2]);
    expect(rows(db)).toEqual([]);
  });
});

describe('batches', () => {
  it('hold writes of many keys, up to maxBatch, longest first', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    const write = behind.writeBehind('n', shop.save, { maxBatch: 3 });
    for (let n = 0; n < 7; n++) write.sync(`user::${n}`, n);
    await clock.advanceAsync(100);
    expect(shop.batches.map((batch) => batch.map(({ value }) => value))).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  it('begin before their delay when they are full', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    const write = behind.writeBehind('n', shop.save, { maxBatch: 2, maxDelayMs: 60_000 });
    for (let n = 0; n < 3; n++) write.sync(`user::${n}`, n);
    await clock.settle();
    expect(shop.applied).toHaveLength(2);
  });

  it('are at most as many at once as concurrency says', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    const write = behind.writeBehind('n', shop.save, { maxBatch: 1, concurrency: 2 });
    for (let n = 0; n < 5; n++) write.sync(`user::${n}`, n);
    shop.hold();
    await clock.advanceAsync(100);
    expect(shop.batches).toHaveLength(2);
  });

  it('are saved by flush at once', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    const write = behind.writeBehind('n', shop.save, { maxDelayMs: 60_000 });
    await write(KEY, 1);
    await write.flush();
    expect(shop.values.get(KEY)).toBe(1);
    expect(clock.now()).toBe(0);
  });

  it('refuse a flush within their own save, which would wait for itself', async () => {
    const { behind } = bench();
    const refusals: unknown[] = [];
    const write = behind.writeBehind('n', async () => {
      await Promise.resolve();
      await write.flush().catch((error: unknown) => refusals.push(error));
    });
    await write(KEY, 1);
    await write.flush();
    expect(refusals).toEqual([expect.objectContaining({ code: 'ERR_ARGUMENT_INVALID' })]);
  });
});

describe('a save that fails', () => {
  it('is tried again after a pause that doubles up to a bound, less up to a half by chance', async () => {
    const { behind, clock } = bench(undefined, { random: () => 0 });
    const shop = source<number>();
    shop.failWith(() => new Error('down'));
    const at: number[] = [];
    const save: typeof shop.save = (batch, context) => {
      at.push(clock.now());
      return shop.save(batch, context);
    };
    behind.writeBehind('n', save, { maxDelayMs: 0, backoffMs: 250, maxBackoffMs: 1_000 }).sync(KEY, 1);
    await clock.advanceAsync(4_000);
    expect(at).toEqual([0, 250, 750, 1_750, 2_750, 3_750]);
    const rules = { maxBatch: 1, maxAttempts: 9, backoffMs: 250, maxBackoffMs: 1_000 };
    expect([0, 0.5, 1].map((chance) => restMs(2, rules, chance))).toEqual([500, 375, 250]);
    expect(restMs(1_000, rules, 0)).toBe(1_000);
  });

  it('hands the same idempotency key over at every attempt, and counts the attempts', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    shop.failWith(() => new Error('down'));
    behind.writeBehind('n', shop.save).sync(KEY, 1);
    await clock.advanceAsync(2_000);
    const items = shop.batches.flat();
    expect(items.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(new Set(items.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it('is told in the figures and once in the log, and what waits shows its age', async () => {
    const { behind, clock, lines } = bench();
    const shop = source<number>();
    shop.failWith(() => new Error('no such table: users'));
    behind.writeBehind('n', shop.save).sync(KEY, 1);
    await clock.advanceAsync(2_000);
    expect(behind.stats()).toMatchObject({
      waiting: 1,
      oldestAt: clock.epochAt(0),
      writers: [{ retried: 4, lastFailure: { message: 'no such table: users' } }],
    });
    expect(lines.filter(({ message }) => message.includes('could not be saved'))).toHaveLength(1);
  });

  it('holds up no other key than those of its batch, and one bad write sends no other to the list', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    shop.failWith((batch) => (batch.some(({ value }) => value === 3) ? new Error('bad row') : undefined));
    const write = behind.writeBehind('n', shop.save, { maxAttempts: 5 });
    for (let n = 0; n < 8; n++) write.sync(`user::${n}`, n);
    await clock.advanceAsync(60_000);
    expect([...shop.values.values()].sort()).toEqual([0, 1, 2, 4, 5, 6, 7]);
    expect(behind.list()).toMatchObject([{ key: 'user::3', attempts: 5, error: 'bad row', value: 3 }]);
  });

  it('whether its saver throws, rejects, or rejects with what is no error', async () => {
    const { behind, clock } = bench();
    const failures = [
      () => {
        throw new Error('thrown');
      },
      () => Promise.reject(new Error('rejected')),
      () => Promise.reject({ toString: () => 'odd' }),
      () => undefined,
    ];
    let call = 0;
    const write = behind.writeBehind<number>('n', () => failures[call++]?.());
    write.sync(KEY, 1);
    await clock.advanceAsync(10_000);
    expect(call).toBe(4);
    expect(behind.stats().waiting).toBe(0);
  });

  it('has its signal fired at saveTimeoutMs, and is waited for all the same', async () => {
    const { behind, clock } = bench();
    const shop = source<number>();
    shop.hold();
    behind.writeBehind('n', shop.save, { saveTimeoutMs: 1_000 }).sync(KEY, 1);
    await clock.advanceAsync(1_099);
    expect(shop.signals[0]?.aborted).toBe(false);
    await clock.advanceAsync(1);
    expect(shop.signals[0]?.reason).toMatchObject({ code: 'ERR_TIMEOUT' });
    await clock.advanceAsync(10_000);
    expect(shop.batches).toHaveLength(1);
    shop.release();
    await clock.settle();
    expect(shop.values.get(KEY)).toBe(1);
  });
});

describe('the list of what cannot be saved', () => {
  async function dead(options: object = {}) {
    const made = bench();
    const shop = source<number>();
    shop.failWith(() => new Error('constraint'));
    const write = made.behind.writeBehind('n', shop.save, { maxAttempts: 1, ...options });
    write.sync(KEY, 1);
    await made.clock.advanceAsync(100);
    return { ...made, shop, write };
  }

  it('gets a write after maxAttempts, with all that is known of it, and survives a restart', async () => {
    const first = await dead();
    const letter = { id: 1, name: 'n', key: KEY, value: 1, attempts: 1, error: 'constraint' };
    expect(first.behind.list()).toMatchObject([letter]);
    first.die();
    const second = bench(first.file);
    const shop = source();
    second.behind.writeBehind('n', shop.save);
    await second.clock.advanceAsync(60_000);
    expect(shop.batches).toEqual([]);
    expect(second.behind.list()).toMatchObject([letter]);
    expect(second.behind.stats().dead).toBe(1);
  });

  it('lets go of a write that is to be tried again, which begins at attempt one', async () => {
    const { behind, clock, shop, db } = await dead();
    shop.recover();
    expect(behind.retry('all')).toBe(1);
    expect(behind.list()).toEqual([]);
    await clock.settle();
    expect(shop.values.get(KEY)).toBe(1);
    expect(rows(db)).toEqual([]);
  });

  it('loses a write that is dropped, by its id, its writer or with all', async () => {
    const { behind, db } = await dead();
    expect(behind.drop([99])).toBe(0);
    expect(behind.drop({ name: 'other' })).toBe(0);
    expect(behind.drop([1])).toBe(1);
    expect(behind.list()).toEqual([]);
    expect(rows(db)).toEqual([]);
  });

  it('loses a write whose key is written anew: the newer one stands for it', async () => {
    const { behind, clock, shop, write } = await dead();
    shop.recover();
    write.sync(KEY, 2);
    await clock.advanceAsync(100);
    expect(behind.list()).toEqual([]);
    expect(shop.values.get(KEY)).toBe(2);
    expect(behind.retry('all')).toBe(0);
  });

  it('holds up later writes of its key where each counts, until it is decided', async () => {
    const { behind, clock, shop, write } = await dead({ coalesce: false });
    shop.recover();
    write.sync(KEY, 2);
    await clock.advanceAsync(60_000);
    expect(behind.stats().writers).toMatchObject([{ waiting: 1, held: 1, dead: 1 }]);
    behind.retry([1]);
    await clock.advanceAsync(100);
    expect(shop.applied.map(({ value }) => value)).toEqual([1, 2]);
  });

  it('is bounded: when it is full, further writes go on being tried', async () => {
    const { behind, clock, write, shop } = await dead({ maxDead: 1 });
    write.sync('user::2::n', 2);
    await clock.advanceAsync(10_000);
    expect(behind.list()).toHaveLength(1);
    expect(behind.stats().waiting).toBe(1);
    shop.recover();
    await clock.advanceAsync(600_000);
    expect(shop.values.get('user::2::n')).toBe(2);
  });
});
