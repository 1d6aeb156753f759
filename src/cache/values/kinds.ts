/**
 * What kind of object a value is, found out without running any code of its own.
 *
 * Kinds are recognised by structure, not by `instanceof`, so that an object of another realm (`node:vm`, Jest, vitest's
 * `vmThreads`) is what it would be in this one. An instance of a subclass is of no kind: a copy would lose its class.
 */
import { types } from 'node:util';

type LookupAccessor = (this: object, name: string | number) => unknown;
// The only ways to see an accessor without running it that allocate nothing; a descriptor costs twice as much.
export const lookupGetter: LookupAccessor = Reflect.get(Object.prototype, '__lookupGetter__');
export const lookupSetter: LookupAccessor = Reflect.get(Object.prototype, '__lookupSetter__');

export type ObjectKind =
  | 'plain'
  | 'null-prototype'
  | 'array'
  | 'date'
  | 'map'
  | 'set'
  | 'regexp'
  | 'buffer'
  | 'view'
  | 'array-buffer';

type ViewConstructor = new (bytes: ArrayBuffer) => ArrayBufferView;

/** The views of bytes that the language has, by name. */
const VIEWS: ReadonlyMap<string, ViewConstructor> = new Map<string, ViewConstructor>(
  [
    DataView,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((view) => [view.name, view]),
);

/** Kinds by the name of their class. */
const KINDS: ReadonlyMap<string, ObjectKind> = new Map<string, ObjectKind>([
  ['Object', 'plain'],
  ['Array', 'array'],
  ['Date', 'date'],
  ['Map', 'map'],
  ['Set', 'set'],
  ['RegExp', 'regexp'],
  ['ArrayBuffer', 'array-buffer'],
  ...[...VIEWS.keys()].map((name) => [name, 'view'] as const),
]);

/** What the prototypes that were met stand for, whatever realm they are of. */
const kindOfPrototype = new WeakMap<object, ObjectKind | 'none'>([[Buffer.prototype, 'buffer']]);

/** The kind of an object that is no proxy; `undefined` for an instance of any other class. */
export function kindOf(object: object): ObjectKind | undefined {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype === Object.prototype) return 'plain';
  if (prototype === Array.prototype) return Array.isArray(object) ? 'array' : undefined;
  if (prototype === null) return 'null-prototype';
  const promised = promisedKind(prototype as object);
  return promised !== undefined && HAS_SLOTS[promised](object) ? promised : undefined;
}

/** Whether an object really is what its prototype makes it look like. */
const HAS_SLOTS: Readonly<Record<ObjectKind, (object: object) => boolean>> = {
  plain: (object) => !types.isExternal(object) && !Array.isArray(object),
  'null-prototype': () => true,
  array: Array.isArray,
  date: types.isDate,
  map: types.isMap,
  set: types.isSet,
  regexp: types.isRegExp,
  buffer: types.isUint8Array,
  view: ArrayBuffer.isView,
  'array-buffer': types.isArrayBuffer,
};

function promisedKind(prototype: object): ObjectKind | undefined {
  let kind = kindOfPrototype.get(prototype);
  if (kind === undefined) {
    kind = builtInKind(prototype) ?? 'none';
    kindOfPrototype.set(prototype, kind);
  }
  return kind === 'none' ? undefined : kind;
}

/** The kind whose prototype this is, in some realm: that of a built-in class, directly below `Object`'s. */
function builtInKind(prototype: object): ObjectKind | undefined {
  if (types.isProxy(prototype)) return undefined;
  const madeBy = ownValue(prototype, 'constructor');
  if (typeof madeBy !== 'function' || types.isProxy(madeBy)) return undefined;
  if (ownValue(madeBy, 'prototype') !== prototype) return undefined;
  // A class that somebody wrote and called `Map` is none: only built-in functions have native code for a source.
  if (!/\{ \[native code\] \}$/.test(Function.prototype.toString.call(madeBy))) return undefined;
  const name = ownValue(madeBy, 'name');
  return typeof name === 'string' ? KINDS.get(name) : undefined;
}

function ownValue(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object;
const typedArrayName = Object.getOwnPropertyDescriptor(TYPED_ARRAY, Symbol.toStringTag)?.get;

/** The class of a view, such as `Float64Array`, as it is in this realm. */
export function viewConstructor(view: ArrayBufferView): ViewConstructor | undefined {
  return VIEWS.get(types.isDataView(view) ? 'DataView' : String(typedArrayName?.call(view)));
}

/** Whether there are own fields beside the enumerable ones with a text for a name: `enumerable` is how many these are. */
export function hasHiddenFields(object: object, enumerable: number): boolean {
  return (
    Object.getOwnPropertyNames(object).length !== enumerable ||
    Object.getOwnPropertySymbols(object).length !== 0
  );
}

/** How people call the class of an object: `a Decimal`. Runs no code of the object's. */
export function describeClass(object: object): string {
  if (types.isProxy(object)) return 'a proxy';
  for (let each: object | null = Object.getPrototypeOf(object); each !== null && !types.isProxy(each); ) {
    const madeBy = ownValue(each, 'constructor');
    const name =
      typeof madeBy === 'function' && !types.isProxy(madeBy)
        ? ownValue(madeBy, 'name')
        : Object.getOwnPropertyDescriptor(each, Symbol.toStringTag)?.value;
    if (name === 'Object') return 'an object that inherits from another one';
    if (typeof name === 'string' && name !== '') return withArticle(name);
    each = Object.getPrototypeOf(each);
  }
  return 'an instance of a class';
}

function withArticle(name: string): string {
  return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`;
}
