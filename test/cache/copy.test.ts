import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { servedOf, weightOf } from './values-support.ts';

const leaf = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 10 }),
  fc.string(),
  fc.double({ noNaN: true }),
  fc.bigInt(),
  fc.constant(null),
  fc.constant(undefined),
);
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: false }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => new Set(values)),
  ),
}));

describe("I6: a reader's copy", () => {
  it('gives an equal value of the same kind and weight', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const copy = servedOf(value);
        expect(copy).toEqual(value);
        expect(weightOf(copy)).toBe(weightOf(value));
      }),
    );
  });

  it('shares nothing that can be changed', () => {
    const value = {
      date: new Date(5),
      map: new Map([[{ key: 1 }, new Set([[1]])]]),
      list: [
        Buffer.from('abc'),
        new Float32Array([1.5]),
        new ArrayBuffer(2),
        new DataView(new ArrayBuffer(4), 1, 2),
      ],
      pattern: /a+/giu,
    };
    const copy = servedOf(value);
    expect(copy).toEqual(value);
    copy.date.setTime(6);
    for (const [key, set] of copy.map) {
      key.key = 2;
      set.clear();
    }
    (copy.list[0] as Buffer)[0] = 0;
    (copy.list[1] as Float32Array)[0] = 0;
    new Uint8Array(copy.list[2] as ArrayBuffer)[0] = 9;
    (copy.list[3] as DataView).setInt8(0, 9);
    expect(value.date.getTime()).toBe(5);
    expect([...value.map]).toEqual([[{ key: 1 }, new Set([[1]])]]);
    expect(String(value.list[0])).toBe('abc');
    expect(value.list[1]).toEqual(new Float32Array([1.5]));
    expect(new Uint8Array(value.list[2] as ArrayBuffer)).toEqual(new Uint8Array(2));
    expect((value.list[3] as DataView).getInt8(0)).toBe(0);
  });

  it('keeps a Buffer a Buffer, with memory of its own', () => {
    const copy = servedOf(Buffer.from('abc'));
    expect(Buffer.isBuffer(copy)).toBe(true);
    expect(copy.buffer.byteLength).toBe(3);
  });

  it('keeps the place of a global regular expression, and objects without a prototype', () => {
    const pattern = /a/g;
    pattern.lastIndex = 3;
    expect(servedOf(pattern).lastIndex).toBe(3);
    expect(Object.getPrototypeOf(servedOf(Object.create(null)))).toBe(null);
  });

  it('keeps cycles and shared parts as they are', () => {
    const shared = new Date();
    const value: Record<string, unknown> = { a: shared, b: [shared] };
    value.self = value;
    const copy = servedOf(value);
    expect(copy.self).toBe(copy);
    expect(copy.a).toBe((copy.b as unknown[])[0]);
    expect(copy.a).not.toBe(shared);
  });

  it('takes a field called __proto__ as a field', () => {
    const value = JSON.parse('{"__proto__": {"admin": true}}');
    const copy = servedOf(value);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(Object.keys(copy)).toEqual(['__proto__']);
  });

  it('goes 16,000 levels down', () => {
    let value: unknown = new Date(1);
    for (let i = 0; i < 16_000; i++) value = [value];
    let copy: unknown = servedOf(value);
    while (Array.isArray(copy)) copy = copy[0];
    expect(copy).toEqual(new Date(1));
  });

  it('has every field at its place, whatever its name', () => {
    const names = [
      '4294967294',
      '4294967295',
      '0',
      '7',
      '__proto__',
      'constructor',
      '',
      '123456789012345678',
      'a',
    ];
    for (const prototype of [Object.prototype, null]) {
      const value = Object.create(prototype) as object;
      for (const name of names)
        Object.defineProperty(value, name, {
          value: name,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      const copy = servedOf(value);
      expect(Object.entries(copy)).toEqual(Object.entries(value));
      expect(Object.getPrototypeOf(copy)).toBe(prototype);
    }
  });
});
