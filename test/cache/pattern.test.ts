import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyIndex } from '../../src/cache/index/key-index.ts';
import { compilePattern, isPattern } from '../../src/cache/keys/pattern.ts';

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
  const keysOf = (found: Iterable<{ readonly key: string } | undefined>) =>
    [...found].flatMap((member) => member?.key ?? []).sort();

  it('finds among its candidates every match of a pattern, and holds what was added and not deleted', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), text), { maxLength: 60 });
    fc.assert(
      fc.property(steps, patternText, text, (all, source, prefix) => {
        const index = new KeyIndex();
        const model = new Map<string, { readonly key: string }>();
        for (const [adds, key] of all) {
          const known = model.get(key);
          if (adds === (known !== undefined)) continue;
          const member = known ?? { key };
          if (adds) index.add(member);
          else index.delete(member);
          if (adds) model.set(key, member);
          else model.delete(key);
        }
        const pattern = compilePattern(source);
        const held = [...model.keys()].sort();
        const matches = keysOf(index.candidates(pattern.prefix)).filter(pattern.matches);
        expect(matches).toEqual(held.filter(pattern.matches));
        const starting = keysOf(index.candidates(prefix)).filter((key) => key.startsWith(prefix));
        expect(starting).toEqual(held.filter((key) => key.startsWith(prefix)));
        expect(keysOf(index.all())).toEqual(held);
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds namespaces of few keys and of many, while they grow and shrink', () => {
    const segments = fc.tuple(fc.constantFrom('a', 'ab', 'b'), fc.nat(12), fc.constantFrom('', '::x', '::y'));
    const steps = fc.array(fc.tuple(fc.boolean(), segments), { maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.constantFrom('', 'a', 'a::', 'a::1', 'a::1::', 'ab::'), (all, prefix) => {
        const index = new KeyIndex();
        const model = new Map<string, { readonly key: string }>();
        for (const [adds, [namespace, second, rest]] of all) {
          const key = second === 0 ? namespace : `${namespace}::${second}${rest}`;
          const known = model.get(key);
          const member = known ?? { key };
          if (adds && known === undefined) index.add(member);
          else if (!adds) index.delete(member);
          if (adds) model.set(key, member);
          else model.delete(key);
        }
        const held = [...model.keys()].sort();
        const found = keysOf(index.candidates(prefix)).filter((key) => key.startsWith(prefix));
        expect(found).toEqual(held.filter((key) => key.startsWith(prefix)));
        expect(keysOf(index.all())).toEqual(held);
      }),
      { numRuns: 1_000 },
    );
  });

  it('lets the caller delete what it gives while it goes on', () => {
    for (const count of [1, 2, 8, 9, 50]) {
      const index = new KeyIndex();
      for (let i = 0; i < count; i++) index.add({ key: `user::42::${i}` });
      let seen = 0;
      for (const member of index.candidates('user::42::')) {
        if (member !== undefined) index.delete(member);
        seen++;
      }
      expect([seen, keysOf(index.all())]).toEqual([count, []]);
    }
  });

  it('looks at one person out of 100,000 alone', () => {
    const index = new KeyIndex();
    for (let i = 0; i < 100_000; i++)
      for (const kind of ['profile', 'orders']) index.add({ key: `user::${i}::${kind}` });
    expect(keysOf(index.candidates('user::4242::'))).toEqual(['user::4242::orders', 'user::4242::profile']);
  });

  it('forgets what it never held without a trace', () => {
    const index = new KeyIndex();
    const profile = { key: 'user::1::profile' };
    index.delete(profile);
    index.add(profile);
    index.delete({ key: 'user::1::orders' });
    index.delete({ key: 'user::1::profile' });
    expect(keysOf(index.all())).toEqual(['user::1::profile']);
    index.delete(profile);
    expect(keysOf(index.candidates('user'))).toEqual([]);
  });
});
