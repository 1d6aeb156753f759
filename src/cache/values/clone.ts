/**
 * Copies of values that freezing cannot protect: those with a Date, Map, Set, RegExp or bytes in them (I6).
 *
 * Such a value is copied when it is kept and again for every reader. Unlike `structuredClone` a Buffer stays a Buffer
 * and an object without a prototype stays one, and bytes get memory of their own, so that a small Buffer does not
 * hold on to Node's pool. Takes what the weigher calls `copied` or `frozen`.
 */

/** A deep copy that shares nothing mutable with the original. Cycles and shared parts keep their form. */
export function cloneValue<T>(value: T): T {
  // The copy has the type of the original, which the walk below cannot express.
  return new Cloning().run(value) as T;
}

type Container = unknown[] | Map<unknown, unknown> | Set<unknown> | Record<string, unknown>;

class Cloning {
  readonly #copies = new Map<object, object>();
  /** Originals and their copies, which are still empty. */
  readonly #unfilled: [original: Container, copy: Container][] = [];

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
    const leaf = copyLeaf(value);
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

  #fill(original: Container, copy: Container): void {
    if (Array.isArray(original)) {
      const array = copy as unknown[];
      for (let i = 0; i < original.length; i++) array[i] = this.#copyOf(original[i]);
    } else if (original instanceof Map) {
      const map = copy as Map<unknown, unknown>;
      for (const [key, value] of original) map.set(this.#copyOf(key), this.#copyOf(value));
    } else if (original instanceof Set) {
      const set = copy as Set<unknown>;
      for (const value of original) set.add(this.#copyOf(value));
    } else {
      for (const name of Object.keys(original)) {
        setField(copy as Record<string, unknown>, name, this.#copyOf(original[name]));
      }
    }
  }
}

function emptyLike(original: Container): Container {
  if (Array.isArray(original)) return [];
  if (original instanceof Map) return new Map();
  if (original instanceof Set) return new Set();
  return Object.getPrototypeOf(original) === null ? Object.create(null) : {};
}

/** Assigning to `__proto__` would change the prototype instead of adding a field. */
function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A copy of what holds no other values, or `undefined` for what does. */
function copyLeaf(value: object): object | undefined {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) {
    const copy = new RegExp(value.source, value.flags);
    copy.lastIndex = value.lastIndex;
    return copy;
  }
  if (value instanceof ArrayBuffer) return value.slice(0);
  return ArrayBuffer.isView(value) ? copyView(value) : undefined;
}

function copyView(view: ArrayBufferView): object {
  if (Buffer.isBuffer(view)) {
    const copy = Buffer.allocUnsafeSlow(view.length);
    copy.set(view);
    return copy;
  }
  if (view instanceof DataView) {
    return new DataView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  }
  // Every other view is a typed array; no common type of theirs says so.
  return (view as Uint8Array).slice();
}
