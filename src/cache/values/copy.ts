/** Copies for readers of what was taken, by its form (I6). */
import type { ValuesMode } from '../tiers/policy.ts';
import { deepFreeze } from './freeze.ts';
import { kindOf } from './kinds.ts';
import { isIndex, tableObject } from './layout.ts';
import { Packed, unpack } from './packed.ts';
import { copyOfBinary, type Form, setField } from './take.ts';
import type { ValueTypes } from './value-types.ts';

/** What is kept of a value, as far as readers' copies need to know. */
export interface Kept {
  readonly value: unknown;
  readonly form: Form;
  readonly frozen: 'whole' | 'in-part' | undefined;
}

/** The value for one reader: a copy of its own, or the frozen one that all share. */
export function servedCopy(kept: Kept, mode: ValuesMode, types: ValueTypes): unknown {
  const { form, value } = kept;
  if (form === 'shared') return value;
  if (mode === 'copy') return copyOf(value, form, types);
  return kept.frozen === 'whole' ? value : deepFreeze(copyOf(value, form, types));
}

function copyOf(value: unknown, form: Form, types: ValueTypes): unknown {
  switch (form) {
    case 'shared':
      return value;
    case 'flat':
      return { ...(value as object) };
    case 'rows':
      return copyRows(value as readonly unknown[]);
    case 'tree':
      return copyTree(value as object);
    case 'graph':
      return value instanceof Packed ? unpack(value, types) : new Cloning(types).run(value);
  }
}

function copyRows(rows: readonly unknown[]): unknown[] {
  const copy = rows.slice();
  for (let i = 0; i < copy.length; i++) {
    const row = copy[i];
    if (typeof row === 'object' && row !== null) copy[i] = Array.isArray(row) ? row.slice() : { ...row };
  }
  return copy;
}

function copyTree(value: object): object {
  if (Array.isArray(value)) {
    const copy: unknown[] = value.slice();
    for (let i = 0; i < copy.length; i++) {
      const element = copy[i];
      if (typeof element === 'object' && element !== null) copy[i] = copyTree(element);
    }
    return copy;
  }
  const copy = { ...value } as Record<string, unknown>;
  for (const name in copy) {
    const field = copy[name];
    if (typeof field === 'object' && field !== null) copy[name] = copyTree(field);
  }
  return copy;
}

type Fields = Record<string, unknown>;
type Container = unknown[] | Map<unknown, unknown> | Set<unknown> | Fields;

/** The general copier: cycles and shared parts keep their form, and no depth is too deep. */
class Cloning {
  readonly #types: ValueTypes;
  readonly #copies = new Map<object, object>();
  /** Originals and their copies, which are still empty. */
  readonly #unfilled: [original: Container, copy: Container][] = [];

  constructor(types: ValueTypes) {
    this.#types = types;
  }

  run(value: unknown): unknown {
    const copy = this.#copyOf(value);
    for (let next = this.#unfilled.pop(); next !== undefined; next = this.#unfilled.pop())
      this.#fill(...next);
    return copy;
  }

  #copyOf(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    const leaf = this.#copyLeaf(value);
    if (leaf !== undefined) {
      this.#copies.set(value, leaf);
      return leaf;
    }
    const original = value as Container;
    const copy = emptyLike(original);
    this.#copies.set(value, copy);
    this.#unfilled.push([original, copy]);
    return copy;
  }

  /** A copy of what holds no other values, or `undefined` for what does. */
  #copyLeaf(value: object): object | undefined {
    switch (kindOf(value)) {
      case 'date':
        return new Date((value as Date).getTime());
      case 'regexp': {
        const expression = value as RegExp;
        const copy = new RegExp(expression.source, expression.flags);
        copy.lastIndex = expression.lastIndex;
        return copy;
      }
      case 'buffer':
      case 'view':
      case 'array-buffer':
        return copyOfBinary(value as ArrayBuffer | ArrayBufferView);
      case undefined: {
        const type = this.#types.find(value);
        return type?.copy(value);
      }
      default:
        return undefined;
    }
  }

  #fill(original: Container, copy: Container): void {
    if (Array.isArray(original)) {
      const array = copy as unknown[];
      array.length = original.length;
      original.forEach((element, i) => {
        array[i] = this.#copyOf(element);
      });
    } else if (original instanceof Map) {
      const map = copy as Map<unknown, unknown>;
      for (const [key, value] of original) map.set(this.#copyOf(key), this.#copyOf(value));
    } else if (original instanceof Set) {
      const set = copy as Set<unknown>;
      for (const value of original) set.add(this.#copyOf(value));
    } else {
      for (const name in original) setField(copy as Fields, name, this.#copyOf(original[name]));
    }
  }
}

/** All that was taken is of this realm. */
function emptyLike(original: Container): Container {
  if (Array.isArray(original)) return [];
  if (original instanceof Map) return new Map();
  if (original instanceof Set) return new Set();
  if (Object.getPrototypeOf(original) === null) return Object.create(null) as Fields;
  // A hidden class for each name that is data would take most of the time.
  for (const name in original) return /^\d/.test(name) && !isIndex(name) ? tableObject() : {};
  return {};
}
