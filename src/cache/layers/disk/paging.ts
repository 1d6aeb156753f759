/**
 * Reading the tables of the cache file page by page, in the order of their keys. By their bytes, since SQLite orders
 * bytes: a damaged key that is no UTF-8 any more reads as another text, after which the same page would come again for
 * ever, or others be left out.
 */
import type { DiskFile } from './file.ts';

/** Keys, or labels. */
export interface KeyPage {
  readonly keys: readonly string[];
  /** After what the next page begins; `undefined` after the last. */
  readonly next: Uint8Array | undefined;
}

/** After which the first page begins. */
export const FIRST_PAGE: Uint8Array = new Uint8Array();

/** After what the next page begins; `undefined` where there is none, or damage would lead back. */
export function nextPage(after: Uint8Array, last: Uint8Array | undefined): Uint8Array | undefined {
  return last !== undefined && Buffer.compare(last, after) > 0 ? last : undefined;
}

/** Keys of rows that begin with a prefix, or with what of it is well-formed text: at most `limit` after one. */
export function keysAfter(file: DiskFile, prefix: string, after: Uint8Array, limit: number): KeyPage {
  return beginningWith(file, 'key', 'cache_storage', prefix, after, limit);
}

/** The same of labels. */
export function labelsAfter(file: DiskFile, prefix: string, after: Uint8Array, limit: number): KeyPage {
  return beginningWith(file, 'label', 'cache_links', prefix, after, limit);
}

/** Keys of the rows that carry a label: at most `limit` after one. */
export function keysLabelled(file: DiskFile, label: string, after: Uint8Array, limit: number): KeyPage {
  const rows = 'FROM cache_links WHERE label = ? AND key > CAST(? AS TEXT) ORDER BY key';
  return pageOf(file, 'key', rows, [label, after], limit);
}

function beginningWith(
  file: DiskFile,
  column: 'key' | 'label',
  table: 'cache_storage' | 'cache_links',
  prefix: string,
  after: Uint8Array,
  limit: number,
): KeyPage {
  // Of two bounds SQLite would seek the first alone, and read all that lies before the second once more a page.
  const sought = wellFormedStart(prefix);
  const [bound, from] = after.length === 0 ? ['>=', Buffer.from(sought)] : ['>', after];
  const rows = `FROM ${table} WHERE ${column} ${bound} CAST(? AS TEXT) GROUP BY ${column} ORDER BY ${column}`;
  const { keys, next } = pageOf(file, column, rows, [from], limit);
  const ofPrefix = keys.filter((key) => key.startsWith(sought));
  return { keys: ofPrefix, next: ofPrefix.length < keys.length ? undefined : next };
}

/** A pattern may end within a character, for half of which no bytes can be sought. */
function wellFormedStart(text: string): string {
  const sound = text.toWellFormed();
  let end = 0;
  while (end < text.length && text[end] === sound[end]) end++;
  return text.slice(0, end);
}

/** @param parameters of the rows, the last of which is after what they begin */
function pageOf(
  file: DiskFile,
  column: 'key' | 'label',
  rows: string,
  parameters: readonly [...unknown[], Uint8Array],
  limit: number,
): KeyPage {
  const found = file
    .statement(`SELECT ${column} ${rows} LIMIT ?`)
    .pluck()
    .all(...parameters, limit);
  const keys = found.filter((key) => typeof key === 'string');
  if (found.length < limit) return { keys, next: undefined };
  const last = found.at(-1);
  const isSound = typeof last === 'string' && !last.includes('\ufffd');
  const bytesOfLast = () =>
    file
      .statement(`SELECT CAST(${column} AS BLOB) ${rows} LIMIT 1 OFFSET ?`)
      .pluck()
      .get(...parameters, limit - 1) as Uint8Array;
  const after = parameters[parameters.length - 1] as Uint8Array; // by its type
  return { keys, next: nextPage(after, isSound ? Buffer.from(last) : bytesOfLast()) };
}
