import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CacheError } from '../../src/cache/errors.ts';
import { decode, encode } from '../../src/cache/values/codec.ts';
import { pack, unpack } from '../../src/cache/values/packed.ts';
import { refusalOf, weightOf } from './values-support.ts';

const leaf = fc.oneof(
  fc.date(),
  fc.uint8Array({ maxLength: 10 }),
  fc.uint8Array({ maxLength: 10 }).map((bytes) => Buffer.from(bytes)),
  fc.float64Array({ maxLength: 4 }),
  fc.bigInt64Array({ maxLength: 4 }),
  fc.uint8Array({ maxLength: 10 }).map((bytes) => bytes.slice().buffer),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, Number.NaN, Infinity, -Infinity, /a[b"</]+/gi),
);
const name = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => text !== '__proto__'),
  fc.constantFrom('constructor', 'toString', 'hasOwnProperty', '0', '-1', 'then', 'length'),
);
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.sparseArray(tie('value'), { maxLength: 9 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: false }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => new Set(values)),
  ),
}));

const back = (value: unknown) => decode(encode(value).bytes);
const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'nothing thrown';
  } catch (error) {
    return error instanceof CacheError ? error.code : String(error);
  }
};
const messageOf = (run: () => unknown): string => {
  try {
    run();
    return 'nothing thrown';
  } catch (error) {
    return String(error);
  }
};

describe('a stored value', () => {
  it('comes back equal, with all its kinds', () => {
    fc.assert(
      fc.property(anyValue, fc.constantFrom(0, 64, Infinity), (value, compressAboveBytes) => {
        const copy = decode(encode(value, { compressAboveBytes }).bytes);
        // vitest's own comparison asks fields named "constructor" for the kind.
        expect(isDeepStrictEqual(copy, value)).toBe(true);
        expect(weightOf(copy)).toBe(weightOf(value));
      }),
      { numRuns: 500 },
    );
  });

  it('comes back as exactly what JSON makes of it, where JSON is enough', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const { codec } = encode(value);
        expect(isDeepStrictEqual(back(value), value)).toBe(true);
        expect(codec).toBe(hasMinusZero(value) ? 'devalue' : 'json');
      }),
    );
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['minus zero', -0],
    ['empty text', ''],
    ['zero', 0],
    ['false', false],
  ])('I1: may be %s', (_, value) => {
    expect(back(value)).toBe(value);
    expect(back([value, { value }])).toStrictEqual([value, { value }]);
  });

  it('keeps cycles, and parts that are shared', () => {
    const part = { n: 1 };
    const value: { self?: unknown; parts: unknown[]; map: Map<unknown, unknown> } = {
      parts: [part, part],
      map: new Map(),
    };
    value.self = value;
    value.map.set(value.map, value);
    const copy = back(value) as typeof value;
    expect(copy.self).toBe(copy);
    expect(copy.parts[0]).toBe(copy.parts[1]);
    expect(copy.map.get(copy.map)).toBe(copy);
    expect(copy).not.toBe(value);
  });

  it('keeps a Buffer a Buffer, and of a view only what it shows', () => {
    const pool = Buffer.from('secret, shown, secret');
    const value = [pool.subarray(8, 13), new Uint8Array(pool.buffer, pool.byteOffset + 8, 5)];
    const { text } = encode(value);
    expect(text).not.toContain(Buffer.from('secret').toString('base64').slice(0, 6));
    const [buffer, view] = decode(encode(value).bytes) as [Buffer, Uint8Array];
    expect(Buffer.isBuffer(buffer)).toBe(true);
    expect(Buffer.isBuffer(view)).toBe(false);
    expect([buffer.toString(), [...view]]).toEqual(['shown', [...Buffer.from('shown')]]);
  });

  it('keeps where an expression stopped', () => {
    const expression = /a/g;
    expression.lastIndex = 3;
    expect((back({ expression }) as { expression: RegExp }).expression.lastIndex).toBe(3);
  });

  it('keeps a field named __proto__ without touching a prototype', () => {
    const value: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}');
    const copy = back(value) as object;
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(copy, '__proto__')?.value).toEqual({ admin: true });
    expect(Reflect.get({}, 'admin')).toBeUndefined();
  });

  it('is not what a toJSON given to all objects would make of it', () => {
    Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'spoilt', configurable: true });
    try {
      expect(back({ a: [1] })).toStrictEqual({ a: [1] });
    } finally {
      Reflect.deleteProperty(Object.prototype, 'toJSON');
    }
  });

  it('is readable text where it is not compressed, and the text reads like the bytes', () => {
    const row = { id: '42', name: 'Zoë 🎲', credit: 5 };
    const { text, bytes } = encode(row);
    expect(text).toMatch(/^cc1j-[0-9a-f]{8}\{"id":"42","name":"Zoë 🎲","credit":5\}$/);
    expect(Buffer.from(bytes).toString()).toBe(text);
    expect(decode(text ?? '')).toEqual(row);
  });
});

describe('what would not come back as it was', () => {
  class Wallet {
    credit = 1;
  }
  it.each<[what: string, value: unknown, place: string]>([
    ['a function', { on: { click: () => 1 } }, 'on.click'],
    ['a symbol', [1, Symbol('x')], '1'],
    ['a Wallet', { wallet: new Wallet() }, 'wallet'],
    ['a Number', new Map([['n', Object(1)]]), 'n'],
    ['a URL', new Set([new URL('https://a.example')]), '(member)'],
    ['a Promise', [Promise.resolve()], '0'],
    ['an accessor', { a: Object.defineProperty({}, 'b', { get: () => 1, enumerable: true }) }, 'a.b'],
    ['an accessor', { a: Object.defineProperty([], 0, { get: () => 1, enumerable: true }) }, 'a.0'],
    ['hidden fields', { a: Object.defineProperty({}, 'b', { value: 1 }) }, 'a'],
    ['hidden fields', { a: { [Symbol('b')]: 1 } }, 'a'],
    ['a proxy', { a: new Proxy({}, {}) }, 'a'],
    ['an array with fields of its own', { match: 'abc'.match(/b/) }, 'match'],
    ['fields of its own', { map: Object.assign(new Map(), { a: 1 }) }, 'map'],
    ['a long array with holes', { a: Object.assign([], { length: 200_000 }) }, 'a'],
    ['__proto__', JSON.parse('{"a":{"__proto__":1}}'), ''],
  ])('is refused, with its place: %s', (what, value, place) => {
    const stored = what === '__proto__' ? { value, at: new Date() } : value;
    expect(codeOf(() => encode(stored))).toBe('ERR_STORE_FAILED');
    expect(messageOf(() => encode(stored))).toContain(what);
    expect(messageOf(() => encode(stored))).toContain(place);
    expect(pack(stored)).toBeUndefined();
  });

  it('is refused without running a getter, and without naming what people typed at length', () => {
    let ran = 0;
    const spy = { get: () => ++ran, enumerable: true };
    expect(codeOf(() => encode(Object.defineProperty({}, 'a', spy)))).toBe('ERR_STORE_FAILED');
    expect(ran).toBe(0);
    expect(messageOf(() => encode({ ['x'.repeat(9_999)]: () => 1 })).length).toBeLessThan(250);
  });

  it('is refused where it is deeper than any reader can follow', () => {
    const deep = (levels: number, from: unknown) => {
      let value = from;
      for (let i = 0; i < levels; i++) value = { value };
      return value;
    };
    expect(back(deep(1_000, 1))).toEqual(deep(1_000, 1));
    expect(encode(back(deep(999, new Set()))).text).toBe(encode(deep(999, new Set())).text);
    expect(codeOf(() => encode(deep(100_000, 1)))).toBe('ERR_STORE_FAILED');
  });
});

describe('compression', () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({ id: `${i}`, name: `Product ${i}`, price: i * 100 }));

  it('begins above the threshold, and is read back without being told', () => {
    const { plainBytes } = encode(rows);
    for (const compressAboveBytes of [0, plainBytes - 1]) {
      const encoded = encode(rows, { compressAboveBytes });
      expect(encoded).toMatchObject({ compressed: true, text: undefined, plainBytes, codec: 'json' });
      expect(encoded.bytes.length).toBeLessThan(plainBytes / 2);
      expect(decode(encoded.bytes)).toEqual(rows);
    }
    for (const compressAboveBytes of [plainBytes, Infinity]) {
      expect(encode(rows, { compressAboveBytes }).compressed).toBe(false);
    }
  });

  it('is kept only where it saves a fifth', () => {
    let seed = 1;
    const noise = Array.from({ length: 9_000 }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return String.fromCharCode(35 + ((seed >> 12) % 90));
    });
    expect(encode(noise.join(''), { compressAboveBytes: 0 }).compressed).toBe(false);
    expect(encode('short', { compressAboveBytes: 0 }).compressed).toBe(false);
  });

  it('is bounded when undone', () => {
    const bomb = encode('a'.repeat(10_000_000));
    expect(bomb.bytes.length).toBeLessThan(2_000);
    expect(codeOf(() => decode(bomb.bytes, { maxBytes: 1_000_000 }))).toBe('ERR_STORE_FAILED');
    expect(
      codeOf(() => decode(encode('a'.repeat(99), { compressAboveBytes: Infinity }).bytes, { maxBytes: 50 })),
    ).toBe('ERR_STORE_FAILED');
    expect(decode(bomb.bytes, { maxBytes: Infinity })).toHaveLength(10_000_000);
  });

  it.each([-1, Number.NaN, '5' as unknown as number])('refuses %s as a number of bytes', (bytes) => {
    expect(codeOf(() => encode(1, { compressAboveBytes: bytes }))).toBe('ERR_ARGUMENT_INVALID');
    expect(codeOf(() => decode('', { maxBytes: bytes }))).toBe('ERR_ARGUMENT_INVALID');
  });
});

describe('damaged bytes', () => {
  const value = {
    id: '42',
    at: new Date(5),
    orders: Array.from({ length: 60 }, (_, i) => ({ id: i, of: new Set([i]) })),
  };
  const json = { id: '42', orders: Array.from({ length: 60 }, (_, i) => ({ id: i })) };

  it('never give a wrong value: 4,000 random bit flips, one to three at a time', () => {
    for (const [stored, limit] of [
      [value, 0],
      [value, Infinity],
      [json, 0],
      [json, Infinity],
    ] as const) {
      const { bytes } = encode(stored, { compressAboveBytes: limit });
      fc.assert(
        fc.property(
          fc.uniqueArray(fc.nat({ max: bytes.length * 8 - 1 }), { minLength: 1, maxLength: 3 }),
          (bits) => {
            const flipped = new Uint8Array(bytes);
            for (const bit of bits) flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
            expect(codeOf(() => decode(flipped))).toBe('ERR_STORE_FAILED');
            expect(codeOf(() => decode(Buffer.from(flipped).toString()))).toBe('ERR_STORE_FAILED');
          },
        ),
        { numRuns: 1_000 },
      );
    }
  });

  it('never give a value when cut short, or when more follows', () => {
    for (const compressAboveBytes of [0, Infinity]) {
      const { bytes } = encode(value, { compressAboveBytes });
      for (let length = 0; length < bytes.length; length++) {
        expect(codeOf(() => decode(bytes.subarray(0, length)))).toBe('ERR_STORE_FAILED');
      }
      expect(codeOf(() => decode(Buffer.concat([bytes, Buffer.from(' ')])))).toBe('ERR_STORE_FAILED');
    }
  });

  it('are refused when of another version, and when not of ours at all', () => {
    expect(messageOf(() => decode('cc2j-00000000{}'))).toContain('another version');
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string()), (bytes) => {
        expect(codeOf(() => decode(bytes))).toBe('ERR_STORE_FAILED');
      }),
    );
  });
});

describe('forged bytes, whose checksum is right', () => {
  const forge = (form: 'j' | 'd', text: string) => {
    const kind = `cc1${form}-`;
    return kind + crc32(text, crc32(kind)).toString(16).padStart(8, '0') + text;
  };

  it.each([
    ['a URL', '[["URL","https://a.example"]]'],
    ['a boxed number', '[["Object",1],5]'],
    ['an unknown kind', '[["Function","return 1"]]'],
    ['a field named __proto__', '[{"__proto__":1},5]'],
    ['an array too long to walk', '[[-7,4000000000,0,1],5]'],
    ['a Buffer of a number', '[["Buffer",1],1000000000]'],
    ['a typed array of a number', '[["Uint8Array",1],1000000000]'],
    ['an index that is not there', '[[7]]'],
    ['an endless kind', '[["Buffer",0]]'],
    ['depth without end', `[${Array.from({ length: 200_000 }, (_, i) => `[${i + 1}]`).join()},1]`],
    ['nothing', ''],
    ['text that is no list', '"text"'],
  ])('are refused: %s', (_, text) => {
    expect(codeOf(() => decode(forge('d', text)))).toBe('ERR_STORE_FAILED');
  });

  it('never run anything, and give nothing that the cache could not hold', () => {
    const piece = fc.constantFrom(
      ...[
        '["Date","x"]',
        '["Map",0,1]',
        '["Set",1]',
        '["Buffer",1]',
        '["Stopped",1]',
        '["ArrayBuffer","AAAA"]',
      ],
      ...[
        '["Uint8Array",1,0,9]',
        '["null","__proto__",0]',
        '{"then":0}',
        '[1,2]',
        '-1',
        '"a"',
        '5',
        '["BigInt","9"]',
      ],
      ...[
        '["RegExp","a","g"]',
        '["RegExp","(","zz"]',
        '[-7,9,0,1]',
        '["Object",1]',
        '["URL","a:b"]',
        '{"__proto__":0}',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
        let found: unknown;
        try {
          found = decode(forge('d', `[${pieces.join()}]`));
        } catch (error) {
          expect(error).toBeInstanceOf(CacheError);
          return;
        }
        expect(refusalOf(found)).toBe('');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a packed value', () => {
  it('I6: is equal, smaller, and fresh at each unpacking', () => {
    const value = {
      rows: Array.from({ length: 200 }, (_, id) => ({ id, name: 'Product', at: new Date(id) })),
    };
    const packed = pack(value);
    if (packed === undefined) throw new Error('It was not packed.');
    expect(packed.bytes.length).toBeLessThan(packed.plainBytes / 2);
    expect(packed.bytes.buffer.byteLength).toBe(packed.bytes.length);
    expect(unpack(packed)).toStrictEqual(value);
    expect(unpack(packed)).not.toBe(unpack(packed));
  });

  it('is not made where it would not be clearly smaller', () => {
    expect(pack({ id: '1' })).toBeUndefined();
    expect(pack(undefined)).toBeUndefined();
  });
});

function hasMinusZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasMinusZero);
  return Object.is(value, -0);
}
