/**
 * Which names of fields recur: objects with these are kept with a shared hidden class, and copied quickly. Names that
 * are data (ids, words) make a hidden class an object, of several times the object's size, so that such an object is
 * kept as a hash table.
 *
 * Names that begin with a digit are data. Others are believed at once while few are known, from the second time on
 * while more are, and never beyond that.
 */
import { MAX_SHAPED_FIELDS, shapedBytes, templateOf } from './layout.ts';

/** So many different rows and objects of API answers a bot may well have. */
const BELIEVED_AT_ONCE = 256;
const MOST_SHAPES = 512;
/** Names met once, the last ones of which are remembered. */
const MOST_CANDIDATES = 256;
const MAX_NAMES_LENGTH = 4_096;

export interface Shape {
  readonly names: readonly string[];
  readonly template: string | undefined;
  readonly bytes: number;
}

export class Shapes {
  readonly #shapes = new Map<string, Shape>();
  readonly #candidates = new Set<string>();
  /** Most rows come after one of the same names. */
  #last: Shape | undefined;

  /** `undefined`: an object of these names is to be a hash table. */
  of(names: readonly string[]): Shape | undefined {
    const last = this.#last;
    if (last !== undefined && areSame(last.names, names)) return last;
    const shape = this.#find(names);
    if (shape !== undefined) this.#last = shape;
    return shape;
  }

  #find(names: readonly string[]): Shape | undefined {
    if (names.length > MAX_SHAPED_FIELDS) return undefined;
    const text = names.join('\0');
    const known = this.#shapes.get(text);
    if (known !== undefined) return areSame(known.names, names) ? known : undefined;
    if (text.length > MAX_NAMES_LENGTH || /(?:^|\0)(?:\d|__proto__(?:\0|$))/.test(text)) return undefined;
    if (!this.#believes(text)) return undefined;
    const shape = { names, template: templateOf(names), bytes: shapedBytes(names.length) };
    this.#shapes.set(text, shape);
    return shape;
  }

  #believes(text: string): boolean {
    if (this.#shapes.size < BELIEVED_AT_ONCE) return true;
    if (this.#shapes.size >= MOST_SHAPES) return false;
    if (this.#candidates.delete(text)) return true;
    if (this.#candidates.size >= MOST_CANDIDATES) {
      const [oldest] = this.#candidates;
      if (oldest !== undefined) this.#candidates.delete(oldest);
    }
    this.#candidates.add(text);
    return false;
  }
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
