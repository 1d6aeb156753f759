/**
 * Untrusted text as people see it: keys, patterns, messages of errors. It is shown as inline code, where Discord
 * renders neither markup nor mentions, and nothing in it can end that code or turn the direction of the line.
 */

/** Wide enough for `user_orders::123456789012345678::recent`, narrow enough for a phone. */
const KEY_TEXT_LENGTH = 64;

// Controls, format and direction marks, odd spaces, lone surrogates, unassigned and private characters, and letters
// that draw nothing. A combining mark is kept: it cannot leave its line.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]|(?! )\p{Zs}/u;

/** A text without a single character that draws something: what is in it is shown by number. */
const DRAWN = /[^\p{M}\p{Default_Ignorable_Code_Point}\s]/u;
/** Stands for a space at the end of a text, where none is seen and Discord takes it away. */
const SHOWN_SPACE = '␣';

/** Only as much of each end as can ever be shown is looked at, so that a huge text costs nothing. */
const MARGIN = 16;

/** Whether nothing of a text can be seen, for which Discord refuses it as a label. */
export function isBlank(text: string): boolean {
  return !DRAWN.test(text);
}

/** Text as inline code, cut in the middle where it is longer than `length` characters. */
export function keyText(text: string, length: number = KEY_TEXT_LENGTH): string {
  return `\`${plainText(text, length).replaceAll('`', 'ˋ')}\``;
}

/** The same without the code around it, for labels of selects and completions, which render no markup. */
export function plainText(text: string, length: number = KEY_TEXT_LENGTH): string {
  if (text === '') return '(empty)';
  const isLong = text.length > 2 * (length + MARGIN);
  const pieces = isLong
    ? [...visible(text.slice(0, length + MARGIN)), ...visible(text.slice(-(length + MARGIN)))]
    : visible(text);
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return withShownEnds(total <= length && !isLong ? pieces.join('') : cutMiddle(pieces, length));
}

function visible(text: string): string[] {
  const mayDraw = !isBlank(text);
  return Array.from(text, (character) =>
    INVISIBLE.test(character) || (!mayDraw && character !== ' ') ? escaped(character) : character,
  );
}

/** The same with spaces at both ends that can be seen, so that no label is blank and no two keys look alike. */
function withShownEnds(text: string): string {
  return text.replace(/^ +| +$/g, (spaces) => SHOWN_SPACE.repeat(spaces.length));
}

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

/** Keeps both ends whole pieces at a time, so that no escape and no surrogate pair is torn. */
function cutMiddle(pieces: readonly string[], length: number): string {
  const half = Math.max(0, Math.floor((length - 1) / 2));
  let head = '';
  for (const piece of pieces) {
    if (head.length + piece.length > half + ((length - 1) % 2)) break;
    head += piece;
  }
  let tail = '';
  for (let i = pieces.length - 1; i >= 0; i--) {
    const piece = pieces[i] ?? '';
    if (tail.length + piece.length > half) break;
    tail = piece + tail;
  }
  return `${head}…${tail}`;
}
