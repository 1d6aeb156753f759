/**
 * Whether a value can leave memory and come back as it was, and in which form: the judgement before `codec.ts` writes.
 *
 * JSON is the fast form, and only for values of which it loses nothing: plain objects and dense arrays of text, finite
 * numbers, booleans and null, each object met once. Everything else that a cache may hold is left to devalue. What
 * neither keeps (functions, symbols, class instances, proxies, accessors, hidden fields) is refused with the place
 * where it was found. The kinds are those of `take.ts`, whose copies are what comes here; an instance of a taught
 * class is stored as what its `encode` gives.
 */
import { types } from 'node:util';
import { CacheError } from '../errors.ts';
import {
  describeClass,
  hasHiddenFields,
  kindOf,
  lookupGetter,
  lookupSetter,
  type ObjectKind,
} from './kinds.ts';
import { MAX_WALK_NODES } from './take.ts';
import type { ValueTypes } from './value-types.ts';

export type Form = 'json' | 'devalue';

export interface Judgement {
  readonly form: Form;
  /**
   * It holds kinds that devalue itself would change: Buffers, expressions that stopped within a text, and instances of
   * taught classes.
   */
  readonly hasSpecials: boolean;
}

/** Deeper values would exhaust the stack of a recursive reader. */
export const MAX_DEPTH = 1_000;

/** Longer sparse arrays would let a few bytes stand for hours of walking over holes. */
export const MAX_SPARSE_LENGTH = 100_000;

/**
 * Judges a value, running no code of its own but the `encode` of taught classes.
 * @throws CacheError `ERR_STORE_FAILED`, with the place, for what cannot be stored
 */
export function judge(value: unknown, types?: ValueTypes): Judgement {
  const walk = new Walk(types);
  walk.run(value);
  return { form: walk.form, hasSpecials: walk.hasSpecials };
}

class Walk {
  form: Form = 'json';
  hasSpecials = false;
  #nodesLeft = MAX_WALK_NODES;
  readonly #path: (string | number)[] = [];
  readonly #seen = new Set<object>();
  /** Where a field named `__proto__` is: JSON keeps it, devalue does not. */
  #protoAt: string | undefined;
  readonly #types: ValueTypes | undefined;

  constructor(types: ValueTypes | undefined) {
    this.#types = types;
  }

  run(value: unknown): void {
    // Somebody who gives all objects a toJSON decides what JSON makes of them.
    if ('toJSON' in Object.prototype || 'toJSON' in Array.prototype) this.form = 'devalue';
    this.#meet(value);
    if (this.form === 'devalue' && this.#protoAt !== undefined) {
      throw refused('a field named "__proto__" beside values that JSON does not know', this.#protoAt);
    }
  }

  #meet(value: unknown): void {
    if (--this.#nodesLeft < 0) throw this.#refused(`more than ${MAX_WALK_NODES} values`);
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return;
      case 'number':
        if (!Number.isFinite(value) || Object.is(value, -0)) this.form = 'devalue';
        return;
      case 'object':
        if (value !== null) this.#enter(value);
        return;
      case 'undefined':
      case 'bigint':
        this.form = 'devalue';
        return;
      default:
        throw this.#refused(`a ${typeof value}`);
    }
  }

  #enter(object: object): void {
    if (this.#seen.has(object)) {
      // JSON would repeat it, and never end on a cycle.
      this.form = 'devalue';
      return;
    }
    this.#seen.add(object);
    if (this.#path.length >= MAX_DEPTH) throw this.#refused(`more than ${MAX_DEPTH} levels`);
    if (types.isProxy(object)) throw this.#refused('a proxy');
    const kind = kindOf(object);
    if (kind === 'plain') this.#enterPlain(object);
    else if (kind === 'array') this.#enterArray(object as unknown[]);
    else {
      this.form = 'devalue';
      if (kind === 'null-prototype') this.#enterPlain(object);
      else this.#enterOther(object, kind);
    }
  }

  #enterPlain(object: object): void {
    let fields = 0;
    for (const name in object) {
      fields++;
      this.#path.push(name);
      this.#assertNoAccessor(object, name);
      if (name === '__proto__') this.#protoAt ??= this.#place();
      this.#meet(object[name as keyof typeof object]);
      this.#path.pop();
    }
    if (hasHiddenFields(object, fields)) throw this.#refused('hidden fields');
  }

  #enterArray(array: readonly unknown[]): void {
    const { length } = array;
    const names = Object.keys(array).length;
    if (names < length) {
      this.form = 'devalue';
      if (length > MAX_SPARSE_LENGTH) throw this.#refused('a long array with holes');
    }
    let holes = 0;
    for (let i = 0; i < length; i++) {
      this.#path.push(i);
      const element: unknown =
        lookupGetter.call(array, i) === undefined ? array[i] : this.#assertNoAccessor(array, i);
      if (element === undefined && !Object.hasOwn(array, i)) holes++;
      else this.#meet(element);
      this.#path.pop();
    }
    if (names !== length - holes || Object.getOwnPropertySymbols(array).length > 0)
      throw this.#refused('an array with fields of its own');
  }

  #enterOther(object: object, kind: ObjectKind | undefined): void {
    switch (kind) {
      case 'map':
        this.#assertNoFields(object);
        for (const [key, value] of object as ReadonlyMap<unknown, unknown>) {
          this.#path.push('(key)');
          this.#meet(key);
          this.#path[this.#path.length - 1] =
            typeof key === 'string' || typeof key === 'number' ? key : '(value)';
          this.#meet(value);
          this.#path.pop();
        }
        return;
      case 'set':
        this.#assertNoFields(object);
        this.#path.push('(member)');
        for (const member of object as ReadonlySet<unknown>) this.#meet(member);
        this.#path.pop();
        return;
      case 'regexp':
        this.#assertNoFields(object);
        if ((object as RegExp).lastIndex !== 0) this.hasSpecials = true;
        return;
      case 'date':
      case 'array-buffer':
        this.#assertNoFields(object);
        return;
      case 'buffer':
        this.hasSpecials = true;
        return;
      case 'view':
        return;
      default:
        this.#enterTaught(object);
    }
  }

  #enterTaught(object: object): void {
    const type = this.#types?.find(object);
    if (type === undefined) throw this.#refused(describeClass(object));
    if (type.encode === undefined) {
      throw this.#refused(`${describeClass(object)}, of which the cache was taught no encode and decode,`);
    }
    this.hasSpecials = true;
    this.#meet(type.encode(object));
  }

  #assertNoFields(object: object): void {
    if (Object.keys(object).length > 0 || Object.getOwnPropertySymbols(object).length > 0)
      throw this.#refused('a collection, date or expression with fields of its own');
  }

  /** A getter is code: it could change what it gives, or throw. */
  #assertNoAccessor(object: object, name: string | number): void {
    if (lookupGetter.call(object, name) !== undefined || lookupSetter.call(object, name) !== undefined)
      throw this.#refused('an accessor');
  }

  #refused(what: string): CacheError {
    return refused(what, this.#place());
  }

  #place(): string {
    const shown = this.#path.slice(0, 8).map((name) => {
      const text = String(name);
      return text.length > 32 ? `${text.slice(0, 32)}…` : text;
    });
    return shown.join('.') + (this.#path.length > shown.length ? '.…' : '');
  }
}

function refused(what: string, place: string): CacheError {
  const where = place === '' ? '' : ` (at ${JSON.stringify(place)})`;
  return new CacheError(
    'ERR_STORE_FAILED',
    `A value with ${what} cannot be stored${where}: it would not come back as it was.`,
  );
}
