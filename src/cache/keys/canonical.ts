/**
 * The canonical text of a key or tag: one text for all spellings of the same ids.
 *
 * Reads keep the kinds of ids apart (`7`, `#7` and `%i7` may have different answers), invalidations must not: Discord
 * gives an id as text, a database as a number or a bigint, and each of them names the same row. So an invalidation
 * compares canonical texts. Segments, separated by colons, are equal where they are the same text, or the same number
 * however it is written: SQLite takes `007`, ` 7` and `7.0` for the row 7 of an INTEGER column, too. Integers are
 * compared exactly, of any length; a number that is not written as an integer counts as the double it is. Within a
 * segment, such as `user-#7`, the marks of numbers and bigints are left out.
 *
 * Segments that hold a hash (`%h…`) stay as they are: what was hashed cannot be told.
 */

/** An integer as it is written where nothing marks it. */
const PLAIN_INTEGER = /^(?:0|-?[1-9]\d*)$/;
/** What JavaScript writes for a finite number. */
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]\d+)?`;
const MARKED_NUMBER = new RegExp(`^#(${NUMBER})$`);
const MARKED_BIGINT = /^%i(-?\d+)$/;
/** Text that SQLite takes for a number: blanks around it, escaped ones included, count for nothing. */
const NUMERIC_TEXT = /^(?: |%0[9A-D])*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?: |%0[9A-D])*$/i;
const MARK_BEFORE_NUMBER = new RegExp(`(?:#|%i)+(${NUMBER})(?!\\d)`, 'g');
const MARK_BEFORE_DIGITS = /(?:#|%i)+(?=-?\d)/g;
/** Other kinds that a database stores as one and the same. */
const SAME_KINDS: ReadonlyMap<string, string> = new Map([
  ['%true', '1'],
  ['%false', '0'],
  ['%undefined', '%null'],
]);

const HASH = 0x23;
const PERCENT = 0x25;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_H = 0x68;

/** The text that all spellings of a key, or of a tag, have in common. */
export function canonicalKey(key: string): string {
  const isMarked = key.includes('#') || key.includes('%');
  let result = '';
  let copiedTo = 0;
  for (let start = 0; start < key.length; ) {
    const colon = key.indexOf(':', start);
    const end = colon === -1 ? key.length : colon;
    if (mayBeSpelledOtherwise(key, start, end, isMarked)) {
      const segment = key.slice(start, end);
      const canonical = unmarkedId(segment) ?? canonicalSegment(segment);
      if (canonical !== segment) {
        result += key.slice(copiedTo, start) + canonical;
        copiedTo = end;
      }
    }
    start = end + 1;
  }
  return copiedTo === 0 ? key : result + key.slice(copiedTo);
}

/** The canonical text of a pattern: what lies between two colons is a segment, what touches a star is a part of one. */
export function canonicalPattern(source: string): string {
  const pieces = source.split(/(\*+)/);
  const last = pieces.length - 1;
  return pieces.map((piece, i) => (i % 2 === 1 ? piece : canonicalPiece(piece, i > 0, i < last))).join('');
}

function canonicalPiece(piece: string, followsStar: boolean, precedesStar: boolean): string {
  const segments = piece.split(':');
  const last = segments.length - 1;
  return segments
    .map((segment, i) => {
      const isWhole = !(i === 0 && followsStar) && !(i === last && precedesStar);
      return isWhole ? canonicalSegment(segment) : segment.replace(MARK_BEFORE_DIGITS, '');
    })
    .join(':');
}

/** Whether the segment may be anything but the canonical text of itself. Most are text that begins with a letter. */
function mayBeSpelledOtherwise(key: string, start: number, end: number, isMarked: boolean): boolean {
  if (end === start) return false;
  const first = key.charCodeAt(start);
  if (first < ZERO) return first !== PERCENT || key.charCodeAt(start + 1) !== LETTER_H;
  const isDigit = first <= NINE;
  if (!isDigit && !isMarked) return false;
  for (let i = start + 1; i < end; i++) {
    const code = key.charCodeAt(i);
    if (isDigit ? code < ZERO || code > NINE : code === HASH || code === PERCENT) return true;
  }
  return first === ZERO && end > start + 1;
}

/** A number of so many digits is written as it is. */
const SAFE_DIGITS = 15;

/** A segment that is a mark before a plain integer, as most ids are that are no text. */
function unmarkedId(segment: string): string | undefined {
  const isBigint = segment.startsWith('%i');
  if (!isBigint && !segment.startsWith('#')) return undefined;
  const digits = isBigint ? 2 : 1;
  const length = segment.length - digits;
  const hasZeros = length > 1 && segment.charCodeAt(digits) === ZERO;
  if (length < 1 || hasZeros || (length > SAFE_DIGITS && !isBigint)) return undefined;
  for (let i = digits; i < segment.length; i++) {
    const code = segment.charCodeAt(i);
    if (code < ZERO || code > NINE) return undefined;
  }
  return segment.slice(digits);
}

function canonicalSegment(segment: string): string {
  let canonical = segment;
  for (let before: string | undefined; before !== canonical; ) {
    before = canonical;
    canonical = canonicalNumber(canonical) ?? withoutMarks(canonical);
  }
  return canonical;
}

function withoutMarks(segment: string): string {
  return segment.replace(MARK_BEFORE_NUMBER, (_, number: string) => numberText(number));
}

/** `undefined` for what is no number. */
function canonicalNumber(segment: string): string | undefined {
  if (PLAIN_INTEGER.test(segment)) return segment;
  const same = SAME_KINDS.get(segment);
  if (same !== undefined) return same;
  const number = MARKED_NUMBER.exec(segment)?.[1];
  if (number !== undefined) return numberText(number);
  const integer = MARKED_BIGINT.exec(segment)?.[1];
  if (integer !== undefined) return BigInt(integer).toString();
  const text = NUMERIC_TEXT.exec(segment)?.[1];
  if (text === undefined) return undefined;
  return /^[+-]?\d+$/.test(text) ? BigInt(text).toString() : numberText(text);
}

/** A double, exactly where it is an integer: JavaScript's own text of a large one ends in zeros that it does not have. */
function numberText(text: string): string {
  const number = Number(text);
  if (!Number.isFinite(number)) return text;
  return Number.isInteger(number) ? BigInt(number).toString() : String(number);
}
