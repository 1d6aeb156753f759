/**
 * Patterns: keys with `*` in them, where `*` stands for any run of characters, `:` included.
 * A pattern covers a key by the text as it is written, and by the canonical text (`canonical.ts`), so that
 * `user::7::*` covers the keys made from the number 7 as well. Compiled once, into the texts before the first star
 * (which the indexes look up) and the pieces that must follow them.
 */
import { CacheError } from '../errors.ts';
import { canonicalKey, canonicalPattern } from './canonical.ts';
import { MAX_KEY_LENGTH } from './keys.ts';

export interface Pattern {
  readonly source: string;
  /** What every key begins with that is matched as it is written. */
  readonly prefix: string;
  /** What the canonical text begins with of every key that is matched by that. Often the same as `prefix`. */
  readonly canonicalPrefix: string;
  matches(key: string): boolean;
}

/** Whether text is to be read as a pattern. */
export function isPattern(text: string): boolean {
  return text.includes('*');
}

/**
 * @throws CacheError `ERR_PATTERN_INVALID` for text that can match no key: empty, too long, or with control characters.
 */
export function compilePattern(source: string): Pattern {
  if (source === '') throw invalid('A pattern cannot be empty; "*" covers everything.');
  if (source.length > MAX_KEY_LENGTH) {
    throw invalid(`A pattern of ${source.length} characters is too long (${MAX_KEY_LENGTH} at most).`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(source)) throw invalid('A pattern holds no control characters.');
  const canonicalSource = canonicalPattern(source);
  const written = matcherOf(source);
  const canonical = canonicalSource === source ? written : matcherOf(canonicalSource);
  return {
    source,
    prefix: written.prefix,
    canonicalPrefix: canonical.prefix,
    matches(key) {
      if (written.matches(key)) return true;
      const text = canonicalKey(key);
      return (text !== key || canonical !== written) && canonical.matches(text);
    },
  };
}

function matcherOf(source: string): Pick<Pattern, 'prefix' | 'matches'> {
  if (source.indexOf('*') === source.length - 1) {
    const prefix = source.slice(0, -1);
    return { prefix, matches: (key) => key.startsWith(prefix) };
  }
  // Stars in a row mean what one means.
  const pieces = source.split(/\*+/);
  const prefix = pieces[0] ?? '';
  const suffix = pieces.length > 1 ? (pieces.at(-1) ?? '') : '';
  const middle = pieces.slice(1, -1);
  const isPrefixOnly = pieces.length === 2 && suffix === '';
  return {
    prefix,
    matches(key) {
      if (pieces.length === 1) return key === prefix;
      if (!key.startsWith(prefix)) return false;
      if (isPrefixOnly) return true;
      // Taking each piece at its first occurrence is enough, since stars match anything between.
      let from = prefix.length;
      for (const piece of middle) {
        const at = key.indexOf(piece, from);
        if (at === -1) return false;
        from = at + piece.length;
      }
      return key.length - suffix.length >= from && key.endsWith(suffix);
    },
  };
}

function invalid(message: string): CacheError {
  return new CacheError('ERR_PATTERN_INVALID', message);
}
