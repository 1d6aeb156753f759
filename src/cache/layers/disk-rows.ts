/** An entry as a row of the cache file, and back. */
import type { Clock } from '../clock.ts';
import { encode } from '../codec.ts';
import { type Entry, type EntryLinks, servedValue } from '../entry.ts';
import { CacheError } from '../errors.ts';
import type { StoredRow } from './disk-file.ts';

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
}

type NewRow = Omit<StoredRow, 'seq' | 'checksum'>;

/** The row of an entry; `undefined` where its value would not come back as it was, or takes more than `maxBytes`. */
export function rowOf(entry: Entry, clock: Clock, maxBytes: number): NewRow | undefined {
  const { key, counters, createdAt, staleAt, expiresAt, links, loadMicros } = entry;
  let encoded: ReturnType<typeof encode>;
  try {
    encoded = encode(servedValue(entry));
  } catch (error) {
    if (error instanceof CacheError) return undefined;
    throw error;
  }
  if (encoded.bytes.length > maxBytes) return undefined;
  const metadata = {
    tier: counters.policy.tier,
    loadMicros,
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

/** Its checksum must have matched, so that it is what we wrote. */
export function metadataOf(row: StoredRow): Metadata {
  return { tags: [], dependsOn: [], ...(JSON.parse(row.metadata) as Pick<Metadata, 'tier' | 'loadMicros'>) };
}

export function storedEntry(
  row: StoredRow,
  metadata: Metadata,
  value: unknown,
  isProven: boolean,
): StoredEntry {
  return {
    ...metadata,
    key: row.key,
    value,
    createdAt: row.created_at,
    staleAt: row.stale_at ?? Number.POSITIVE_INFINITY,
    expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
    isProven,
  };
}
