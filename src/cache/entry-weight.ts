/**
 * How many bytes an entry takes beside its value: what `take.ts` does not see.
 * `scripts/calibrate-weigher.ts` holds the constants against real heap growth.
 */
import type { EntryExtras } from './entry.ts';
import { canonicalKey } from './keys/canonical.ts';
import { stringBytes } from './values/own-text.ts';
import type { Packed } from './values/packed.ts';

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
const ENTRY_BYTES = 256;
/** A place in the index of keys that spell an id as a number, bigint or the like, beside the canonical text. */
const SPELLING_BYTES = 95;
export const EXTRAS_BYTES = 72;
/** Of a busy entry. */
export const PROMISE_BYTES = 40;
const LINKS_BYTES = 160;
/** A place in the indexes beside the text: 40 bytes where many entries share it, 80 and 140 where it has it alone. */
const TAG_BYTES = 66;
const DEPENDENCY_BYTES = 112;
/** What is its own, kept apart from what came with each dependency that had links of its own. */
const ORIGIN_BYTES = 60;
const INHERITED_BYTES = 180;
const PACKED_BYTES = 250;
