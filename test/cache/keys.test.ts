import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assertKey,
  encodeParameters,
  escapeSegment,
  hashParameters,
  type KeyPart,
  key,
  namespaceOf,
} from '../../src/cache/keys/keys.ts';
import { compilePattern } from '../../src/cache/keys/pattern.ts';

/** Text made of what has a meaning somewhere, so that random texts come near to each other. */
const hostileText = fc.oneof(
  fc.string({
    unit: fc.constantFrom(
      ':',
      '*',
      '%',
      '#',
      'a',
      '2',
      'A',
      'h',
      '\u0000',
      '\u202e',
      '\ud800',
      '\udc00',
      '😀',
    ),
  }),
  fc.string({ unit: 'binary', maxLength: 150 }),
  fc.constantFrom(
    '',
    '%',
    '%25',
    '%true',
    '#1',
    '%23',
    '::',
    '__proto__',
    'null',
    'undefined',
    '%hAAAA',
    'x'.repeat(97),
  ),
);
const part: fc.Arbitrary<KeyPart> = fc.oneof(
  hostileText,
  fc.integer({ min: -2, max: 2 }),
  fc.double(),
  fc.bigInt({ min: -2n, max: 2n }),
  fc.constantFrom(null, undefined, true, false, -0, 0, Number.NaN),
);

describe('a key', () => {
  it('shows plain parts as they are', () => {
    expect(key.config('vip_tiers')).toBe('config::vip_tiers');
    expect(key.products('gaming')).toBe('products::gaming');
    expect(key.user('123456', 'profile')).toBe('user::123456::profile');
    expect(key.query('leaderboard', 'top10')).toBe('query::leaderboard::top10');
    expect(key.query('search', { text: 'a' })).toMatch(/^query::search::%h[\w-]{43}$/);
    expect(namespaceOf('user::1')).toBe('user');
    expect(namespaceOf('plain')).toBe('plain');
  });

  it('differs for any two different lists of parts', () => {
    const parts = fc.array(part, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(key.of('n', ...a) === key.of('n', ...b)).toBe(isDeepStrictEqual(a, b));
      }),
      { numRuns: 2_000 },
    );
  });

  it('differs for any two different parts, however near', () => {
    fc.assert(
      fc.property(hostileText, fc.nat(), hostileText, (text, at, inserted) => {
        const near = text.slice(0, at) + inserted + text.slice(at);
        expect(escapeSegment(near) === escapeSegment(text)).toBe(near === text);
        expect(escapeSegment(escapeSegment(text)) === escapeSegment(text)).toBe(escapeSegment(text) === text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('made from any parts is taken by the cache, and is no pattern', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const made = key.of('n', ...parts);
        assertKey(made);
        expect(made.split('::')).toHaveLength(parts.length + 1);
        expect(compilePattern(made).matches(made)).toBe(true);
        expect(made.isWellFormed()).toBe(true);
      }),
    );
  });

  it('of a person is not covered by the pattern of another, whatever the ids hold', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (a, b) => {
        fc.pre(a !== b);
        const pattern = compilePattern(`user::${escapeSegment(a)}::*`);
        expect(pattern.matches(key.user(a, 'profile'))).toBe(true);
        expect(pattern.matches(key.user(b, 'profile'))).toBe(false);
      }),
    );
  });

  it.each([
    ['null', null],
    ['a number', 1],
    ['empty text', ''],
    ['text with a star', 'a*'],
    ['text with a line end', 'a\n'],
    ['text that is too long', 'x'.repeat(1_025)],
  ])('is never %s', (_, text) => {
    expect(() => assertKey(text)).toThrow(expect.objectContaining({ code: 'ERR_KEY_INVALID' }));
  });
});

describe('encoded parameters', () => {
  const small = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<unknown>(
        0,
        -0,
        1,
        '1',
        '',
        'a',
        'n1;',
        's1:a',
        1n,
        true,
        false,
        null,
        undefined,
        Number.NaN,
        '\ud800',
        '%uD800',
      ),
      fc.constantFrom(0, 1).map((at) => new Date(at)),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', '__proto__', ''), tie('value'), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
      fc.array(tie('value'), { maxLength: 2 }).map((items) => new Set(items)),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 1 }).map((items) => new Map(items)),
      fc.uint8Array({ maxLength: 2 }),
    ),
  })).value;

  it('are equal only for equal parameters', () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        if (encodeParameters(a) === encodeParameters(b)) expect(isDeepStrictEqual(a, b)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('are equal for equal values of any shape, in any order of their fields', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const reversed = (each: unknown): unknown => {
          if (Array.isArray(each)) return each.map(reversed);
          if (typeof each !== 'object' || each === null) return each;
          return Object.fromEntries(
            Object.entries(each)
              .reverse()
              .map(([name, field]) => [name, reversed(field)]),
          );
        };
        expect(encodeParameters(reversed(value))).toBe(encodeParameters(value));
        expect(hashParameters(value)).toMatch(/^[\w-]{43}$/);
      }),
    );
  });

  it.each([
    ['the number 1 and the text 1', [1], ['1']],
    ['two texts and one with a separator', ['a', 'b'], ['a::b']],
    ['an empty list and an empty object', [], {}],
    ['nested and flat lists', [[1], 2], [1, [2]]],
    ['0 and -0', 0, -0],
    ['null, undefined and nothing', [null], [undefined]],
    ['lone surrogates', '\ud800', '\ud801'],
    ['a lone surrogate and its escape', '\ud800', '%uD800'],
    ['the texts that a 32-bit hash confuses', 'FY', 'Ez'],
  ])('keep %s apart', (_, a, b) => {
    expect(hashParameters(a)).not.toBe(hashParameters(b));
  });

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a class instance', new (class Filter {})()],
    [
      'a cycle',
      (() => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        return cycle;
      })(),
    ],
  ])('refuse %s rather than make an unstable key', (_, value) => {
    expect(() => encodeParameters({ value })).toThrow(expect.objectContaining({ code: 'ERR_KEY_INVALID' }));
  });
});
