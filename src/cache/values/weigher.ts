/**
 * How many bytes a value takes on the heap, and whether the cache may keep it at all.
 *
 * One walk answers both. Weights follow V8's object layout on 64-bit Node (8-byte pointers, no pointer compression),
 * since JSON length is off by a factor of up to seven; `scripts/calibrate-weigher.ts` holds the constants against
 * real heap growth. What is reached twice is counted once, cycles end, and a walk never goes on past its budget.
 * Freezing and copying are left to `freeze.ts` and `clone.ts`.
 */
import { types } from 'node:util';
import type { EntryExtras } from '../entry.ts';
import { canonicalKey } from '../keys/canonical.ts';
import { hasHiddenFields, lookupGetter, lookupSetter, VIEWS } from './kinds.ts';
import type { Packed } from './packed.ts';

/**
 * What may be done with a value.
 * - `frozen`: plain objects, arrays and primitives; once deep-frozen it can be handed out as it is.
 * - `copied`: holds a Date, Map, Set, RegExp, Buffer, typed array or ArrayBuffer, which no freezing protects: each
 *   reader needs a copy of its own.
 * - `unsafe`: holds a function, a symbol, a class instance, a proxy, an accessor or the like: not to be kept.
 * - `too-large`: the walk's budget ran out: not to be kept.
 */
export type ValueKind = 'frozen' | 'copied' | 'unsafe' | 'too-large';

export interface Weighed {
  readonly kind: ValueKind;
  /** Bytes; for `unsafe` and `too-large` what had been counted when the walk ended. */
  readonly weightBytes: number;
}

/**
 * Values looked at before a walk gives up: with freezing or copying some 10 ms at most.
 * What is bigger does not belong in an entry, and must not hold the event loop.
 */
export const MAX_WALK_NODES = 100_000;

/** What takes longer than a field or an element counts as so many of them: it is remembered, frozen, or hashed anew. */
const OBJECT_NODES = 5;
const MEMBER_NODES = 4;
const TABLE_FIELD_NODES = 20;

const POINTER = 8;
const HEAP_NUMBER = 16;
const STRING_HEADER = 16;
/** Map, properties and elements pointers. */
const OBJECT_HEADER = 24;
const ARRAY_HEADER = 32;
/** Map and length of a backing store. */
const ELEMENTS_HEADER = 16;
const DATE = 96;
const REGEXP = 160;
/** JSMap or JSSet plus the fixed part of its hash table. */
const COLLECTION = 72;
/** View, ArrayBuffer and the record that owns the bytes outside the heap. */
const BINARY = 208;
/** Objects with more own fields are hash tables, whose keys are seldom shared with other objects. */
const MAX_SHAPED_FIELDS = 128;
/** Up to so many objects a linear look finds the ones seen before; more need a Set. */
const FEW_OBJECTS = 16;

// V8 compiles this for one-byte strings into an immediate "no", so that only two-byte strings are ever scanned.
// biome-ignore lint/suspicious/noControlCharactersInRegex: U+0000 is where Latin-1 begins
const BEYOND_LATIN_1 = /[^\u0000-\u00ff]/;

const COPIED_BINARY: ReadonlySet<object> = new Set([Buffer.prototype, ArrayBuffer.prototype, ...VIEWS]);

/** Bytes that a string takes: one a character as long as all are Latin-1, else two for every one of them. */
export function stringBytes(text: string): number {
  const length = text.length;
  // The empty string and Latin-1 characters exist once in the whole process.
  if (length < 2 && !BEYOND_LATIN_1.test(text)) return 0;
  return (STRING_HEADER + (BEYOND_LATIN_1.test(text) ? 2 * length : length) + 7) & ~7;
}

/** Bytes an entry takes beyond its value: the key, the entry, and its places in the order of use and the indexes. */
export function entryOverheadBytes(key: string, extras?: Pick<EntryExtras, 'links'>): number {
  const canonical = canonicalKey(key);
  const spelling = canonical === key ? 0 : SPELLING_BYTES + stringBytes(canonical);
  const bytes = ENTRY_BYTES + stringBytes(key) + spelling;
  if (extras === undefined) return bytes;
  const { links } = extras;
  if (links === undefined) return bytes + EXTRAS_BYTES;
  const { tags, dependsOn, origin } = links;
  const own = origin?.own ?? links; // the texts of the others are those of what they come from
  const places = TAG_BYTES * tags.length + DEPENDENCY_BYTES * dependsOn.length;
  const origins = origin === undefined ? 0 : ORIGIN_BYTES + INHERITED_BYTES * origin.inherited.length;
  return (
    bytes + EXTRAS_BYTES + LINKS_BYTES + places + textBytes(own.tags) + textBytes(own.dependsOn) + origins
  );
}

function textBytes(texts: readonly string[]): number {
  let bytes = 0;
  for (const text of texts) bytes += stringBytes(text);
  return bytes;
}

/** Bytes a compressed value takes. */
export function packedBytes({ bytes }: Packed): number {
  return PACKED_BYTES + bytes.length;
}

// Measured by `scripts/calibrate-weigher.ts`.
const ENTRY_BYTES = 248;
/** A place in the index of keys that spell an id as a number, bigint or the like, beside the canonical text. */
const SPELLING_BYTES = 95;
const EXTRAS_BYTES = 72;
const LINKS_BYTES = 160;
/** A place in the indexes beside the text: 40 bytes where many entries share it, 80 and 140 where it has it alone. */
const TAG_BYTES = 66;
const DEPENDENCY_BYTES = 112;
/** What is its own, kept apart from what came with each dependency that had links of its own. */
const ORIGIN_BYTES = 60;
const INHERITED_BYTES = 180;
const PACKED_BYTES = 250;

/** Weighs a value in one walk over at most `maxNodes` values. Never throws, and runs no code of the value's. */
export function weigh(value: unknown, maxNodes = MAX_WALK_NODES): Weighed {
  const walk = new Walk(maxNodes);
  walk.run(value);
  return { kind: walk.kind, weightBytes: walk.bytes };
}

class Walk {
  kind: ValueKind = 'frozen';
  bytes = 0;
  #nodesLeft: number;
  /** Objects found and not yet entered. */
  #pending: object[] | undefined;
  /** Objects entered or pending, while they are few; then all of them are in `#seen`. */
  #few: object[] | undefined;
  #seen: Set<object> | undefined;

  constructor(maxNodes: number) {
    this.#nodesLeft = maxNodes;
  }

  run(value: unknown): void {
    if (typeof value !== 'object' || value === null) {
      this.#add(value);
      return;
    }
    this.#few = [value];
    let next: object | undefined = value;
    while (next !== undefined) {
      this.#enter(next);
      if (this.#nodesLeft < 0) this.kind = 'too-large';
      if (this.kind === 'unsafe' || this.kind === 'too-large') return;
      next = this.#pending?.pop();
    }
  }

  /** Counts what a field's pointer leads to. */
  #add(value: unknown): void {
    this.#nodesLeft--;
    switch (typeof value) {
      case 'string':
        this.bytes += stringBytes(value);
        return;
      case 'number':
        if ((value | 0) !== value || Object.is(value, -0)) this.bytes += HEAP_NUMBER;
        return;
      case 'object':
        if (value !== null) this.#meet(value);
        return;
      case 'bigint':
        this.bytes += bigintBytes(value);
        return;
      case 'function':
      case 'symbol':
        this.kind = 'unsafe';
        return;
    }
  }

  #meet(object: object): void {
    if (this.#seen !== undefined) {
      if (this.#seen.has(object)) return;
      this.#seen.add(object);
    } else if (this.#few !== undefined) {
      if (this.#few.includes(object)) return;
      this.#few.push(object);
      if (this.#few.length > FEW_OBJECTS) this.#seen = new Set(this.#few);
    }
    this.#nodesLeft -= OBJECT_NODES;
    if (this.#pending === undefined) this.#pending = [object];
    else this.#pending.push(object);
  }

  #enter(object: object): void {
    if (types.isProxy(object)) {
      this.kind = 'unsafe';
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype === Object.prototype || prototype === null) this.#enterPlain(object);
    else if (prototype === Array.prototype && Array.isArray(object)) this.#enterArray(object);
    else this.#enterCopied(object, prototype);
  }

  #enterPlain(object: object): void {
    let fields = 0;
    for (const name in object) {
      fields++;
      // A getter is code: it could change what it gives, or throw.
      if (lookupGetter.call(object, name) !== undefined) {
        this.kind = 'unsafe';
        return;
      }
      const value: unknown = object[name as keyof typeof object];
      if (value === undefined && lookupSetter.call(object, name) !== undefined) {
        this.kind = 'unsafe';
        return;
      }
      this.#add(value);
      if (fields > MAX_SHAPED_FIELDS) this.#nodesLeft -= TABLE_FIELD_NODES;
      if (this.#nodesLeft < 0) return;
    }
    this.bytes += fields <= MAX_SHAPED_FIELDS ? shapedBytes(fields) : tableBytes(object, fields);
    // Hidden fields would escape both the weight and the freezing. Inherited ones differ from the own ones here, too.
    if (hasHiddenFields(object, fields)) this.kind = 'unsafe';
  }

  #enterArray(array: readonly unknown[]): void {
    this.bytes += ARRAY_HEADER;
    const length = array.length;
    if (length > this.#nodesLeft) {
      this.#nodesLeft = -1;
      return;
    }
    if (hasNamedFields(array)) {
      this.kind = 'unsafe';
      return;
    }
    if (length === 0) return;
    this.bytes += ELEMENTS_HEADER + POINTER * length;
    for (let i = 0; i < length && this.#nodesLeft >= 0; i++) this.#add(array[i]);
  }

  #enterCopied(object: object, prototype: unknown): void {
    if (typeof prototype !== 'object' || prototype === null) {
      this.kind = 'unsafe';
      return;
    }
    if (prototype === Date.prototype && types.isDate(object)) this.bytes += DATE;
    else if (prototype === RegExp.prototype && types.isRegExp(object)) {
      this.bytes += REGEXP + stringBytes(object.source);
    } else if (prototype === Map.prototype && types.isMap(object)) this.#enterMap(object);
    else if (prototype === Set.prototype && types.isSet(object)) this.#enterSet(object);
    else {
      const isBinary = COPIED_BINARY.has(prototype);
      const bytes =
        isBinary && (ArrayBuffer.isView(object) || types.isArrayBuffer(object)) && bytesOf(object);
      if (typeof bytes !== 'number') {
        this.kind = 'unsafe';
        return;
      }
      this.bytes += BINARY + bytes;
    }
    if (this.kind === 'frozen') this.kind = 'copied';
  }

  #enterMap(map: ReadonlyMap<unknown, unknown>): void {
    this.#nodesLeft -= map.size * 2 * (MEMBER_NODES - 1);
    if (this.#nodesLeft < 0) return;
    const capacity = collectionCapacity(map.size);
    this.bytes += COLLECTION + 3 * POINTER * capacity + (POINTER * capacity) / 2;
    for (const [key, value] of map) {
      this.#add(key);
      this.#add(value);
      if (this.#nodesLeft < 0) return;
    }
  }

  #enterSet(set: ReadonlySet<unknown>): void {
    this.#nodesLeft -= set.size * (MEMBER_NODES - 1);
    if (this.#nodesLeft < 0) return;
    const capacity = collectionCapacity(set.size);
    this.bytes += COLLECTION + 2 * POINTER * capacity + (POINTER * capacity) / 2;
    for (const value of set) {
      this.#add(value);
      if (this.#nodesLeft < 0) return;
    }
  }
}

const { at } = Uint8Array.prototype;

/** `undefined` where they are gone: handed to another thread, or beyond the end of a buffer that shrank. */
function bytesOf(binary: ArrayBuffer | ArrayBufferView): number | undefined {
  try {
    if (types.isArrayBuffer(binary)) binary.slice(0, 0);
    else if (!types.isDataView(binary)) at.call(binary as Uint8Array, 0); // any typed array will do
    return binary.byteLength;
  } catch {
    return undefined;
  }
}

const INDEX = /^(?:0|[1-9]\d*)$/;

/** Fields beside the elements would be neither weighed, frozen nor copied. Indexes come first among the names. */
function hasNamedFields(array: readonly unknown[]): boolean {
  const last = Object.keys(array).at(-1);
  if (last !== undefined && !(INDEX.test(last) && Number(last) < array.length)) return true;
  return Object.getOwnPropertySymbols(array).length !== 0;
}

/** An object with a shape of its own; one that began without fields has room for some. */
function shapedBytes(fields: number): number {
  return OBJECT_HEADER + POINTER * (fields === 0 ? 4 : fields);
}

/** A hash table holds name, value and details of each field at a load of at most two thirds. */
function tableBytes(object: object, fields: number): number {
  const capacity = 2 ** Math.ceil(Math.log2(fields * 1.5));
  let bytes = OBJECT_HEADER + 56 + 3 * POINTER * capacity;
  for (const name in object) bytes += stringBytes(name);
  return bytes;
}

function collectionCapacity(size: number): number {
  return size <= 4 ? 4 : 2 ** Math.ceil(Math.log2(size));
}

function bigintBytes(value: bigint): number {
  if (BigInt.asIntN(64, value) === value) return value === 0n ? 16 : 24;
  return 16 + 8 * Math.ceil(value.toString(16).length / 16);
}
