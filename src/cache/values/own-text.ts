/**
 * Texts of their own. V8 makes a slice of 13 characters and more a view into the text it was cut from, which stays alive
 * as a whole; and a joined text holds on to its parts. A kept text is flat and holds nothing but its characters.
 */

/** Shorter texts are never slices nor joined: V8 copies them (`SlicedString::kMinLength`, `ConsString::kMinLength`). */
const SHORTEST_SLICE = 13;

const SCRATCH_BYTES = 16_384;
const STRING_HEADER = 16;

// V8 compiles this for one-byte strings into an immediate "no", so that only two-byte strings are ever scanned.
// biome-ignore lint/suspicious/noControlCharactersInRegex: U+0000 is where Latin-1 begins
const BEYOND_LATIN_1 = /[^\u0000-\u00ff]/;

const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** The same text, flat and sharing nothing. Surrogates that stand alone stay as they are. */
export function ownText(text: string): string {
  const { length } = text;
  if (length < SHORTEST_SLICE) return text;
  if (BEYOND_LATIN_1.test(text)) {
    // Joining writes the characters of both halves into one new text.
    const half = length >> 1;
    return [text.slice(0, half), text.slice(half)].join('');
  }
  // Through bytes, since what is cut from a text with one emoji has two bytes a character even where one would do.
  if (length > SCRATCH_BYTES) return Buffer.from(text, 'latin1').toString('latin1');
  scratch.write(text, 0, length, 'latin1');
  return scratch.toString('latin1', 0, length);
}

/** Bytes that a text of its own takes: one a character as long as all are Latin-1, else two for every one of them. */
export function stringBytes(text: string): number {
  const { length } = text;
  // The empty string and Latin-1 characters exist once in the whole process.
  if (length < 2 && !BEYOND_LATIN_1.test(text)) return 0;
  return (STRING_HEADER + (BEYOND_LATIN_1.test(text) ? 2 * length : length) + 7) & ~7;
}
