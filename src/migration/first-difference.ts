/**
 * Where two values first differ, as a path for people: `inventory[0].count`. It names places and kinds, never a value,
 * because the path goes into logs.
 *
 * Values count as equal where a bot cannot tell them apart by reading: a field that is `undefined` is a field that is not
 * there, and -0 is 0. The walk ends after {@link MAX_STEPS} values, so that it never holds the event loop for long.
 */

/** About 2 ms of walking. What lies beyond is taken as equal. */
const MAX_STEPS = 20_000;

export interface Difference {
  readonly path: string;
  /** Kinds of what stands there: `number`, `Date`, `nothing`. */
  readonly left: string;
  readonly right: string;
}

export function firstDifference(left: unknown, right: unknown): Difference | undefined {
  return new Comparison().compare(left, right, '');
}

/** What a value is, in a word. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (Array.isArray(value)) return 'list';
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag !== 'Object') return tag;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return 'object';
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'class instance';
}

class Comparison {
  #steps = 0;
  /** Pairs under way or compared already, so that cycles end. */
  readonly #seen = new Map<object, object>();

  compare(left: unknown, right: unknown, path: string): Difference | undefined {
    if (++this.#steps > MAX_STEPS || left === right || Object.is(left, right)) return undefined;
    const [leftKind, rightKind] = [kindOf(left), kindOf(right)];
    const difference = { path, left: leftKind, right: rightKind };
    if (leftKind !== rightKind || typeof left !== 'object' || typeof right !== 'object') return difference;
    if (left === null || right === null) return difference;
    if (this.#seen.get(left) === right) return undefined;
    this.#seen.set(left, right);
    if (Array.isArray(left) && Array.isArray(right)) return this.#lists(left, right, path);
    if (ArrayBuffer.isView(left) && ArrayBuffer.isView(right)) {
      return sameBytes(left, right) ? undefined : difference;
    }
    switch (leftKind) {
      case 'Map':
        return this.#maps(left as Map<unknown, unknown>, right as Map<unknown, unknown>, path);
      case 'Set':
        return this.#lists([...(left as Set<unknown>)], [...(right as Set<unknown>)], path);
      case 'Date':
        return Object.is((left as Date).getTime(), (right as Date).getTime()) ? undefined : difference;
      case 'RegExp':
        return String(left) === String(right) ? undefined : difference;
      default:
        return this.#fields(left, right, path);
    }
  }

  #lists(left: readonly unknown[], right: readonly unknown[], path: string): Difference | undefined {
    const length = Math.max(left.length, right.length);
    for (let i = 0; i < length; i++) {
      const difference = this.compare(left[i], right[i], `${path}[${i}]`);
      if (difference !== undefined) return difference;
      if (this.#steps > MAX_STEPS) return undefined;
    }
    return undefined;
  }

  #maps(left: Map<unknown, unknown>, right: Map<unknown, unknown>, path: string): Difference | undefined {
    for (const name of new Set([...left.keys(), ...right.keys()])) {
      const place = `${path}.get(${typeof name === 'object' ? '…' : String(name)})`;
      const difference = this.compare(left.get(name), right.get(name), place);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  #fields(left: object, right: object, path: string): Difference | undefined {
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const place = path === '' ? name : `${path}.${name}`;
      const difference = this.compare(Reflect.get(left, name), Reflect.get(right, name), place);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
}

function sameBytes(left: ArrayBufferView, right: ArrayBufferView): boolean {
  return bytesOf(left).equals(bytesOf(right));
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
