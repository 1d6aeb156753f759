/**
 * Reading keys and labels of the cache file in order, page by page, so that damage to an index never hides a row from
 * an invalidation that a look-up of its key would still find (I9).
 *
 * A look-up and a scan go different ways through an index: one flipped bit can end a scan early, or begin it too late.
 * So each page is checked against its surroundings. Everything that is read must be in order; what stands directly
 * before a page must lie before its beginning; and the last entry of a range must also be the one that a search from
 * the other end meets first. Anything else is damage, for which the file is set aside.
 *
 * Order means order by bytes, as SQLite keeps it: a damaged key that is no UTF-8 any more reads as another text.
 */
import { CacheError } from '../../errors.ts';
import type { DiskFile } from './file.ts';

/** A pattern often covers a handful, of which the first page has all. */
const FIRST_PAGE_ROWS = 10;
const PAGE_ROWS = 100;
/** What is read beyond an end, to see that it is one. */
const MARGIN_ROWS = 2;

/** A text that JavaScript orders as SQLite does; all else with its bytes. */
type Value = string | Unusual;

interface Unusual {
  /** `undefined`: bytes in a column of texts, which come after all texts. */
  readonly text: string | undefined;
  readonly bytes: Uint8Array;
}

/** An entry of an index, or the beginning of one. */
type Place = readonly Value[];

interface Range {
  readonly table: 'cache_storage' | 'cache_links';
  readonly columns: readonly string[];
  /** What it begins with, or comes directly after. */
  readonly begin: { readonly place: Place; readonly isWithin: boolean };
  readonly holds: (place: Place) => boolean;
  /** The same as a condition on what comes before its end. */
  readonly end: { readonly condition: string; readonly parameter: string | Uint8Array };
}

/** Keys of rows that begin with a prefix, or with what of it is well-formed text. */
export function* keysFrom(file: DiskFile, prefix: string): Generator<string, void, undefined> {
  const range = beginningWith('cache_storage', ['key'], prefix);
  for (const page of pagesOf(file, range, (last) => last)) yield* textsOf(page, 0);
}

/** Labels that begin so. */
export function* labelsFrom(file: DiskFile, prefix: string): Generator<string, void, undefined> {
  const range = beginningWith('cache_links', ['label', 'key'], prefix);
  // The other keys of a label need not be read.
  for (const page of pagesOf(file, range, (last) => last.slice(0, 1))) yield* new Set(textsOf(page, 0));
}

/** Keys of the rows that carry a label. */
export function* keysLabelled(file: DiskFile, label: string): Generator<string, void, undefined> {
  const place = [asValue(label)];
  const range: Range = {
    table: 'cache_links',
    columns: ['label', 'key'],
    begin: { place, isWithin: true },
    holds: (found) => compare(found, place) === 0,
    end: { condition: 'label <= CAST(? AS TEXT)', parameter: label },
  };
  for (const page of pagesOf(file, range, (last) => last)) yield* textsOf(page, 1);
}

/** Whether any row carries the label. */
export function isLabel(file: DiskFile, label: string): boolean {
  return keysLabelled(file, label).next().done !== true;
}

/**
 * Makes sure that no row has a key which a look-up does not find: one flipped bit can mislead a look-up now, and no
 * longer once rows beside it have gone.
 * @throws CacheError `ERR_STORE_FAILED` where there is one
 */
export function assertAbsent(file: DiskFile, key: string): void {
  if (keysFrom(file, key).next().value === key) throw damaged();
}

function beginningWith(table: Range['table'], columns: readonly string[], prefix: string): Range {
  const sought = wellFormedStart(prefix);
  const bytes = Buffer.from(sought);
  const isSought = (value: Value | undefined) => {
    if (typeof value === 'string') return value.startsWith(sought);
    return value?.text !== undefined && bytes.equals(value.bytes.subarray(0, bytes.length));
  };
  const [column] = columns;
  return {
    table,
    columns,
    begin: { place: [asValue(sought)], isWithin: true },
    holds: ([value]) => isSought(value),
    end:
      bytes.length === 0
        ? { condition: `${column} < ?`, parameter: bytes } // bytes come after all texts
        : { condition: `${column} < CAST(? AS TEXT)`, parameter: afterAllWith(bytes) },
  };
}

/** A pattern may end within a character, for half of which no bytes can be sought. */
function wellFormedStart(text: string): string {
  const sound = text.toWellFormed();
  let end = 0;
  while (end < text.length && text[end] === sound[end]) end++;
  return text.slice(0, end);
}

/** The first bytes that come after all that begin with these. UTF-8 has no byte that cannot be raised by one. */
function afterAllWith(prefix: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(prefix);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) + 1;
  return bytes;
}

/** @param resume after what the next page begins, given the last place of a page */
function* pagesOf(
  file: DiskFile,
  range: Range,
  resume: (last: Place) => Place,
): Generator<readonly Place[], void, undefined> {
  let { begin } = range;
  for (let limit = FIRST_PAGE_ROWS; ; limit = PAGE_ROWS) {
    // Another process must not write between two of these statements.
    const { page, isLast } = file.snapshot(() => pageOf(file, { ...range, begin }, limit));
    yield page;
    const last = page.at(-1);
    if (isLast || last === undefined) return;
    begin = { place: resume(last), isWithin: false };
  }
}

/** @throws CacheError `ERR_STORE_FAILED` where the index contradicts itself */
function pageOf(
  file: DiskFile,
  range: Range,
  limit: number,
): { readonly page: readonly Place[]; readonly isLast: boolean } {
  const { begin, end, holds } = range;
  const from = condition(range, begin.place, begin.isWithin ? '>=' : '>');
  const found = read(file, range, from, 'ASC', limit + MARGIN_ROWS);
  const [first] = found;
  const before = first === undefined ? EVERYTHING : condition(range, first, '<');
  const around = [...read(file, range, before, 'DESC', MARGIN_ROWS).reverse(), ...found];
  if (!around.every((place, i) => i === 0 || compare(around[i - 1] as Place, place) < 0)) throw damaged();
  const isPast = (place: Place) => compare(place, begin.place) >= (begin.isWithin ? 0 : 1);
  if (around.slice(0, -found.length || undefined).some(isPast)) throw damaged();

  const page = found.filter(holds);
  // The last one has been compared with what follows, so that the next page may begin there.
  if (page.length > limit) return { page: page.slice(0, limit), isLast: false };
  const [top] = read(file, range, { where: end.condition, parameters: [end.parameter] }, 'DESC', 1);
  const last = page.at(-1);
  const isEnd =
    last === undefined ? top === undefined || !isPast(top) : top !== undefined && compare(top, last) === 0;
  if (!isEnd) throw damaged();
  return { page, isLast: true };
}

interface Condition {
  readonly where: string;
  readonly parameters: readonly (string | Uint8Array)[];
}

const EVERYTHING: Condition = { where: 'TRUE', parameters: [] };

function condition({ columns }: Range, place: Place, operator: '<' | '>' | '>='): Condition {
  const named = columns.slice(0, place.length).join(', ');
  const values = place
    .map((value) => (isUsual(value) || !isText(value) ? '?' : 'CAST(? AS TEXT)'))
    .join(', ');
  return { where: `(${named}) ${operator} (${values})`, parameters: place.map(parameterOf) };
}

function read(
  file: DiskFile,
  { table, columns }: Range,
  { where, parameters }: Condition,
  direction: 'ASC' | 'DESC',
  limit: number,
): Place[] {
  const order = columns.map((column) => `${column} ${direction}`).join(', ');
  const rows = `FROM ${table} WHERE ${where} ORDER BY ${order} LIMIT ${limit}`;
  const found = file.statement(`SELECT ${columns.join(', ')} ${rows}`).all(...parameters) as Row[];
  const places = found.map((row) => columns.map((column) => row[column]));
  if (places.every((place) => place.every(isUsual))) return places as Place[];
  const typed = columns.map(
    (column) => `CAST(${column} AS BLOB) AS ${column}_bytes, typeof(${column}) AS ${column}_type`,
  );
  const asBytes = file.statement(`SELECT ${typed.join(', ')} ${rows}`).all(...parameters) as Row[];
  return asBytes.map((row, i) =>
    columns.map((column, j) => unusual(places[i]?.[j], row[`${column}_bytes`], row[`${column}_type`])),
  );
}

type Row = Readonly<Record<string, unknown>>;

/** UTF-16 and UTF-8 order texts alike that have no such character; it also stands for bytes that are no UTF-8. */
const ORDERED_OTHERWISE = /[\ud800-\uffff]/;

function isUsual(value: unknown): value is string {
  return typeof value === 'string' && !ORDERED_OTHERWISE.test(value);
}

function asValue(text: string): Value {
  return isUsual(text) ? text : { text, bytes: Buffer.from(text) };
}

function unusual(value: unknown, bytes: unknown, type: unknown): Value {
  if (isUsual(value)) return value;
  if (!(bytes instanceof Uint8Array) || (type !== 'text' && type !== 'blob')) throw damaged();
  return { text: type === 'text' ? String(value) : undefined, bytes };
}

function isText(value: Value): boolean {
  return typeof value === 'string' || value.text !== undefined;
}

function parameterOf(value: Value): string | Uint8Array {
  return typeof value === 'string' ? value : value.bytes;
}

/** By as many columns as both have. */
function compare(one: Place, other: Place): number {
  for (let i = 0; i < one.length && i < other.length; i++) {
    const order = compareValues(one[i] as Value, other[i] as Value);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(one: Value, other: Value): number {
  if (typeof one === 'string' && typeof other === 'string') return one < other ? -1 : one > other ? 1 : 0;
  if (isText(one) !== isText(other)) return isText(one) ? -1 : 1;
  return Buffer.compare(bytesOf(one), bytesOf(other));
}

function bytesOf(value: Value): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value.bytes;
}

function* textsOf(page: readonly Place[], column: number): Generator<string, void, undefined> {
  for (const place of page) {
    const value = place[column];
    if (typeof value === 'string') yield value;
    // By a text that its bytes are not, nobody finds it.
    else if (value?.text !== undefined && Buffer.from(value.text).equals(value.bytes)) yield value.text;
  }
}

function damaged(): CacheError {
  return new CacheError(
    'ERR_STORE_FAILED',
    'An index of the cache file is damaged: its entries are not in order.',
  );
}
