/** An entry as a row of the cache file, and back. */
import type { Clock } from '../../clock.ts';
import { type Entry, type EntryLinks, heldValue } from '../../entry.ts';
import { encode } from '../../values/codec.ts';
import { Packed } from '../../values/packed.ts';
import type { StoredRow } from './file.ts';

/** An entry as it was found on disk. Instants are epoch milliseconds. */
export interface StoredEntry {
  readonly key: string;
  readonly value: unknown;
  readonly tier: string;
  readonly createdAt: number;
  readonly staleAt: number;
  readonly expiresAt: number;
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
  readonly loadMicros: number;
  /** False: it may have been changed since; it counts as stale. */
  readonly isProven: boolean;
}

/** What a row tells of its entry beside the columns, as JSON. */
export interface Metadata extends EntryLinks {
  readonly tier: string;
  readonly loadMicros: number;
  /** The process that wrote it. */
  readonly by: string;
  /** Of the author's code; absent where that names none. */
  readonly version?: string;
}

/** Few values weigh so many times what they take as text; those are small objects by the thousand, as slow to encode. */
const WEIGHT_A_BYTE = 4;

type NewRow = Omit<StoredRow, 'seq' | 'checksum'>;

export interface RowWriter {
  readonly clock: Clock;
  /** Values that take more, compressed or not, are not written. */
  readonly maxBytes: number;
  /** Names the process. */
  readonly by: string;
  readonly version: string;
}

/** The row of an entry; `undefined` where it would not come back as it was, or is too large. Never throws. */
export function rowOf(entry: Entry, writer: RowWriter): NewRow | undefined {
  try {
    return madeRow(entry, writer);
  } catch {
    // Of a kind that the codec does not keep, or too large for it: the caller counts it as refused.
    return undefined;
  }
}

function madeRow(entry: Entry, { clock, maxBytes, by, version }: RowWriter): NewRow | undefined {
  const { key, counters, createdAt, staleAt, expiresAt, links, loadMicros } = entry;
  // SQLite would put the same sign in the place of all surrogates that stand alone.
  if (![key, ...(links?.tags ?? []), ...(links?.dependsOn ?? [])].every((text) => text.isWellFormed()))
    return undefined;
  if (isTooLarge(entry, maxBytes)) return undefined;
  const encoded = encode(heldValue(entry), { types: counters.values.types });
  if (encoded.plainBytes > maxBytes) return undefined;
  const metadata = {
    tier: counters.policy.tier,
    loadMicros,
    by,
    ...(version !== '' && { version }),
    ...(links !== undefined && links.tags.length > 0 && { tags: links.tags }),
    ...(links !== undefined && links.dependsOn.length > 0 && { dependsOn: links.dependsOn }),
  };
  const epochAt = (at: number) => (at === Number.POSITIVE_INFINITY ? null : clock.epochAt(at));
  return {
    namespace: counters.namespace,
    key,
    value: encoded.text ?? encoded.bytes,
    metadata: JSON.stringify(metadata),
    created_at: clock.epochAt(createdAt),
    updated_at: clock.epochAt(clock.now()),
    stale_at: epochAt(staleAt),
    expires_at: epochAt(expiresAt),
  };
}

/** Whether it need not be encoded to see that. */
function isTooLarge({ value, weightBytes }: Entry, maxBytes: number): boolean {
  return value instanceof Packed ? value.plainBytes > maxBytes : weightBytes > maxBytes * WEIGHT_A_BYTE;
}

/** `undefined` for what `rowOf` has not written, though its checksum matches. */
export function metadataOf(row: Pick<StoredRow, 'metadata'>): Metadata | undefined {
  try {
    const metadata = JSON.parse(row.metadata) as Omit<Metadata, keyof EntryLinks>;
    return { tags: [], dependsOn: [], ...metadata };
  } catch {
    // Forged by hand: the caller counts it as damaged.
    return undefined;
  }
}

export function storedEntry(
  row: StoredRow,
  metadata: Metadata,
  value: unknown,
  isProven: boolean,
): StoredEntry {
  const { tier, loadMicros, tags, dependsOn } = metadata;
  return {
    tier,
    loadMicros,
    tags,
    dependsOn,
    key: row.key,
    value,
    createdAt: row.created_at,
    staleAt: row.stale_at ?? Number.POSITIVE_INFINITY,
    expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
    isProven,
  };
}
