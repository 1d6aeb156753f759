import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SplitMap } from '../../src/cache/index/split-map.ts';

/** More than one map holds before it is split. */
const MANY = 40_000;

const KINDS: readonly [name: string, key: (i: number) => string][] = [
  ['numbers', (i) => `user::${i}::profile`],
  ['numbers of one length', (i) => `user::${100_000_000_000_000_000n + BigInt(i)}::profile`],
  ['hashes', (i) => `query::search::${Math.imul(i, 2_654_435_761) >>> 0}:${i}`],
  ['keys that differ only beyond where it looks', (i) => `${'x'.repeat(200)}${i}`],
  ['keys of one letter repeated', (i) => 'x'.repeat(i % 300) + i],
];

describe('a map that is split when it grows', () => {
  it.each(KINDS)('holds %s as a Map does', (_, keyOf) => {
    const map = new SplitMap<number>();
    for (let i = 0; i < MANY; i++) map.set(keyOf(i), i);
    for (let i = 0; i < MANY; i += 2) map.set(keyOf(i), -i);
    for (let i = 0; i < MANY; i += 3) expect(map.delete(keyOf(i))).toBe(true);
    expect(map.delete(keyOf(0))).toBe(false);
    const expected = new Map<string, number>();
    for (let i = 0; i < MANY; i++) if (i % 3 !== 0) expected.set(keyOf(i), i % 2 === 0 ? -i : i);
    expect(map.size).toBe(expected.size);
    expect(new Map(map.entries())).toEqual(expected);
    for (let i = 0; i < MANY; i++) if (map.get(keyOf(i)) !== expected.get(keyOf(i))) expect.fail(keyOf(i));
  });

  it('agrees with a Map for any sequence of steps, hostile keys included', () => {
    const key = fc.oneof(fc.constantFrom('', '__proto__', 'constructor', '\u0000'), fc.string());
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), key, fc.nat()), { maxLength: 100 }), (steps) => {
        const map = new SplitMap<number>();
        const model = new Map<string, number>();
        for (const [adds, key, value] of steps) {
          if (adds) {
            map.set(key, value);
            model.set(key, value);
          } else expect(map.delete(key)).toBe(model.delete(key));
          expect(map.size).toBe(model.size);
        }
        expect(new Map(map.entries())).toEqual(model);
      }),
    );
  });

  it('goes on through what it held while it is split and emptied under way', () => {
    const map = new SplitMap<number>();
    for (let i = 0; i < 16_000; i++) map.set(`user::${i}`, i);
    const seen = new Set<number>();
    let added = 16_000;
    for (const value of map.values()) {
      if (value < 16_000) seen.add(value);
      map.delete(`user::${value}`);
      if (added < MANY) for (let i = 0; i < 100; i++) map.set(`user::${added}`, added++);
    }
    expect(seen.size).toBe(16_000);
  });
});
