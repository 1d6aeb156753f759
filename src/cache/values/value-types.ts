/**
 * Classes that an author teaches the cache: how to copy, weigh and store their instances. An instance is known by its
 * very class; one of a subclass is not, since a copy would lose that.
 */
import { CacheError } from '../errors.ts';
import { assertKnown, type OptionNames } from '../known-options.ts';
import { kindOf } from './kinds.ts';
import { BINARY, bigintBytes, listBytes, numberBytes, shapedBytes } from './layout.ts';
import { stringBytes } from './own-text.ts';

/** A class whose instances may be kept, see `valueTypes` of `createCache`. */
export interface ValueType<T = never, E = never> {
  readonly type: abstract new (...args: never[]) => unknown;
  /** Makes an instance that shares nothing mutable with this one; or `'shared'` where instances never change. */
  readonly copy: 'shared' | { of(value: T): unknown }['of'];
  /** Bytes that an instance takes. @default an estimate from its own fields */
  readonly weigh?: { of(value: T): number }['of'] | undefined;
  /**
   * What is stored in place of an instance, on disk and where a value is compressed: plain data. Without it a value
   * with such an instance stays in memory. Goes with `decode`.
   */
  readonly encode?: { of(value: T): unknown }['of'] | undefined;
  /** Makes the instance from what `encode` gave. */
  readonly decode?: { of(encoded: E): unknown }['of'] | undefined;
  /** Under which stored instances are found again. @default the name of the class */
  readonly name?: string | undefined;
}

/** A taught class as the cache uses it. */
export interface TaughtType {
  readonly name: string;
  readonly isShared: boolean;
  copy(value: object): object;
  weigh(value: object): number;
  readonly encode: ((value: object) => unknown) | undefined;
  readonly decode: ((encoded: unknown) => object) | undefined;
}

const OPTIONS: OptionNames<ValueType> = {
  type: true,
  copy: true,
  weigh: true,
  encode: true,
  decode: true,
  name: true,
};

/** The taught classes by their prototypes. */
export class ValueTypes {
  readonly #byPrototype = new Map<unknown, TaughtType>();
  readonly #byName = new Map<string, TaughtType>();

  /** @throws CacheError `ERR_ARGUMENT_INVALID` for a type that makes no sense, with its place in the list */
  constructor(types: readonly ValueType[] = []) {
    if (!Array.isArray(types)) throw invalid('valueTypes of createCache is a list of { type, copy, … }.');
    types.forEach((type: ValueType, i: number) => {
      const taught = compile(type, `valueTypes[${i}]`);
      const { prototype } = type.type;
      if (this.#byPrototype.has(prototype) || this.#byName.has(taught.name)) {
        throw invalid(
          `valueTypes[${i}] is a second "${taught.name}": give each class once, and classes of one name a name of their own.`,
        );
      }
      this.#byPrototype.set(prototype, taught);
      this.#byName.set(taught.name, taught);
    });
  }

  get isEmpty(): boolean {
    return this.#byPrototype.size === 0;
  }

  find(object: object): TaughtType | undefined {
    return this.#byPrototype.size === 0 ? undefined : this.#byPrototype.get(Object.getPrototypeOf(object));
  }

  named(name: string): TaughtType | undefined {
    return this.#byName.get(name);
  }

  all(): Iterable<TaughtType> {
    return this.#byPrototype.values();
  }
}

function compile(given: ValueType, place: string): TaughtType {
  assertKnown(`${place} of createCache`, given, OPTIONS);
  const { type, copy, weigh, encode, decode } = given as ValueType<object, unknown>;
  const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
  if (typeof prototype !== 'object' || prototype === null) {
    throw invalid(`type of ${place} is the class itself, such as Decimal, not ${shown(type)}.`);
  }
  if (prototype === Object.prototype || kindOf(Object.create(prototype)) !== undefined || isBuiltIn(type)) {
    throw invalid(`type of ${place} is ${type.name}, which the cache knows: leave it out.`);
  }
  if (copy !== 'shared' && typeof copy !== 'function') {
    throw invalid(
      `copy of ${place} is a function that makes a copy, or 'shared' for instances that never change, not ${shown(copy)}.`,
    );
  }
  const optional: readonly (readonly [string, unknown])[] = [
    ['weigh', weigh],
    ['encode', encode],
    ['decode', decode],
  ];
  for (const [name, value] of optional) {
    if (value !== undefined && typeof value !== 'function')
      throw invalid(`${name} of ${place} is a function, not ${shown(value)}.`);
  }
  if ((encode === undefined) !== (decode === undefined))
    throw invalid(`${place} needs both encode and decode, or neither.`);
  const name = given.name ?? type.name;
  if (typeof name !== 'string' || name === '')
    throw invalid(`${place} needs a name, under which stored instances are found again.`);
  return {
    name,
    isShared: copy === 'shared',
    copy: copy === 'shared' ? (value) => value : (value) => sameClass(copy(value), prototype, place),
    weigh: weigh === undefined ? (value) => estimate(value, 3) : (value) => assertWeight(weigh(value), place),
    encode,
    decode: decode && ((encoded) => sameClass(decode(encoded), prototype, place)),
  };
}

const BUILT_IN: readonly unknown[] = [Object, Array, Date, Map, Set, RegExp, ArrayBuffer, Buffer, DataView];

function isBuiltIn(type: unknown): boolean {
  return BUILT_IN.includes(type) || Object.getPrototypeOf(type) === Object.getPrototypeOf(Uint8Array);
}

function sameClass(value: unknown, prototype: object, place: string): object {
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === prototype) return value;
  throw invalid(`copy and decode of ${place} give instances of its class, not ${shown(value)}.`);
}

function assertWeight(bytes: unknown, place: string): number {
  if (typeof bytes === 'number' && bytes >= 0 && bytes < Number.POSITIVE_INFINITY) return bytes;
  throw invalid(`weigh of ${place} gives a number of bytes, not ${shown(bytes)}.`);
}

/** Bytes of an object and of what its own fields hold. */
function estimate(object: object, levels: number): number {
  if (ArrayBuffer.isView(object)) return BINARY + object.byteLength;
  const names = Object.getOwnPropertyNames(object);
  let bytes = Array.isArray(object) ? listBytes(object.length) : shapedBytes(names.length);
  for (const name of names) {
    const value: unknown = Object.getOwnPropertyDescriptor(object, name)?.value;
    if (typeof value === 'string') bytes += stringBytes(value);
    else if (typeof value === 'number')
      bytes += Array.isArray(object) && name === 'length' ? 0 : numberBytes(value);
    else if (typeof value === 'bigint') bytes += bigintBytes(value);
    else if (typeof value === 'object' && value !== null && levels > 0) bytes += estimate(value, levels - 1);
  }
  return bytes;
}

function shown(value: unknown): string {
  if (typeof value === 'function') return value.name || 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function invalid(message: string): CacheError {
  return new CacheError('ERR_ARGUMENT_INVALID', message);
}
