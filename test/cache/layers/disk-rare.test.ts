/** Few rows among many: what is looked at costs time, too, whether it is covered or not. */
import { describe, expect, it } from 'vitest';
import { placeForEach } from './support.ts';

const ROWS = 3_000;

describe('a pattern that covers one row of many', () => {
  const place = placeForEach();

  it('I12: is not looked for at once, and yet nobody reads what it covers', async () => {
    const first = place.start();
    for (let i = 0; i < ROWS; i++) first.set(`products::${i}::row`, i);
    first.set('products::x::rare', 'old');
    await first.stop();

    const cache = place.start();
    cache.invalidate('*::rare');
    expect(place.rows()).toHaveLength(ROWS + 1);
    expect(cache.get('products::x::rare')).toBeUndefined();
    expect(cache.get('products::1::row')).toBe(1);
    await place.clock.settle();
    expect(place.rows()).toHaveLength(ROWS);
    expect(place.rows()).not.toContain('products::x::rare');
  });

  it('I12: is looked for in time proportional to the rows', async () => {
    const cache = place.start();
    for (let i = 0; i < 10 * ROWS; i++) cache.set(`products::${i}::row`, 'x'.repeat(60));
    await cache.persist();
    const timed = async (pattern: string) => {
      const before = process.cpuUsage();
      await cache.preview(pattern);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    await timed('*::rare');
    // 30,000 rows: some 50 ms; where each page began at the first row, 800.
    expect(await timed('*::rare')).toBeLessThan(300);
  });
});
