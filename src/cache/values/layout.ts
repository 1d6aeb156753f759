/**
 * The layouts that kept copies are made in, and what each takes on the heap of 64-bit Node (8-byte pointers, no pointer
 * compression). V8 chooses a layout by how an object comes to be, so that copies are made in ways whose layout is
 * known. `test/cache/weight.test.ts` holds these figures against the real heap.
 */

export const POINTER = 8;
const HEAP_NUMBER = 16;
export const DATE = 96;
export const REGEXP = 160;
/** View, ArrayBuffer and the record that owns the bytes outside the heap. */
export const BINARY = 208;
/** Map, properties and elements pointers. */
export const OBJECT_HEADER = 24;
/** Map and length of a backing store. */
const STORE_HEADER = 16;
/** `{}` has room for so many fields within, and makes room for three more at a time beside it. */
const FIELDS_WITHIN = 4;
const FIELDS_AT_ONCE = 3;
/** A hash table of fields: its own header and figures about it; name, value and details of each field. */
const TABLE_HEADER = 64;
const INDEX_TABLE_HEADER = 48;
const TABLE_ENTRY = 3 * POINTER;
/** A hidden class that no other object shares, as frozen hash tables and those of indexes have. */
const OWN_MAP = 72;
const ARRAY_HEADER = 32;
/** JSMap or JSSet plus the fixed part of its hash table. */
const COLLECTION = 72;

/** Objects whose fields are set one by one become hash tables beyond this; those that `JSON.parse` makes do not. */
const MAX_SET_FIELDS = 16;
export const MAX_SHAPED_FIELDS = 127;

/** Once an object had this index, the highest there is, V8 keeps its indexed fields in a hash table for good. */
const HIGHEST_INDEX = 4_294_967_294;

/** Whether a field of this name is an element to V8. Such names come before the others. */
export function isIndex(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(name) && Number(name) <= HIGHEST_INDEX;
}

/** What a {@link shapedObject} of these names is made of; `undefined`: of nothing. */
export function templateOf(names: readonly string[]): string | undefined {
  if (names.length <= MAX_SET_FIELDS) return undefined;
  return `{${names.map((name) => `${JSON.stringify(name)}:null`).join(',')}}`;
}

/** An object with a hidden class that it shares with others of the same names. */
export function shapedObject(template: string | undefined): Record<string, unknown> {
  return template === undefined ? {} : (JSON.parse(template) as Record<string, unknown>);
}

export function shapedBytes(fields: number): number {
  if (fields > MAX_SET_FIELDS) return OBJECT_HEADER + POINTER * fields;
  const within = OBJECT_HEADER + POINTER * FIELDS_WITHIN;
  if (fields <= FIELDS_WITHIN) return within;
  const beside = Math.ceil((fields - FIELDS_WITHIN) / FIELDS_AT_ONCE) * FIELDS_AT_ONCE;
  return within + STORE_HEADER + POINTER * beside;
}

/** An object whose fields are kept in a hash table: what names many objects by data, such as ids, shares no names. */
export function tableObject(): Record<string, unknown> {
  const object: Record<string, unknown> = { a: 0, b: 0 };
  delete object.a;
  delete object.b;
  return object;
}

/** Without its names. */
export function tableBytes(fields: number, hasPrototype: boolean, isFrozen: boolean): number {
  const least = hasPrototype ? 8 : 4; // the two deleted fields take room
  return (
    OBJECT_HEADER +
    TABLE_HEADER +
    TABLE_ENTRY * Math.max(least, tableCapacity(fields)) +
    (isFrozen ? OWN_MAP : 0)
  );
}

/** Makes an object without fields keep the indexed ones to come in a hash table. */
export function prepareIndexes(object: Record<number, unknown>): void {
  object[HIGHEST_INDEX] = null;
}

/** To be called when all of them are set. @param last the highest one */
export function finishIndexes(object: Record<number, unknown>, last: string | undefined): void {
  if (Number(last) !== HIGHEST_INDEX) delete object[HIGHEST_INDEX];
}

/** Beside the object, with the hidden class that it shares with no other one. */
export function indexBytes(indexes: number): number {
  return OWN_MAP + INDEX_TABLE_HEADER + TABLE_ENTRY * Math.max(4, tableCapacity(indexes + 1));
}

/** A table is at most two thirds full. */
function tableCapacity(entries: number): number {
  return 2 ** Math.ceil(Math.log2(entries + (entries >> 1) || 1));
}

export function listBytes(length: number): number {
  return length === 0 ? ARRAY_HEADER : ARRAY_HEADER + STORE_HEADER + POINTER * length;
}

/** A list whose elements are numbers that lie within it: V8 boxes each of those of other lists. */
export function listOfNumbers(numbers: readonly number[]): number[] {
  const { length } = numbers;
  // The place in the code matters: V8 remembers by it of which kind the elements of a new list will be.
  const list = new Array<number>(length);
  for (let i = 0; i < length; i++) list[i] = numbers[i] as number;
  return list;
}

export function mapBytes(size: number): number {
  const capacity = collectionCapacity(size);
  return COLLECTION + 3 * POINTER * capacity + (POINTER * capacity) / 2;
}

export function setBytes(size: number): number {
  const capacity = collectionCapacity(size);
  return COLLECTION + 2 * POINTER * capacity + (POINTER * capacity) / 2;
}

function collectionCapacity(size: number): number {
  return size <= 4 ? 4 : 2 ** Math.ceil(Math.log2(size));
}

/** Beside the place that points to it. Whole numbers of 32 bits lie in that place itself. */
export function numberBytes(value: number): number {
  return (value | 0) !== value || Object.is(value, -0) ? HEAP_NUMBER : 0;
}

export function bigintBytes(value: bigint): number {
  if (BigInt.asIntN(64, value) === value) return value === 0n ? 16 : 24;
  return 16 + 8 * Math.ceil(value.toString(16).length / 16);
}
