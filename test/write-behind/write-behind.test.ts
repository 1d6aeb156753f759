import { describe, expect, it } from 'vitest';
import { bench, rows, source } from './support.ts';

describe('I10: a write', () => {
  it('is in the journal when the call returns, and nothing has been saved', () => {
    const { behind, db } = bench();
    const db1 = source();
    const write = behind.writeBehind('names', (batch, context) => db1.save(batch, context));
    write('user::1::name', { name: 'Ada' });
    expect(rows(db)).toMatchObject([{ name: 'names', key: 'user::1::name', dead_at: null }]);
    expect(String(rows(db)[0]?.value)).toContain('{"name":"Ada"}');
    expect(db1.batches).toEqual([]);
  });

  it('is saved within its delay, and leaves the journal then', async () => {
    const { behind, db, clock } = bench();
    const shop = source();
    const write = behind.writeBehind('names', (batch, context) => shop.save(batch, context), {
      maxDelayMs: 100,
    });
    await write('user::1::name', 'Ada');
    await clock.advanceAsync(99);
    expect(shop.batches).toEqual([]);
    await clock.advanceAsync(1);
    expect(shop.values.get('user::1::name')).toBe('Ada');
    expect(rows(db)).toEqual([]);
  });
});
