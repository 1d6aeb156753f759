/**
 * The disk layer as metrics: which each of its figures is. The compiler holds that none is forgotten. It is one file for
 * all tiers, so there is no label `tier`; hits, which there are by tier, stand with the others (figures.ts). Without a
 * disk layer there are no samples.
 */
import type { DiskStats } from '../cache/statistics/stats.ts';
import { PREFIX } from './figures.ts';

type Numbers<T> = { readonly [K in keyof T]: T[K] extends number ? K : never }[keyof T];

export interface DiskMetric {
  readonly type: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  readonly read: (disk: DiskStats) => number;
}

type Read = DiskMetric['read'];

const metric = (type: DiskMetric['type'], name: string, help: string, read: Read): DiskMetric => ({
  type,
  name: `${PREFIX}disk_${name}`,
  help,
  read,
});
const counter = (name: string, help: string, read: Read) => metric('counter', name, help, read);
const gauge = (name: string, help: string, read: Read) => metric('gauge', name, help, read);

/** Every number of the disk layer, and whether it works. */
export const DISK_METRICS: Readonly<Record<Numbers<DiskStats> | 'state', DiskMetric>> = {
  state: gauge('up', '0 where the file cannot be used, or the last write failed.', ({ state }) =>
    Number(state === 'ready'),
  ),
  entries: gauge('entries', 'Entries on disk now.', (disk) => disk.entries),
  bytes: gauge('bytes', 'Bytes that the file takes now.', (disk) => disk.bytes),
  maxBytes: gauge('max_bytes', 'The bound of the file.', (disk) => disk.maxBytes),
  found: gauge('found_entries', 'Entries that were there when the process began.', (disk) => disk.found),
  outdated: gauge(
    'outdated_entries',
    'Of those, what had been changed meanwhile and was removed.',
    (disk) => disk.outdated,
  ),
  hits: counter('reads_answered_total', 'Reads answered from disk, of all tiers.', (disk) => disk.hits),
  restored: counter(
    'restored_total',
    'Of those, reads answered by entries from before this process.',
    (disk) => disk.restored,
  ),
  unproven: counter(
    'unproven_total',
    'Reads that found an entry which nothing proves.',
    (disk) => disk.unproven,
  ),
  expired: counter('expired_total', 'Reads that found an entry which had expired.', (disk) => disk.expired),
  written: counter('written_total', 'Entries written.', (disk) => disk.written),
  refused: counter('refused_total', 'Entries that cannot be written.', (disk) => disk.refused),
  damaged: counter('damaged_total', 'Rows that were damaged, and dropped.', (disk) => disk.damaged),
  evicted: counter('evicted_total', 'Entries removed for room.', (disk) => disk.evicted),
  failures: counter('failures_total', 'Reads and writes of the file that failed.', (disk) => disk.failures),
};
