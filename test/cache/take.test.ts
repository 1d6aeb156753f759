import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryOverheadBytes } from '../../src/cache/entry-weight.ts';
import { stringBytes } from '../../src/cache/values/own-text.ts';
import { MAX_WALK_NODES } from '../../src/cache/values/take.ts';
import { weightOf as bytes, formOf, refusalOf, servedOf, takenOf } from './values-support.ts';

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
    ['an object with two fields, with room for four', { a: 1, b: 'ab' }, 24 + 32 + 24],
    ['an object in an object', { a: { b: 1 } }, 112],
    [
      'an object with nine fields, with room for ten',
      { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1 },
      120,
    ],
    [
      'an object with 20 fields',
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])),
      24 + 160,
    ],
    [
      'an object without a prototype, which is a hash table',
      Object.assign(Object.create(null), { a: 1 }),
      184,
    ],
    ['an empty list', [], 32],
    ['a list of three numbers', [1, 2, 3], 32 + 16 + 24],
    ['a list of fractions', [0.5, 0.25], 32 + 16 + 2 * 8],
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
    expect([formOf(a), bytes(a)]).toEqual(['graph', 112]);
    const map = new Map<unknown, unknown>();
    map.set(map, map);
    expect(formOf(map)).toBe('graph');
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

describe('how copies of a value are made', () => {
  it.each<[string, string, unknown]>([
    ['text', 'shared', 'a'],
    ['null', 'shared', null],
    ['a row', 'flat', { id: '1', coins: 5 }],
    ['a list of rows', 'rows', [{ id: '1' }, { id: '2' }]],
    ['a list of lists', 'rows', [[1], [2]]],
    ['nested plain data', 'tree', { a: [1, { b: null }], c: 1n, d: undefined }],
    ['rows with lists in them', 'tree', [{ a: [1] }]],
    ['what is frozen already', 'flat', Object.freeze({ a: 1 })],
    ['a list with holes', 'graph', new Array(5)],
    ['a list with a hole before its end', 'graph', Object.assign(new Array(3), { 0: 1, 2: 3 })],
    ['a field called __proto__', 'graph', JSON.parse('{"__proto__": {"a": 1}}')],
    ['fields named by ids', 'graph', { '123456789012345678': 1 }],
    ['fields named by small numbers', 'graph', { 7: 1 }],
    ['an object without a prototype', 'graph', Object.create(null)],
    ['a part that is shared', 'graph', ((part) => [part, part])({})],
  ])('%s: %s', (_name, form, value) => {
    expect(formOf(value)).toBe(form);
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
  ])('%s: by the general copier, and never shared where it is to be frozen', (_name, value) => {
    expect(formOf(value)).toBe('graph');
    expect(formOf({ list: [value] })).toBe('graph');
    expect(takenOf([value], 'frozen')).toMatchObject({ frozen: 'in-part' });
  });
});

describe('I6: what is not kept', () => {
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
    ['a buffer that can be resized', new ArrayBuffer(3, { maxByteLength: 9 })],
    ['shared memory', new SharedArrayBuffer(3)],
    ...gone(),
    ['text in a box', Object('a')],
    ['bytes with a field', Object.assign(Buffer.alloc(3), { page: 1 })],
    ['a date with a field', Object.assign(new Date(), { zone: 'UTC' })],
    ['a map with a field', Object.assign(new Map(), { page: 1 })],
    ['an expression with a field', Object.assign(/a/, { page: 1 })],
    ['a class instance of another realm', runInNewContext('new (class A {})()')],
    ['an error of another realm', runInNewContext('new Error()')],
    ['a list with a getter', Object.defineProperty([1], 0, { get: () => 1, enumerable: true })],
    ['a generator', (function* () {})()],
    ['what only pretends to be a date', Object.create(Date.prototype)],
  ])('%s is not kept', (_name, value) => {
    expect(formOf(value)).toBe('unsafe');
    expect(formOf([{ value }])).toBe('unsafe');
    expect(formOf(new Map([[1, { value }]]))).toBe('unsafe');
    expect(formOf(new Set([value]))).toBe('unsafe');
  });

  class Decimal {
    digits = [1];
  }
  it.each<[string, unknown]>([
    ['it is a Decimal', new Decimal()],
    ['price is a Decimal', { price: new Decimal() }],
    ['rows[3].at is a Moment', { rows: [1, 2, 3, { at: new (class Moment {})() }] }],
    ['[1] is a function', [1, () => 1]],
    ['run is a class', { run: class {} }],
    [
      'total is a getter',
      {
        get total() {
          return 1;
        },
      },
    ],
    ['total is a setter', { set total(_: number) {} }],
    ['guild is a proxy', { guild: new Proxy({}, {}) }],
    ['kind is a symbol', { kind: Symbol('a') }],
    ['["two words"].url is a URL', { 'two words': { url: new URL('https://example.org') } }],
    ['roles("123" of a Map).price is a Decimal', { roles: new Map([['123', { price: new Decimal() }]]) }],
    ['(a member of a Set) is a Decimal', new Set([new Decimal()])],
    ['body is a Promise', { body: Promise.resolve() }],
    ['it is a Generator', (function* () {})()],
    ['it is an object that inherits from another one', Object.create({ a: 1 })],
    ['at is a Date with fields of its own', { at: Object.assign(new Date(), { zone: 'UTC' }) }],
  ])('is told with its class and place: %s', (text, value) => {
    expect(refusalOf(value)).toBe(text);
  });
});

describe('objects of another realm', () => {
  it.each<[string, string, unknown]>([
    ['an object', '({ a: 1 })', { a: 1 }],
    ['a list of rows', '[{ id: 1 }, { id: 2 }]', [{ id: 1 }, { id: 2 }]],
    ['a Date', 'new Date(5)', new Date(5)],
    ['a Map', "new Map([['a', { n: 1 }]])", new Map([['a', { n: 1 }]])],
    ['a Set', 'new Set([1])', new Set([1])],
    ['an expression', '/a+/giu', /a+/giu],
    ['bytes', 'new Uint8Array([1, 2])', new Uint8Array([1, 2])],
    ['fractions', 'new Float64Array([1.5])', new Float64Array([1.5])],
    ['a buffer of bytes', 'new Uint8Array([1, 2]).buffer', new Uint8Array([1, 2]).buffer],
    ['a view', 'new DataView(new ArrayBuffer(2))', new DataView(new ArrayBuffer(2))],
  ])('%s becomes one of this realm', (_name, code, expected) => {
    const copy: unknown = servedOf({ value: runInNewContext(code) as unknown }).value;
    expect(copy).toStrictEqual(expected);
    expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(expected));
  });
});

describe('I12: a walk ends', () => {
  it('gives up when its budget has run out', () => {
    const list = Array.from({ length: 100 }, (_, i) => ({ i }));
    expect(formOf(list, 'copy', 800)).toBe('rows');
    expect(formOf(list, 'copy', 50)).toBe('too-large');
    expect(formOf(list, 'copy', 150)).toBe('too-large');
    expect(formOf(new Map([[1, list]]), 'copy', 150)).toBe('too-large');
    expect(formOf(Object.fromEntries(list.entries()), 'copy', 150)).toBe('too-large');
  });

  it('does not enter lists, maps and sets that are too long', () => {
    expect(formOf(new Array(2 ** 32 - 1))).toBe('too-large');
    expect(formOf(new Set(Array(MAX_WALK_NODES + 1).keys()))).toBe('too-large');
    expect(formOf({ a: new Map(Array(MAX_WALK_NODES).entries()) })).toBe('too-large');
  });

  it('does not copy more text and bytes than it may', () => {
    expect(formOf('x'.repeat(10_000_000))).toBe('shared');
    expect(formOf(Array(3).fill('x'.repeat(10_000_000)))).toBe('too-large');
    expect(formOf([Buffer.alloc(110_000_000)])).toBe('too-large');
  });

  it('counts what takes longer than a field as more: fields of hash tables, objects, members of collections', () => {
    const fields = (count: number) => Object.fromEntries(Array(count).entries());
    expect([formOf(named(4_000)), formOf(named(5_000))]).toEqual(['graph', 'too-large']);
    expect([formOf(fields(4_000)), formOf(fields(5_000))]).toEqual(['graph', 'too-large']);
    const objects = (count: number) => Array.from({ length: count }, () => ({}));
    expect([formOf(objects(16_000)), formOf(objects(17_000))]).toEqual(['rows', 'too-large']);
    expect([formOf(new Set(Array(24_000).keys())), formOf(new Set(Array(26_000).keys()))]).toEqual([
      'graph',
      'too-large',
    ]);
    expect([formOf(new Map(Array(12_000).entries())), formOf(new Map(Array(13_000).entries()))]).toEqual([
      'graph',
      'too-large',
    ]);
    expect([formOf(Array(90_000).fill(0)), formOf(Array(110_000).fill(0))]).toEqual(['rows', 'too-large']);
  });

  it('never takes what it has not seen to the end for something it may keep', () => {
    expect(formOf(named(200), 'copy', 190)).toBe('too-large');
    expect(formOf([1, 2, 3], 'copy', 2)).toBe('too-large');
    expect(formOf([1.5, 2, 3], 'copy', 2)).toBe('too-large');
    expect(formOf({ a: 1, b: 2, c: 3 }, 'copy', 2)).toBe('too-large');
  });

  it('goes as deep as the value does', () => {
    expect([formOf(deep(16_000)), bytes(deep(16_000))]).toEqual(['graph', 16_000 * 56]);
    expect(servedOf(deep(16_000))).toSatisfy((copy) => depthOf(copy) === 16_000);
    expect(formOf(deep(1_000_000))).toBe('too-large');
  });
});

function depthOf(value: unknown): number {
  let levels = 0;
  for (let inner = value; typeof inner === 'object' && inner !== null; levels++)
    inner = (inner as { value: unknown }).value;
  return levels;
}
