import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../../src/cache/values/freeze.ts';

const isDeeplyFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen));

describe('I6: deepFreeze', () => {
  it('freezes plain data all the way down, in place', () => {
    const value = { a: [{ b: 1 }, [2]], c: Object.assign(Object.create(null), { d: {} }) };
    expect(deepFreeze(value)).toBe(value);
    expect(isDeeplyFrozen(value)).toBe(true);
    expect(() => {
      value.a.push(3 as never);
    }).toThrow(TypeError);
  });

  it('freezes whatever JSON can hold', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => isDeeplyFrozen(deepFreeze(structuredClone(value)))));
  });

  it('freezes what a Map and a Set hold', () => {
    const value = { map: new Map([[{ key: 1 }, { n: 1 }]]), set: new Set([{ n: 2 }]) };
    deepFreeze(value);
    expect([...value.map].flat().every(Object.isFrozen)).toBe(true);
    expect([...value.set].every(Object.isFrozen)).toBe(true);
  });

  it('ends on cycles', () => {
    const a: Record<string, unknown> = { list: [] };
    a.self = a;
    a.other = { a, deep: {}, map: new Map<unknown, unknown>([['a', a]]) };
    (a.other as { map: Map<unknown, unknown> }).map.set('self', (a.other as { map: unknown }).map);
    deepFreeze(a);
    deepFreeze(a);
    expect([a, a.list, a.other, (a.other as { deep: object }).deep].every(Object.isFrozen)).toBe(true);
  });

  it('goes 100,000 levels down', () => {
    const innermost = {};
    let value: unknown = innermost;
    for (let i = 0; i < 100_000; i++) value = i % 2 === 0 ? [value] : { value };
    deepFreeze(value);
    expect(Object.isFrozen(innermost)).toBe(true);
  });

  it('leaves alone what cannot be frozen, and never throws', () => {
    const value = { bytes: new Uint8Array(2), date: new Date(), map: new Map(), run: () => 1 };
    deepFreeze(value);
    expect(Object.values(value).some(Object.isFrozen)).toBe(false);
    for (const primitive of [1, 'a', null, undefined, 1n]) expect(deepFreeze(primitive)).toBe(primitive);
  });
});
