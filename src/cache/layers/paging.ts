/**
 * Reading a table page by page in the order of its keys. By their bytes, since SQLite orders bytes: a damaged key that is
 * no UTF-8 any more reads as another text, after which the same page would come again, or others be left out.
 */

/** After which the first page begins. */
export const FIRST_PAGE: Uint8Array = new Uint8Array();

/** After what the next page begins; `undefined` where there is none, or damage would lead back. */
export function nextPage(after: Uint8Array, last: Uint8Array | undefined): Uint8Array | undefined {
  return last !== undefined && Buffer.compare(last, after) > 0 ? last : undefined;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** A key as SQLite gives it. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
