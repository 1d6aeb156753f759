import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyIndex } from '../../src/cache/key-index.ts';
import { compilePattern, isPattern } from '../../src/cache/pattern.ts';

/** Few characters, so that patterns meet keys. */
const text = fc.string({
  unit: fc.constantFrom(':', '::', 'a', 'b', '.', '_', '%'),
  maxLength: 8,
  minLength: 1,
});
const patternText = fc.string({
  unit: fc.constantFrom('*', '*', ':', '::', 'a', 'b', '.'),
  maxLength: 8,
  minLength: 1,
});

const oracle = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );

describe('a pattern', () => {
  it('matches what its stars stand for: any run of characters, none and separators included', () => {
    fc.assert(
      fc.property(patternText, text, (pattern, key) => {
        expect(compilePattern(pattern).matches(key)).toBe(oracle(pattern).test(key));
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['products:*', 'products::gaming', true],
    ['products:*', 'products', false],
    ['user::42::*', 'user::421::profile', false],
    ['user::*::profile', 'user::42::profile', true],
    ['user::*::profile', 'user::profile', false],
    ['*', '', true],
    ['a*a', 'a', false],
    ['a.c', 'abc', false],
    ['a_*', 'ab', false],
  ])('%s on %s: %s', (pattern, key, expected) => {
    expect(compilePattern(pattern).matches(key)).toBe(expected);
  });

  it('answers at once for text made to be slow', () => {
    const slow = compilePattern(`${'a*'.repeat(500)}b`);
    expect(slow.matches('a'.repeat(1_024))).toBe(false);
  });

  it.each(['', '\n*', 'x'.repeat(1_025)])('that can match no key is refused (%#)', (source) => {
    expect(() => compilePattern(source)).toThrow(expect.objectContaining({ code: 'ERR_PATTERN_INVALID' }));
  });

  it('is told from a key by its star', () => {
    expect([isPattern('a::*'), isPattern('a::b')]).toEqual([true, false]);
  });
});

describe('the index over keys', () => {
  it('finds among its candidates every match of a pattern, and holds what was added and not deleted', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), text), { maxLength: 60 });
    fc.assert(
      fc.property(steps, patternText, text, (all, source, prefix) => {
        const index = new KeyIndex();
        const model = new Set<string>();
        for (const [adds, key] of all) {
          if (adds && !model.has(key)) index.add(key);
          if (adds) model.add(key);
          else if (model.delete(key)) index.delete(key);
        }
        const pattern = compilePattern(source);
        const matches = [...index.candidates(pattern.prefix)].filter(
          (key) => key !== undefined && pattern.matches(key),
        );
        expect(matches.sort()).toEqual([...model].filter((key) => pattern.matches(key)).sort());
        const starting = [...index.candidates(prefix)].filter((key) => key?.startsWith(prefix));
        expect(starting.sort()).toEqual([...model].filter((key) => key.startsWith(prefix)).sort());
        expect([...index.all()].sort()).toEqual([...model].sort());
        expect(index.size).toBe(model.size);
      }),
      { numRuns: 2_000 },
    );
  });

  it('lets the caller delete what it gives while it goes on', () => {
    for (const count of [1, 2, 8, 9, 50]) {
      const index = new KeyIndex();
      for (let i = 0; i < count; i++) index.add(`user::42::${i}`);
      let seen = 0;
      for (const key of index.candidates('user::42::')) {
        if (key !== undefined) index.delete(key);
        seen++;
      }
      expect([seen, index.size, [...index.all()]]).toEqual([count, 0, []]);
    }
  });

  it('looks at one person out of 100,000 alone', () => {
    const index = new KeyIndex();
    for (let i = 0; i < 100_000; i++)
      for (const kind of ['profile', 'orders']) index.add(`user::${i}::${kind}`);
    expect([...index.candidates('user::4242::')].sort()).toEqual([
      'user::4242::orders',
      'user::4242::profile',
    ]);
  });

  it('forgets keys that it never held without a trace', () => {
    const index = new KeyIndex();
    index.delete('user::1::profile');
    index.add('user::1::profile');
    index.delete('user::1::orders');
    expect([...index.all()]).toEqual(['user::1::profile']);
    index.clear();
    index.add('user::1::profile');
    expect([index.size, [...index.all()]]).toEqual([1, ['user::1::profile']]);
  });
});
