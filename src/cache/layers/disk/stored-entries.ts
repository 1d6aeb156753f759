/**
 * What lies on disk, for people to look at: lists, names of namespaces, one entry, and how much a target covers. Only
 * what a read may still find is named: nothing that has expired, that a pending removal covers, or that another version
 * of the author's code has written. Nothing is changed, and no value is decoded. Lists answer while somebody types, so
 * they are bounded in what they look at (I12) and may leave something out; the others do not.
 */
import type { Clock } from '../../clock.ts';
import type { StoredReport } from '../../entry-report.ts';
import { SplitMap } from '../../index/split-map.ts';
import { namespaceOf, SEPARATOR } from '../../keys/keys.ts';
import type { Target } from '../../keys/target.ts';
import { inSlices } from '../../slices.ts';
import type { DiskAccess } from './access.ts';
import type { DiskChanges } from './changes.ts';
import type { DiskFile, StoredRow } from './file.ts';
import type { DiskProof } from './proof.ts';
import { type Metadata, metadataOf } from './rows.ts';
import { stateOf } from './state.ts';
import { COLLECTED, coveredKeys, hasDependencies } from './targets.ts';

export interface StoredEntriesParts {
  readonly access: DiskAccess;
  readonly changes: DiskChanges;
  readonly proof: DiskProof;
  readonly clock: Clock;
  /** Of the author's code. */
  readonly version: string;
  /** Superseded by what memory holds, and not removed yet. */
  readonly isOutdated: (key: string) => boolean;
}

/** A row but for its value. */
type Head = Omit<StoredRow, 'value' | 'checksum'> & { readonly bytes: number };

interface Found {
  readonly key: string;
  readonly bytes: number;
}

/** Rows looked at for a list: some 4 µs each. */
const MAX_ROWS_SEEN = 600;
/** These are looked at however long it takes: what people are shown at once. */
const ROWS_SEEN_AT_LEAST = 25;
const ROWS_A_PAGE = 100;
const ROWS_BESIDE = 4;
/** What a row says of itself is far behind a value that is larger: lists leave it out. */
const MAX_BYTES_PASSED = 256 * 1_024;
/** For a list in all. */
const MAX_LIST_MS = 2;
const MAX_EXAMPLES = 5;

/** What comes directly after all keys of a namespace. */
const AFTER_SEPARATOR = ':;';

export class StoredEntries {
  readonly #parts: StoredEntriesParts;

  constructor(parts: StoredEntriesParts) {
    this.#parts = parts;
  }

  /** Entries whose keys begin with `prefix`, in the order of their keys: at most `limit`, and not always all. */
  list(prefix: string, limit: number): StoredReport[] {
    return this.#read([], (file) => this.#list(file, prefix, limit, this.#soon()));
  }

  /** Names of namespaces, each with the tier of its first entry: at most `limit`, and not always all. */
  namespaces(limit: number): { readonly namespace: string; readonly tier: string }[] {
    return this.#read([], (file) => {
      const tiers = new Map<string, string>();
      const next = file.statement('SELECT key FROM cache_storage WHERE key >= ? ORDER BY key LIMIT 1');
      const until = this.#soon();
      let from = '';
      for (let seeks = 0; seeks < MAX_ROWS_SEEN && tiers.size < limit; seeks++) {
        const key = (next.get(from) as { readonly key: unknown } | undefined)?.key;
        if (typeof key !== 'string') break;
        if (seeks > ROWS_SEEN_AT_LEAST && this.#parts.clock.precise() > until) break;
        const namespace = namespaceOf(key);
        const isAlone = key === namespace;
        const first = isAlone
          ? this.#report(file, key)
          : this.#list(file, namespace + SEPARATOR, 1, until).at(0);
        if (first !== undefined && !tiers.has(namespace)) tiers.set(namespace, first.tier);
        from = isAlone ? `${key}\u0001` : namespace + AFTER_SEPARATOR;
      }
      return [...tiers].map(([namespace, tier]) => ({ namespace, tier }));
    });
  }

  /** One entry; `undefined` where a read would find none. */
  inspect(key: string): StoredReport | undefined {
    return this.#read(undefined, (file) => this.#report(file, key));
  }

  /** How many entries a target covers, its dependants included, and some of them. Works in slices. */
  async covered(target: Target): Promise<{ readonly entries: number; readonly examples: readonly string[] }> {
    const { access, clock } = this.#parts;
    // As many as there are: where none comes twice they are not kept, which V8's collections of garbage would tell.
    const seen = this.#read(true, hasDependencies) ? new SplitMap<true>(COLLECTED) : undefined;
    let entries = 0;
    const examples: string[] = [];
    const { file } = access;
    if (file === undefined) return { entries: 0, examples };
    const isAnyGone = this.#read(true, () => this.#isAnyGone(file));
    const add = (key: string | undefined) => {
      if (key === undefined || seen?.get(key) === true) return;
      if (isAnyGone && this.inspect(key) === undefined) return;
      seen?.set(key, true);
      entries++;
      if (examples.length < MAX_EXAMPLES) examples.push(key);
    };
    const isOver = () => access.isClosed || file !== access.file;
    const isWhole = await access.attemptInSlices('could not be read', () =>
      inSlices(clock, coveredKeys(file, target), add, isOver),
    );
    return isWhole ? { entries, examples } : { entries: 0, examples: [] };
  }

  /** Whether there may be rows that no read finds; where there are none, they need not be looked at one by one. */
  #isAnyGone(file: DiskFile): boolean {
    const { changes, version } = this.#parts;
    const { first, next } = stateOf(file).sweeps;
    if (version !== '' || changes.hasUnapplied || first < next) return true;
    return file.hasExpired(this.#nowAt());
  }

  #list(file: DiskFile, prefix: string, limit: number, until: number): StoredReport[] {
    const reports: StoredReport[] = [];
    let after: string | undefined;
    let seen = 0;
    // Most rows may be named, so that few are wanted of a page where few are asked for.
    const pageRows = Math.min(ROWS_A_PAGE, limit + ROWS_BESIDE);
    while (seen < MAX_ROWS_SEEN) {
      const page = pageOf(file, prefix, after, pageRows);
      for (const { key, bytes } of page) {
        if (reports.length >= limit) return reports;
        // On a machine that is busy the time may be over before anything is found.
        if (++seen > ROWS_SEEN_AT_LEAST && this.#parts.clock.precise() > until) return reports;
        // A damaged key may not be text any more, nor follow the others.
        if (typeof key !== 'string' || !key.startsWith(prefix)) return reports;
        const report = bytes > MAX_BYTES_PASSED ? undefined : this.#report(file, key);
        if (report !== undefined) reports.push(report);
      }
      const last = page.at(-1)?.key;
      if (page.length < pageRows || last === undefined || last === after) return reports;
      after = last;
    }
    return reports;
  }

  #soon(): number {
    return this.#parts.clock.precise() + MAX_LIST_MS;
  }

  #report(file: DiskFile, key: string): StoredReport | undefined {
    const { changes, proof, version, isOutdated } = this.#parts;
    if (isOutdated(key)) return undefined;
    const head = headOf(file, key);
    // SQLite takes another sign for half a character.
    if (head === undefined || (head.key !== key && !key.isWellFormed())) return undefined;
    const metadata = metadataOf(head);
    if (metadata === undefined || (metadata.version ?? '') !== version) return undefined;
    const nowAt = this.#nowAt();
    if (head.expires_at !== null && head.expires_at <= nowAt) return undefined;
    if (changes.covers(file, head, metadata)) return undefined;
    return reportOf(head, metadata, proof.isProven(head, metadata, nowAt));
  }

  #read<T>(otherwise: T, read: (file: DiskFile) => T): T {
    let result = otherwise;
    this.#parts.access.attempt('could not be read', (file) => {
      result = read(file);
    });
    return result;
  }

  #nowAt(): number {
    const { clock } = this.#parts;
    return clock.epochAt(clock.now());
  }
}

/** Of a value only its length is read, which stands before it. */
function pageOf(file: DiskFile, prefix: string, after: string | undefined, rows: number): Found[] {
  const sql = `SELECT key, octet_length(value) AS bytes FROM cache_storage
    WHERE key ${after === undefined ? '>=' : '>'} ? ORDER BY key LIMIT ?`;
  return file.statement(sql).all(after ?? prefix, rows) as Found[];
}

function headOf(file: DiskFile, key: string): Head | undefined {
  const sql = `SELECT seq, namespace, key, octet_length(value) AS bytes, metadata, created_at, updated_at, stale_at,
    expires_at FROM cache_storage WHERE key = ?`;
  return file.statement(sql).get(key) as Head | undefined;
}

function reportOf(head: Head, { tier, tags, dependsOn }: Metadata, isProven: boolean): StoredReport {
  return {
    key: head.key,
    namespace: head.namespace,
    tier,
    createdAt: head.created_at,
    staleAt: head.stale_at ?? Number.POSITIVE_INFINITY,
    expiresAt: head.expires_at ?? Number.POSITIVE_INFINITY,
    bytes: head.bytes,
    tags,
    dependsOn,
    isProven,
  };
}
