import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  entryOverheadBytes,
  MAX_WALK_NODES,
  stringBytes,
  type ValueKind,
  weigh,
} from '../../src/cache/values/weigher.ts';

const bytes = (value: unknown) => weigh(value).weightBytes;
const kind = (value: unknown): ValueKind => weigh(value).kind;

const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
const deep = (levels: number) => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = { value };
  return value;
};

describe('I5: the weight of text', () => {
  it.each([
    ['', 0],
    ['a', 0],
    ['é', 0],
    ['ab', 24],
    ['12345678', 24],
    ['123456789', 32],
    ['Müller', 24],
  ])('%j takes one byte a character while all are Latin-1, padded to eight', (text, expected) => {
    expect(stringBytes(text)).toBe(expected);
  });

  it('takes two bytes for every character as soon as one is not Latin-1', () => {
    expect(stringBytes('x'.repeat(20_000))).toBe(20_016);
    expect(stringBytes(`${'x'.repeat(19_998)}😀`)).toBe(40_016);
    expect(stringBytes('я'.repeat(100))).toBe(216);
    expect(stringBytes('я')).toBe(24);
  });
});

describe('I5: the weight of a value', () => {
  it.each<[string, unknown, number]>([
    ['null', null, 0],
    ['undefined', undefined, 0],
    ['true', true, 0],
    ['a whole number of 32 bits', -(2 ** 31), 0],
    ['a larger number', 2 ** 31, 16],
    ['a number with a fraction', 0.5, 16],
    ['-0', -0, 16],
    ['NaN', Number.NaN, 16],
    ['a bigint', 10n, 24],
    ['a bigint of 100 digits', 10n ** 100n, 64],
    ['an object with two fields', { a: 1, b: 'ab' }, 24 + 16 + 24],
    ['an object in an object', { a: { b: 1 } }, 64],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), 32],
    ['an empty list', [], 32],
    ['a list of three numbers', [1, 2, 3], 32 + 16 + 24],
    ['a list of fractions, which freezing boxes', [0.5, 0.25], 32 + 16 + 2 * 24],
    ['a date', new Date(), 96],
    ['bytes', Buffer.alloc(1_000), 1_208],
  ])('%s', (_name, value, expected) => {
    expect(bytes(value)).toBe(expected);
  });

  it('counts what is reached twice once, among few objects and among many', () => {
    const shared = { name: 'shared by many' };
    const once = bytes([shared]);
    expect(bytes([shared, shared])).toBe(once + 8);
    const many = Array.from({ length: 100 }, (_, i) => ({ i }));
    expect(bytes([...many, ...many])).toBe(bytes(many) + 800);
  });

  it('ends on cycles', () => {
    const a: Record<string, unknown> = {};
    const b = { a };
    a.b = b;
    a.self = a;
    expect(weigh(a)).toEqual({ kind: 'frozen', weightBytes: 24 + 16 + 32 });
    const map = new Map<unknown, unknown>();
    map.set(map, map);
    expect(kind(map)).toBe('copied');
  });

  it('weighs the names of large records, which no shape shares', () => {
    const record = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`1000000000000000${i}`, i]));
    expect(bytes(record)).toBeGreaterThan(200 * (24 + 32));
  });

  it('never weighs less for more', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(bytes([a, b])).toBeGreaterThanOrEqual(Math.max(bytes(a), bytes(b)));
        expect(bytes({ a, b })).toBeGreaterThanOrEqual(Math.max(bytes(a), bytes(b)));
      }),
    );
  });

  it('adds the key and the place of the entry', () => {
    expect(entryOverheadBytes('user::123456::profile') - entryOverheadBytes('')).toBe(
      stringBytes('user::123456::profile'),
    );
  });

  it('adds the text of its tags and dependencies', () => {
    const weight = (tags: string[], dependsOn: string[] = []) =>
      entryOverheadBytes('user::1', { links: { tags, dependsOn } });
    const long = 'x'.repeat(1_000);
    expect(weight([long]) - weight([''])).toBe(stringBytes(long));
    expect(weight([], [long]) - weight([], [''])).toBe(stringBytes(long));
  });
});

describe('I6: what may be done with a value', () => {
  it.each<[string, unknown]>([
    ['text', 'a'],
    ['null', null],
    ['undefined', undefined],
    ['plain data', { a: [1, { b: null }], c: 1n, d: undefined }],
    ['a list with holes', new Array(5)],
    ['a list with a hole before its end', Object.assign(new Array(3), { 0: 1, 2: 3 })],
    ['a field called __proto__', JSON.parse('{"__proto__": {"a": 1}}')],
    ['what is frozen already', Object.freeze({ a: 1 })],
  ])('%s can be frozen', (_name, value) => {
    expect(kind(value)).toBe('frozen');
  });

  it.each<[string, unknown]>([
    ['a date', new Date()],
    ['a map', new Map()],
    ['a set', new Set()],
    ['a regular expression', /a/],
    ['a Buffer', Buffer.from('a')],
    ['a typed array', new Float64Array(3)],
    ['an ArrayBuffer', new ArrayBuffer(3)],
    ['a DataView', new DataView(new ArrayBuffer(3))],
    ['a date deep in plain data', { a: [{ b: new Date() }] }],
  ])('%s is copied', (_name, value) => {
    expect(kind(value)).toBe('copied');
    expect(kind({ list: [value] })).toBe('copied');
  });

  function gone(): [string, unknown][] {
    const bytes = new ArrayBuffer(8);
    const kinds = [bytes, new Uint8Array(bytes), new DataView(bytes)];
    structuredClone(bytes, { transfer: [bytes] });
    const shrunk = new ArrayBuffer(8, { maxByteLength: 8 });
    kinds.push(new Uint8Array(shrunk, 4, 4), new DataView(shrunk, 4, 4));
    shrunk.resize(2);
    return kinds.map((value) => [`a ${value.constructor.name} whose bytes are gone`, value]);
  }
  class Wallet {
    cents = 5;
  }
  const getter = {
    get cents() {
      throw new Error('ran');
    },
  };
  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a class instance', new Wallet()],
    ['an error', new Error('a')],
    ['a promise', Promise.resolve()],
    ['a weak map', new WeakMap()],
    ['a proxy', new Proxy({}, {})],
    ['a proxy of a list', new Proxy([], {})],
    ['a getter', getter],
    ['a setter alone', { set cents(_value: number) {} }],
    ['a subclass of Map', new (class extends Map {})()],
    ['a subclass of Array', new (class extends Array {})()],
    ['an object that inherits from another one', Object.create({ a: 1 })],
    ['a symbol for a name', { [Symbol('a')]: {} }],
    ['a list with a field', Object.assign([1], { meta: {} })],
    ['an empty list with a field', Object.assign([], { '01': {} })],
    ['a list with a symbol for a name', Object.assign([1], { [Symbol('a')]: {} })],
    ['what an expression with named groups has found', 'abc'.match(/(?<g>b)/)],
    ['a field that is not enumerable', Object.defineProperty({}, 'a', { value: {} })],
    ['shared memory', new SharedArrayBuffer(3)],
    ...gone(),
    ['text in a box', Object('a')],
    ['data of another realm', runInNewContext('({ a: 1 })')],
    ['what only pretends to be a date', Object.create(Date.prototype)],
  ])('%s is not kept', (_name, value) => {
    expect(kind(value)).toBe('unsafe');
    expect(kind([{ value }])).toBe('unsafe');
    expect(kind(new Map([[1, { value }]]))).toBe('unsafe');
    expect(kind(new Set([value]))).toBe('unsafe');
  });
});

describe('I12: a walk ends', () => {
  it('gives up when its budget has run out', () => {
    const list = Array.from({ length: 100 }, (_, i) => ({ i }));
    expect(weigh(list, 700).kind).toBe('frozen');
    expect(weigh(list, 50).kind).toBe('too-large');
    expect(weigh(list, 150).kind).toBe('too-large');
    expect(weigh(new Map([[1, list]]), 150).kind).toBe('too-large');
    expect(weigh(Object.fromEntries(list.entries()), 150).kind).toBe('too-large');
  });

  it('does not enter lists, maps and sets that are too long', () => {
    expect(kind(new Array(2 ** 32 - 1))).toBe('too-large');
    expect(kind(new Set(Array(MAX_WALK_NODES + 1).keys()))).toBe('too-large');
    expect(kind({ a: new Map(Array(MAX_WALK_NODES).entries()) })).toBe('too-large');
  });

  it('counts what takes longer than a field as more: fields of hash tables, objects, members of collections', () => {
    const fields = (count: number) => Object.fromEntries(Array(count).entries());
    expect([kind(named(4_000)), kind(named(5_000))]).toEqual(['frozen', 'too-large']);
    expect([kind(fields(4_000)), kind(fields(5_000))]).toEqual(['frozen', 'too-large']);
    const objects = (count: number) => Array.from({ length: count }, () => ({}));
    expect([kind(objects(16_000)), kind(objects(17_000))]).toEqual(['frozen', 'too-large']);
    expect([kind(new Set(Array(24_000).keys())), kind(new Set(Array(26_000).keys()))]).toEqual([
      'copied',
      'too-large',
    ]);
    expect([kind(new Map(Array(12_000).entries())), kind(new Map(Array(13_000).entries()))]).toEqual([
      'copied',
      'too-large',
    ]);
    expect([kind(Array(90_000).fill(0)), kind(Array(110_000).fill(0))]).toEqual(['frozen', 'too-large']);
  });

  it('never takes what it has not seen to the end for something it may keep', () => {
    expect(weigh(named(200), 190).kind).toBe('too-large');
    expect(weigh([1, 2, 3], 2).kind).toBe('too-large');
    expect(weigh({ a: 1, b: 2, c: 3 }, 2).kind).toBe('too-large');
  });

  it('goes as deep as the value does', () => {
    expect(weigh(deep(16_000))).toEqual({ kind: 'frozen', weightBytes: 16_000 * 32 });
    expect(kind(deep(1_000_000))).toBe('too-large');
  });
});
