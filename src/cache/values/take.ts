/**
 * The one walk over a value at its fill: it makes the copy that is kept, tells how readers' copies of it are made, and
 * weighs it. The caller's own object is neither kept nor changed (I6), no code of it is run (taught classes apart), and
 * the walk ends within its budget (I12).
 *
 * What cannot be copied (functions, class instances, proxies, accessors, hidden fields) is refused with its kind and
 * its place. Objects of another realm are copied into this one. What is reached twice is copied and weighed once.
 */
import { types } from 'node:util';
import type { ValuesMode } from '../tiers/policy.ts';
import { deepFreeze } from './freeze.ts';
import {
  describeClass,
  hasHiddenFields,
  lookupGetter,
  lookupSetter,
  type ObjectKind,
  objectKindOf,
  viewConstructor,
} from './kinds.ts';
import {
  BINARY,
  bigintBytes,
  DATE,
  finishIndexes,
  indexBytes,
  isIndex,
  listBytes,
  listOfNumbers,
  mapBytes,
  numberBytes,
  prepareIndexes,
  REGEXP,
  setBytes,
  shapedObject,
  tableBytes,
  tableObject,
} from './layout.ts';
import { ownText, stringBytes } from './own-text.ts';
import type { Shapes } from './shapes.ts';
import type { TaughtType, ValueTypes } from './value-types.ts';

/**
 * How a reader's copy is made.
 * - `shared`: nobody can change it; it is handed out as it is.
 * - `flat`: an object whose fields hold no objects.
 * - `rows`: a list of primitives and flat objects.
 * - `tree`: plain objects and dense lists, each met once.
 * - `graph`: anything else: dates, maps, bytes, tables of ids, cycles, taught classes.
 */
export type Form = 'shared' | 'flat' | 'rows' | 'tree' | 'graph';

/** A copy of a value, made to be kept. */
export interface Taken {
  readonly value: unknown;
  readonly form: Form;
  /**
   * `whole`: it is frozen, and can be shared; `in-part`: it is to be frozen, but holds a kind that cannot be, so that
   * each reader gets a frozen copy; `undefined`: readers get copies.
   */
  readonly frozen: 'whole' | 'in-part' | undefined;
  readonly weightBytes: number;
  readonly refusal?: undefined;
}

export interface Refusal {
  readonly reason: 'unsafe' | 'too-large';
  /** For people: `price is a Decimal`. */
  readonly text: string;
  /** What a taught class has thrown. */
  readonly error?: unknown;
}

/** A value that cannot be kept, nor copied for whoever else waits for it. */
export interface NotTaken {
  readonly refusal: Refusal;
}

/**
 * Values looked at before a walk gives up: some 10 ms at most. What is bigger does not belong in an entry, and must not
 * hold the event loop.
 */
export const MAX_WALK_NODES = 100_000;

/** What takes longer than a field or an element counts as so many of them. */
const OBJECT_NODES = 5;
const MEMBER_NODES = 4;
const TABLE_FIELD_NODES = 20;
/** So many characters count as one, and so many bytes, by what it takes to copy them: 256 and 1,024. */
const CHARACTERS_A_NODE_BITS = 8;
const BYTES_A_NODE_BITS = 10;

/** Below this the rest is walked later, so that the stack holds. */
const MAX_DEPTH = 200;

const NOT_COPIED = Symbol('not copied');

export interface TakeParts {
  readonly shapes: Shapes;
  readonly types: ValueTypes;
}

/** Takes a copy of a value. Never throws but for what the `copy` or `weigh` of a taught class throws. */
export function take(
  value: unknown,
  mode: ValuesMode,
  parts: TakeParts,
  maxNodes = MAX_WALK_NODES,
): Taken | NotTaken {
  return new Walk(mode === 'frozen', parts, maxNodes).run(value);
}

type Fields = Record<string | number, unknown>;

/** A place of the copy whose value is still to be copied. */
interface Later {
  readonly into: Fields | unknown[];
  readonly name: string | number;
  readonly value: unknown;
}

class Walk {
  readonly #isFrozen: boolean;
  readonly #parts: TakeParts;
  #nodesLeft: number;
  #bytes = 0;
  /** Where readers' copies need more than a walk over plain objects and dense lists. */
  #isGraph = false;
  /** It holds what no freezing protects. */
  #isFreezable = true;
  /** Objects and lists below the root. */
  #nested = 0;
  /** Of these, the ones that hold objects. */
  #deep = 0;
  #copies: Map<object, object> | undefined;
  #first: readonly [original: object, copy: object] | undefined;
  #later: Later[] | undefined;
  #refused: { readonly reason: Refusal['reason']; readonly what: string } | undefined;
  #path: string[] = [];

  constructor(isFrozen: boolean, parts: TakeParts, maxNodes: number) {
    this.#isFrozen = isFrozen;
    this.#parts = parts;
    this.#nodesLeft = maxNodes;
  }

  run(value: unknown): Taken | NotTaken {
    const copy = this.#copyOf(value, 0);
    for (let next = this.#later?.pop(); next !== undefined; next = this.#later?.pop()) {
      if (this.#refused !== undefined) break;
      setField(next.into as Fields, next.name, this.#copyOf(next.value, 1));
      if (this.#refused !== undefined) this.#path.unshift('…');
    }
    if (this.#refused !== undefined) {
      const { reason, what } = this.#refused;
      return { refusal: { reason, text: `${placeOf(this.#path)} ${what}` } };
    }
    if (typeof copy !== 'object' || copy === null) {
      return { value: copy, form: 'shared', frozen: undefined, weightBytes: this.#bytes };
    }
    const form = this.#formOf(copy);
    if (!this.#isFrozen || form === 'shared')
      return { value: copy, form, frozen: undefined, weightBytes: this.#bytes };
    const frozen = this.#isFreezable ? 'whole' : 'in-part';
    return {
      value: frozen === 'whole' ? deepFreeze(copy) : copy,
      form,
      frozen,
      weightBytes: this.#bytes,
    };
  }

  #formOf(root: object): Form {
    if (this.#isGraph) return this.#parts.types.find(root)?.isShared === true ? 'shared' : 'graph';
    if (this.#nested === 0) return Array.isArray(root) ? 'rows' : 'flat';
    return Array.isArray(root) && this.#deep === 0 ? 'rows' : 'tree';
  }

  /** The copy of what a field, an element or the value itself holds. */
  #copyOf(value: unknown, depth: number): unknown {
    this.#nodesLeft--;
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        this.#bytes += numberBytes(value);
        return value;
      case 'object':
        return value === null ? null : this.#object(value, depth);
      case 'bigint':
        this.#bytes += bigintBytes(value);
        return value;
      case 'function':
        return this.#refuse('unsafe', isClass(value) ? 'is a class' : 'is a function');
      case 'symbol':
        return this.#refuse('unsafe', 'is a symbol');
      default:
        return value;
    }
  }

  #text(text: string): string {
    this.#nodesLeft -= text.length >> CHARACTERS_A_NODE_BITS;
    if (this.#nodesLeft < 0) return this.#tooLarge();
    this.#bytes += stringBytes(text);
    return ownText(text);
  }

  #object(object: object, depth: number): unknown {
    const known = this.#first?.[0] === object ? this.#first[1] : this.#copies?.get(object);
    if (known !== undefined) {
      this.#isGraph = true;
      return known;
    }
    this.#nodesLeft -= depth === 0 ? 0 : OBJECT_NODES;
    if (this.#nodesLeft < 0) return this.#tooLarge();
    if (types.isProxy(object)) return this.#refuse('unsafe', 'is a proxy');
    if (depth > 0) this.#nested++;
    const kind = objectKindOf(object);
    if (kind === 'plain' || kind === 'null-prototype') return this.#plain(object as Fields, kind, depth);
    if (kind === 'array') return this.#list(object as unknown[], depth);
    this.#isGraph = true;
    const type = this.#parts.types.find(object);
    if (type !== undefined) return this.#taught(object, type);
    if (kind === undefined) return this.#refuse('unsafe', `is ${describeClass(object)}`);
    this.#isFreezable = false;
    return this.#special(object, kind, depth);
  }

  #met<T extends object>(original: object, copy: T): T {
    if (this.#first === undefined) this.#first = [original, copy];
    else {
      this.#copies ??= new Map();
      this.#copies.set(original, copy);
    }
    return copy;
  }

  #plain(object: Fields, kind: ObjectKind, depth: number): unknown {
    const names = Object.keys(object);
    const { length } = names;
    if (length > this.#nodesLeft) return this.#tooLarge();
    if (hasHiddenFields(object, length)) {
      return this.#refuse('unsafe', 'is an object with hidden fields (named by symbols, or not enumerable)');
    }
    let indexes = 0;
    while (indexes < length && isIndex(names[indexes] as string)) indexes++;
    const shape = this.#parts.shapes.of(indexes === 0 ? names : names.slice(indexes));
    let copy: Fields;
    if (shape !== undefined && kind === 'plain' && indexes === 0) {
      copy = shapedObject(shape.template);
      this.#bytes += shape.bytes;
    } else {
      copy = this.#table(kind, names, indexes, shape !== undefined);
      if (this.#nodesLeft < 0) return this.#tooLarge();
    }
    this.#met(object, copy);
    const nested = this.#nested;
    for (let i = 0; i < length; i++) {
      const name = names[i] as string;
      // A getter is code: it could change what it gives, or throw.
      if (lookupGetter.call(object, name) !== undefined) return this.#refuse('unsafe', 'is a getter', name);
      const value = object[name];
      if (value === undefined && lookupSetter.call(object, name) !== undefined)
        return this.#refuse('unsafe', 'is a setter', name);
      const copied = this.#within(copy, name, value, depth);
      if (copied === NOT_COPIED) continue;
      if (this.#refused !== undefined) return this.#unwind(name);
      if (name === '__proto__') setField(copy, name, copied);
      else copy[name] = copied;
    }
    if (indexes > 0) finishIndexes(copy, names[indexes - 1]);
    if (this.#nodesLeft < 0) return this.#tooLarge();
    if (this.#nested > nested && depth > 0) this.#deep++;
    return copy;
  }

  #table(kind: ObjectKind, names: readonly string[], indexes: number, areNamesShared: boolean): Fields {
    this.#isGraph = true;
    this.#nodesLeft -= TABLE_FIELD_NODES * names.length;
    const hasPrototype = kind === 'plain';
    const copy = hasPrototype ? tableObject() : (Object.create(null) as Fields);
    this.#bytes += tableBytes(names.length - indexes, hasPrototype, this.#isFrozen);
    if (!areNamesShared)
      for (let i = indexes; i < names.length; i++) this.#bytes += stringBytes(names[i] as string);
    if (indexes > 0) {
      prepareIndexes(copy);
      this.#bytes += indexBytes(indexes);
    }
    return copy;
  }

  /** Copies what a place holds, or leaves it for later where the stack would grow too high. */
  #within(into: Fields | unknown[], name: string | number, value: unknown, depth: number): unknown {
    if (depth < MAX_DEPTH || typeof value !== 'object' || value === null)
      return this.#copyOf(value, depth + 1);
    this.#isGraph = true; // deeper than a reader's quick copy may go
    this.#later ??= [];
    this.#later.push({ into, name, value });
    // Its place among the fields is taken now.
    if (!Array.isArray(into)) setField(into, name, undefined);
    return NOT_COPIED;
  }

  #list(list: readonly unknown[], depth: number): unknown {
    const { length } = list;
    if (length > this.#nodesLeft) return this.#tooLarge();
    if (hasNamedFields(list)) return this.#refuse('unsafe', 'is a list with fields of its own');
    this.#bytes += listBytes(length);
    if (length === 0) return this.#met(list, []);
    const numbers = this.#numbers(list);
    if (numbers !== undefined) return this.#met(list, numbers);
    const copy = new Array<unknown>(length);
    // It holds pointers from the start: what it begins with decides how V8 lays it out.
    copy[0] = null;
    this.#met(list, copy);
    const nested = this.#nested;
    for (let i = 0; i < length; i++) {
      if (lookupGetter.call(list, i) !== undefined) return this.#refuse('unsafe', 'is a getter', i);
      const value = list[i];
      if (value === undefined && !Object.hasOwn(list, i)) {
        this.#isGraph = true;
        if (i === 0) delete copy[0];
        continue;
      }
      if (value === undefined && lookupSetter.call(list, i) !== undefined)
        return this.#refuse('unsafe', 'is a setter', i);
      const copied = this.#within(copy, i, value, depth);
      if (copied === NOT_COPIED) continue;
      if (this.#refused !== undefined) return this.#unwind(i);
      copy[i] = copied;
    }
    if (this.#nodesLeft < 0) return this.#tooLarge();
    if (this.#nested > nested && depth > 0) this.#deep++;
    return copy;
  }

  /** The copy of a list of numbers of which some are no small whole ones; `undefined` for any other list. */
  #numbers(list: readonly unknown[]): number[] | undefined {
    let isBoxed = false;
    for (let i = 0; i < list.length; i++) {
      const value: unknown = lookupGetter.call(list, i) === undefined ? list[i] : undefined;
      if (typeof value !== 'number') return undefined;
      isBoxed ||= numberBytes(value) > 0;
    }
    if (!isBoxed) return undefined;
    this.#nodesLeft -= list.length;
    // Freezing boxes those that are no small whole ones.
    if (this.#isFrozen) for (const value of list as readonly number[]) this.#bytes += numberBytes(value);
    return listOfNumbers(list as readonly number[]);
  }

  #taught(object: object, type: TaughtType): object {
    this.#bytes += type.weigh(object);
    if (!type.isShared) this.#isFreezable = false;
    return this.#met(object, type.copy(object));
  }

  #special(object: object, kind: ObjectKind, depth: number): unknown {
    if (depth > MAX_DEPTH * 4) return this.#tooLarge();
    switch (kind) {
      case 'date':
        if (hasHiddenFields(object, 0)) return this.#refuseFields('Date');
        this.#bytes += DATE;
        return this.#met(object, new Date(getTime.call(object as Date)));
      case 'regexp':
        return this.#expression(object as RegExp);
      case 'map':
        return this.#map(object as Map<unknown, unknown>, depth);
      case 'set':
        return this.#set(object as Set<unknown>, depth);
      default:
        return this.#binary(object as ArrayBuffer | ArrayBufferView, kind);
    }
  }

  #expression(expression: RegExp): unknown {
    // The one field that every expression has.
    if (Object.keys(expression).length > 0 || hasHiddenFields(expression, 1))
      return this.#refuseFields('RegExp');
    const source = sourceOf.call(expression);
    this.#bytes += REGEXP + stringBytes(source);
    const copy = new RegExp(ownText(source), flagsOf.call(expression));
    copy.lastIndex = expression.lastIndex;
    return this.#met(expression, copy);
  }

  #map(map: ReadonlyMap<unknown, unknown>, depth: number): unknown {
    if (hasHiddenFields(map, 0)) return this.#refuseFields('Map');
    const size = mapSize.call(map as Map<unknown, unknown>);
    this.#nodesLeft -= size * 2 * (MEMBER_NODES - 1);
    if (this.#nodesLeft < 0) return this.#tooLarge();
    this.#bytes += mapBytes(size);
    const copy = this.#met(map, new Map<unknown, unknown>());
    for (const [key, value] of mapEntries.call(map as Map<unknown, unknown>)) {
      const copiedKey = this.#copyOf(key, depth + 1);
      if (this.#refused !== undefined) return this.#unwind(memberName('a key of a Map', undefined));
      const copied = this.#copyOf(value, depth + 1);
      if (this.#refused !== undefined) return this.#unwind(memberName('get', key));
      copy.set(copiedKey, copied);
    }
    return this.#nodesLeft < 0 ? this.#tooLarge() : copy;
  }

  #set(set: ReadonlySet<unknown>, depth: number): unknown {
    if (hasHiddenFields(set, 0)) return this.#refuseFields('Set');
    const size = setSize.call(set as Set<unknown>);
    this.#nodesLeft -= size * (MEMBER_NODES - 1);
    if (this.#nodesLeft < 0) return this.#tooLarge();
    this.#bytes += setBytes(size);
    const copy = this.#met(set, new Set<unknown>());
    for (const member of setValues.call(set as Set<unknown>)) {
      const copied = this.#copyOf(member, depth + 1);
      if (this.#refused !== undefined) return this.#unwind(memberName('a member of a Set', undefined));
      copy.add(copied);
    }
    return this.#nodesLeft < 0 ? this.#tooLarge() : copy;
  }

  #binary(binary: ArrayBuffer | ArrayBufferView, kind: ObjectKind): unknown {
    const length = binaryLength(binary);
    if (length === undefined) return this.#refuse('unsafe', 'is bytes that are gone');
    if (types.isArrayBuffer(binary) && binary.resizable)
      return this.#refuse('unsafe', 'is an ArrayBuffer that can be resized');
    if (hasFieldsBeside(binary)) return this.#refuseFields(kind === 'buffer' ? 'Buffer' : 'list of bytes');
    this.#nodesLeft -= length >> BYTES_A_NODE_BITS;
    if (this.#nodesLeft < 0) return this.#tooLarge();
    this.#bytes += BINARY + length;
    return this.#met(binary, copyOfBinary(binary));
  }

  #refuseFields(kind: string): undefined {
    return this.#refuse('unsafe', `is a ${kind} with fields of its own`);
  }

  #tooLarge(): never {
    return this.#refuse('too-large', 'holds too much to be copied in bounded time') as never;
  }

  #refuse(reason: Refusal['reason'], what: string, at?: string | number): undefined {
    this.#refused ??= { reason, what };
    if (at !== undefined) this.#unwind(at);
    return undefined;
  }

  #unwind(name: string | number): undefined {
    if (this.#path.length < 16) this.#path.unshift(segmentOf(name));
    return undefined;
  }
}

// Taken from this realm's prototypes: they work on objects of any realm, and run no code of these.
const { getTime } = Date.prototype;
const { entries: mapEntries } = Map.prototype;
const { values: setValues } = Set.prototype;
const mapSize = getterOf<number>(Map.prototype, 'size');
const setSize = getterOf<number>(Set.prototype, 'size');
const sourceOf = getterOf<string>(RegExp.prototype, 'source');
const flagsOf = getterOf<string>(RegExp.prototype, 'flags');

function getterOf<T>(prototype: object, name: string): (this: object) => T {
  // Each of them is an accessor by the language's own definition.
  return Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: object) => T;
}

const { at } = Uint8Array.prototype;

/** `undefined` where they are gone: handed to another thread, or beyond the end of a buffer that shrank. */
function binaryLength(binary: ArrayBuffer | ArrayBufferView): number | undefined {
  try {
    if (types.isAnyArrayBuffer(binary)) new Uint8Array(binary);
    else if (!types.isDataView(binary)) at.call(binary as Uint8Array, 0); // any typed array will do
    return binary.byteLength;
  } catch {
    return undefined;
  }
}

/** A copy with memory of its own, so that a small Buffer does not hold on to Node's pool. */
export function copyOfBinary(binary: ArrayBuffer | ArrayBufferView): object {
  if (!ArrayBuffer.isView(binary)) return bytesOf(new Uint8Array(binary));
  const bytes = new Uint8Array(binary.buffer, binary.byteOffset, binary.byteLength);
  if (Buffer.isBuffer(binary)) {
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    copy.set(bytes);
    return copy;
  }
  const Constructor = viewConstructor(binary) ?? Uint8Array;
  return new Constructor(bytesOf(bytes));
}

function bytesOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

/** Longer ones are not looked through for fields of their own: each element has a name, which takes 100 ns. */
const MOST_NAMES = 4_096;

function hasFieldsBeside(binary: ArrayBuffer | ArrayBufferView): boolean {
  if (Object.getOwnPropertySymbols(binary).length > 0) return true;
  const elements = types.isTypedArray(binary) ? binary.length : 0;
  return elements <= MOST_NAMES && Object.keys(binary).length !== elements;
}

const INDEX = /^(?:0|[1-9]\d*)$/;

/** Indexes come first among the names. */
function hasNamedFields(array: readonly unknown[]): boolean {
  const last = Object.keys(array).at(-1);
  if (last !== undefined && !(INDEX.test(last) && Number(last) < array.length)) return true;
  return Object.getOwnPropertySymbols(array).length !== 0;
}

/** Assigning to `__proto__` would change the prototype instead of adding a field. */
export function setField(
  object: Record<string | number, unknown>,
  name: string | number,
  value: unknown,
): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && Function.prototype.toString.call(value).startsWith('class');
}

const MOST_SHOWN = 32;

function segmentOf(name: string | number): string {
  if (typeof name === 'number') return `[${name}]`;
  if (name.startsWith('(')) return name;
  const text = name.length > MOST_SHOWN ? `${name.slice(0, MOST_SHOWN)}…` : name;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$…]*$/u.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
}

function memberName(how: string, key: unknown): string {
  if (how !== 'get') return `(${how})`;
  const isShown = typeof key === 'string' || typeof key === 'number';
  return isShown ? `(${JSON.stringify(key).slice(0, MOST_SHOWN)} of a Map)` : '(a value of a Map)';
}

/** `rows[3].at`; a value that is refused itself is `it`. */
function placeOf(path: readonly string[]): string {
  const text = path.join('');
  if (text === '') return 'it';
  return text.startsWith('.') ? text.slice(1) : text;
}
