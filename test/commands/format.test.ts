import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar, formatFor, instant } from '../../src/commands/views/format.ts';
import { keyText, plainText } from '../../src/commands/views/key-text.ts';

const en = formatFor('en-US');
const de = formatFor('de');
const plainSpaces = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, ' ');

describe('numbers', () => {
  it('are written as the reader writes them', () => {
    expect(en.count(1_234_567)).toBe('1,234,567');
    expect(de.count(1_234_567)).toBe('1.234.567');
    expect(plainSpaces(de.percent(0.853))).toBe('85,3 %');
    expect(en.percent(0.853)).toBe('85.3%');
  });

  it('stay short when they are huge', () => {
    expect(en.count(12_345_678_901)).toBe('12.3B');
    expect(en.count(1e308).length).toBeLessThan(400);
  });

  it('are a dash where there is none', () => {
    expect(en.percent(null)).toBe('—');
    expect(en.count(Number.NaN)).toBe('—');
    expect(en.bytes(-1)).toBe('—');
  });

  it('read en-US for a locale that nobody knows', () => {
    expect(formatFor('xx-hostile!').count(1_234)).toBe('1,234');
    expect(formatFor('').count(1_234)).toBe('1,234');
  });
});

describe('sizes and durations', () => {
  it.each([
    [0, '0 B'],
    [10, '0.1 kB'],
    [920, '0.9 kB'],
    [12_288, '12 kB'],
    [47_395_635, '45.2 MB'],
    [104_857_600, '100 MB'],
    [5 * 1_024 ** 3, '5 GB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(en.bytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0 ms'],
    [0.01, '< 0.1 ms'],
    [0.4, '0.4 ms'],
    [104, '104 ms'],
    [1_800, '1.8 s'],
    [41_000, '41 s'],
    [720_000, '12 min'],
    [39_600_000, '11 h'],
    [86_400_000, '24 h'],
    [259_200_000, '3 d'],
  ])('%d ms are %s', (ms, text) => {
    expect(en.duration(ms)).toBe(text);
  });
});

describe('instants', () => {
  it('are left to the client of the reader', () => {
    expect(instant(1_767_225_600_499)).toBe('<t:1767225600:R>');
  });

  it('say never where the ttl is infinite', () => {
    expect(instant(Number.POSITIVE_INFINITY)).toBe('never');
  });
});

describe('the bar', () => {
  it('shows something for more than nothing, and never more than all', () => {
    expect(bar(0)).toBe('▱▱▱▱▱▱▱▱▱▱');
    expect(bar(0.001)).toBe('▰▱▱▱▱▱▱▱▱▱');
    expect(bar(7)).toBe('▰▰▰▰▰▰▰▰▰▰');
    expect(bar(Number.NaN)).toBe('▱▱▱▱▱▱▱▱▱▱');
  });
});

describe('keys as text', () => {
  it('are inline code', () => {
    expect(keyText('user::123456::profile')).toBe('`user::123456::profile`');
  });

  it('cannot end their code: backticks are replaced', () => {
    expect(keyText('a`b``c')).toBe('`aˋbˋˋc`');
  });

  it('show controls and direction marks as escapes', () => {
    expect(keyText('a\nb\u202ec\u0000')).toBe('`a\\nb\\u202ec\\u0000`');
  });

  it('are cut in the middle, where they differ least', () => {
    const text = keyText(`user::${'x'.repeat(200)}::profile`);
    expect(text.length).toBeLessThanOrEqual(66);
    expect(text).toMatch(/^`user::x+…x+::profile`$/);
  });

  it('are one line of code of bounded length, whatever is in them', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 500 }),
        fc.integer({ min: 8, max: 200 }),
        (text, length) => {
          const shown = keyText(text, length);
          expect(shown).toMatch(/^`[^`\n\r]+`$/u);
          expect(shown.length).toBeLessThanOrEqual(Math.max(length, '(empty)'.length) + 2);
          expect(shown.isWellFormed()).toBe(true);
          expect(plainText(text, length)).not.toMatch(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
        },
      ),
    );
  });
});
