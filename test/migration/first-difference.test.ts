import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstDifference } from '../../src/migration/first-difference.ts';

describe('the first difference of two values', () => {
  it.each([
    ['numbers', { coins: 1 }, { coins: 2 }, { path: 'coins', left: 'number', right: 'number' }],
    ['kinds', { at: '2026' }, { at: new Date(0) }, { path: 'at', left: 'string', right: 'Date' }],
    [
      'fields',
      { a: { b: [1, { c: 'x' }] } },
      { a: { b: [1, {}] } },
      { path: 'a.b[1].c', left: 'string', right: 'nothing' },
    ],
    ['lengths', { items: [1, 2] }, { items: [1] }, { path: 'items[1]', left: 'number', right: 'nothing' }],
    ['whole values', 'a', null, { path: '', left: 'string', right: 'null' }],
    ['dates', { at: new Date(0) }, { at: new Date(1) }, { path: 'at', left: 'Date', right: 'Date' }],
    [
      'maps',
      new Map([['sword', 1]]),
      new Map([['sword', 2]]),
      { path: '.get(sword)', left: 'number', right: 'number' },
    ],
    ['sets', new Set(['a']), new Set(['b']), { path: '[0]', left: 'string', right: 'string' }],
    ['bytes', Buffer.from('a'), Buffer.from('b'), { path: '', left: 'Uint8Array', right: 'Uint8Array' }],
    [
      'class instances',
      { price: new Decimal('9.99') },
      { price: '9.99' },
      { path: 'price', left: 'Decimal', right: 'string' },
    ],
  ])('is where %s differ', (_, left, right, difference) => {
    expect(firstDifference(left, right)).toEqual(difference);
  });

  it('is none between what a bot reads as the same', () => {
    expect(firstDifference({ a: 1, b: undefined }, { a: 1 })).toBeUndefined();
    expect(firstDifference({ a: Number.NaN, b: -0 }, { b: 0, a: Number.NaN })).toBeUndefined();
    expect(firstDifference(Object.assign(Object.create(null), { a: 1 }), { a: 1 })).toBeUndefined();
    expect(firstDifference(new Decimal('9.99'), new Decimal('9.99'))).toBeUndefined();
    expect(firstDifference(/a/g, /a/g)).toBeUndefined();
  });

  it('ends on cycles', () => {
    const ring = (value: number) => {
      const node: Record<string, unknown> = { value };
      node.self = node;
      return node;
    };
    expect(firstDifference(ring(1), ring(1))).toBeUndefined();
    expect(firstDifference(ring(1), ring(2))?.path).toBe('value');
  });

  it('is none between a value and its copy, whatever it is, and never holds what a person wrote', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(firstDifference(value, structuredClone(value))).toBeUndefined();
      }),
    );
    const told = JSON.stringify(firstDifference({ note: 'my secret' }, { note: 'another secret' }));
    expect(told).not.toContain('secret');
  });

  it('I12: walks a bounded part of a very large value', () => {
    const steps = { read: 0 };
    const list = Array.from({ length: 100_000 }, () => ({
      get value() {
        steps.read++;
        return 1;
      },
    }));
    expect(
      firstDifference(
        list,
        [...list].map(({ value }) => ({ value })),
      ),
    ).toBeUndefined();
    expect(steps.read - list.length).toBeLessThan(20_001);
  });
});
