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
});
