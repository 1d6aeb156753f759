/** I10: what the journal holds when a write is acknowledged, and what a next start makes of it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bench, folder, rows, source } from './support.ts';

describe('I10: a write', () => {
  it('is in the journal when the call returns, and nothing has been saved', () => {
    const { behind, db } = bench();
    const shop = source();
    const write = behind.writeBehind('names', shop.save);
    void write('user::1::name', { name: 'Ada' });
    write.sync('user::2::name', { name: 'Grace' });
    expect(rows(db)).toMatchObject([
      { name: 'names', key: 'user::1::name', dead_at: null },
      { name: 'names', key: 'user::2::name', dead_at: null },
    ]);
    expect(String(rows(db)[0]?.value)).toContain('{"name":"Ada"}');
    expect(shop.batches).toEqual([]);
  });

  it('is saved within its delay, and leaves the journal only then', async () => {
    const { behind, db, clock } = bench();
    const shop = source();
    const write = behind.writeBehind('names', shop.save, { maxDelayMs: 100 });
    await write('user::1::name', 'Ada');
    await clock.advanceAsync(99);
    expect(shop.batches).toEqual([]);
    shop.hold();
    await clock.advanceAsync(1);
    expect(rows(db)).toHaveLength(1);
    shop.release();
    await clock.settle();
    expect(shop.values.get('user::1::name')).toBe('Ada');
    expect(rows(db)).toEqual([]);
  });

  it('keeps what its value was when it was written, kinds that JSON has not included', async () => {
    const { behind, clock } = bench();
    const shop = source<{ at: Date; tags: Set<string>; sum: bigint }>();
    const write = behind.writeBehind('kinds', shop.save);
    const value = { at: new Date(5), tags: new Set(['a']), sum: 7n };
    await write('user::1::kinds', value);
    value.tags.add('later');
    await clock.advanceAsync(100);
    expect(shop.values.get('user::1::kinds')).toEqual({ at: new Date(5), tags: new Set(['a']), sum: 7n });
  });

  it('is refused, and nothing is written, when its value would not come back as it is', async () => {
    const { behind, db } = bench();
    const write = behind.writeBehind<unknown>('names', source().save);
    await expect(write('user::1::name', () => 1)).rejects.toThrow();
    expect(() => write.sync('user::1::name', Symbol('x'))).toThrow();
    expect(rows(db)).toEqual([]);
    expect(write.pending('user::1::name')).toEqual({ state: 'miss' });
  });
});

describe('I10: after a restart', () => {
  it('what was acknowledged is saved, in order, under the idempotency keys of before', async () => {
    const first = bench();
    const write = first.behind.writeBehind('counts', source<number>().save, { coalesce: false });
    for (const n of [1, 2, 3]) await write('user::1::n', n);
    const keys = rows(first.db).map((row) => row.idempotency_key);
    first.die();

    const second = bench(first.file);
    const shop = source<number>();
    second.behind.writeBehind('counts', shop.save, { coalesce: false });
    await second.clock.advanceAsync(1_000);
    expect(shop.applied.map(({ value }) => value)).toEqual([1, 2, 3]);
    expect(shop.applied.map(({ idempotencyKey }) => idempotencyKey)).toEqual(keys);
    expect(rows(second.db)).toEqual([]);
  });

  it('reads see it as soon as the name is taken, before it is saved', async () => {
    const first = bench();
    await first.behind.writeBehind('names', source().save)('user::1::name', 'Ada');
    first.die();
    const second = bench(first.file);
    const shop = source();
    shop.hold();
    second.behind.writeBehind('names', shop.save);
    expect(await second.cache.getOrLoad('user::1::name', () => 'of the database')).toBe('Ada');
  });

  it('a write that was being saved is saved again, and says that it may have been tried', async () => {
    const first = bench();
    const died = source<string>();
    await first.behind.writeBehind('names', died.save)('user::1::name', 'Ada');
    died.hold();
    await first.clock.advanceAsync(100);
    expect(died.batches).toHaveLength(1);
    first.die();

    const second = bench(first.file);
    const shop = source<string>();
    second.behind.writeBehind('names', shop.save);
    await second.clock.settle();
    expect(shop.applied).toMatchObject([{ value: 'Ada', attempt: 2 }]);
    expect(shop.applied[0]?.idempotencyKey).toBe(died.batches[0]?.[0]?.idempotencyKey);
  });

  it('a write that leaves the journal too late is saved twice under one key, never lost', async () => {
    const first = bench();
    const shop = source<string>();
    await first.behind.writeBehind('names', shop.save)('user::1::name', 'Ada');
    shop.hold();
    await first.clock.advanceAsync(100);
    // Killed between the commit of the source and the removal of the row.
    first.die();
    shop.release();
    await first.clock.settle();
    const second = bench(first.file);
    second.behind.writeBehind('names', shop.save);
    await second.clock.settle();
    expect(shop.applied).toHaveLength(2);
    expect(new Set(shop.applied.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it('writes whose name nobody takes are kept and told of', async () => {
    const first = bench();
    await first.behind.writeBehind('old', source().save)('user::1::name', 'Ada');
    first.die();
    const second = bench(first.file);
    await second.clock.advanceAsync(10_000);
    expect(second.lines).toMatchObject([{ level: 'warn', fields: { writes: 1 } }]);
    expect(second.lines[0]?.message).toContain('"old"');
    expect(second.behind.stats().writers).toMatchObject([{ name: 'old', isClaimed: false, waiting: 1 }]);
    expect(rows(second.db)).toHaveLength(1);
  });
});

describe('I10: a process killed with SIGKILL right after the acknowledgement', () => {
  async function acknowledged(file: string): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'acknowledger.ts'), [file], { silent: true });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [said] = await once(child, 'message');
    expect(said).toEqual({ acknowledged: 'Ada' });
    return child;
  }

  it('leaves the write to the next start, and its lock to nobody', async () => {
    const file = join(folder(), 'write-behind.db');
    const child = await acknowledged(file);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { behind, clock } = bench(file);
    const shop = source<string>();
    behind.writeBehind('names', shop.save);
    await clock.settle();
    expect([...shop.values]).toEqual([['user::1::name', 'Ada']]);
  });

  it('while it lives, a second process is refused its journal and told what to do', async () => {
    const file = join(folder(), 'write-behind.db');
    await acknowledged(file);
    expect(() => bench(file)).toThrow(
      /another process has it\. Each process needs a journal of its own: stop the other one, or give this one another file/,
    );
  });
});
