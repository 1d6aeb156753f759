/**
 * Segments of keys are joined by two colons. With one, `user:{0}` would make a namespace for each user: no pattern
 * `user::*` covers it, and an invalidation of `user::{0}` misses it. Tags may be written with one.
 */
import { SEPARATOR } from './keys.ts';

const PLACEHOLDER = /\{[^{}]*\}/g;
/** A colon alone, and not that of an address such as `https://…`. */
const SINGLE = /(?<!:):(?!:|\/\/)/g;
const MARK = '\u0000';

/** So many namespaces that differ behind one colon alone are no accident. */
const SUSPICIOUS = 20;

/** Finds keys of code that templates are not used for, such as `cache.get(`user:${id}`)`. */
export class ColonWatch {
  readonly #namespaces = new Map<string, number>();

  /** @returns the beginning of such keys, once, when there are suspiciously many of them */
  newNamespace(namespace: string): string | undefined {
    const at = namespace.search(SINGLE);
    if (at === -1) return undefined;
    const beginning = namespace.slice(0, at);
    const count = (this.#namespaces.get(beginning) ?? 0) + 1;
    this.#namespaces.set(beginning, count);
    return count === SUSPICIOUS ? beginning : undefined;
  }
}

/** The template of a key or pattern as it was meant, where its first segment has one colon and a placeholder. */
export function colonsMeant(template: string): string | undefined {
  const placeholders = template.match(PLACEHOLDER) ?? [];
  const text = template.replace(PLACEHOLDER, MARK);
  const [first = ''] = text.split(SEPARATOR);
  if (!first.includes(MARK) || first.search(SINGLE) === -1) return undefined;
  let next = 0;
  return text.replace(SINGLE, SEPARATOR).replaceAll(MARK, () => placeholders[next++] ?? '');
}
