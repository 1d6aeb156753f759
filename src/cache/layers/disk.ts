/**
 * The disk layer: entries that outlive the process, in a SQLite file of their own.
 *
 * What must hold: a row that is there is right with respect to every change that any process sharing the file has
 * applied. Invalidations delete at once, or, where they cover much, are written down first and then carried out in
 * slices while reads look past what they cover. Entries are written in a transaction that begins by applying all
 * committed changes, so that no process can put back what another has just removed. After a restart a row is believed
 * where the change feed continues where it stopped and tells all its changes (I9); the others count as stale. Whatever goes wrong with the file, memory goes on (I4).
 */
import { resolve } from 'node:path';
import type { BurstLog } from '../burst-log.ts';
import type { Clock } from '../clock.ts';
import { decode, encode } from '../codec.ts';
import { type Entry, type EntryLinks, servedValue } from '../entry.ts';
import { CacheError } from '../errors.ts';
import { compilePattern } from '../pattern.ts';
import { inSlices } from '../slices.ts';
import { covers, type Target } from '../target.ts';
import type { DiskStats } from '../types.ts';
import {
  DiskFile,
  isDamage,
  type OpenDatabase,
  type PendingRow,
  type StoredRow,
  setAside,
} from './disk-file.ts';

/** What the disk layer asks of a change feed. */
export interface Provenance {
  /** `resumed`: every change since the place that was kept has been applied. */
  readonly beginning: 'new' | 'resumed' | 'gap';
  /** Applies all that is committed; false where it cannot at the moment. */
  drain(): boolean;
  /** Where it stands: plain data, to be given back at the next start. */
  position(): unknown;
  /** Whether it tells every change of such an entry. */
  tellsOf(key: string, links: EntryLinks): boolean;
}

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

interface Metadata {
  readonly tier: string;
  readonly loadMicros: number;
  readonly tags?: readonly string[];
  readonly dependsOn?: readonly string[];
}

interface Sweep extends PendingRow {
  readonly covers: Target;
}

/** Rows an invalidation removes before the rest is left to a sweep: some 5 ms. */
const REMOVALS_AT_ONCE = 200;
/** Rows looked at in one step of a sweep. */
const SWEEP_STEP = 100;
/** How long a full or locked disk is left alone after a failed write. */
const RETRY_AFTER_MS = 5_000;

/** Counting rows takes milliseconds where there are many. */
const RECOUNT_MS = 5_000;

const TAG = 't:';
const DEPENDENCY = 'd:';

export interface DiskParts {
  readonly path: string;
  readonly open: OpenDatabase;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly bursts: BurstLog;
}

export class Disk {
  readonly path: string;
  readonly #open: OpenDatabase;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #bursts: BurstLog;
  #file: DiskFile | undefined;
  #feed: Provenance | undefined;
  #feedPosition: unknown;
  /** Rows up to here are from before this process. */
  #seqAtOpen = 0;
  /** Rows up to here are not believed, whatever the feed says. */
  #believedAfter = 0;
  #sweeps: readonly Sweep[] = [];
  /** Invalidations that the file did not take. */
  readonly #unapplied: Target[] = [];
  /** Invalidations that were carried out within the transaction that is open. */
  readonly #tentative: Target[] = [];
  #seenVersion = -1;
  #retryAt = 0;
  #problem: string | undefined;
  #isStopped = false;
  #size = { entries: 0, bytes: 0 };
  #found = 0;
  #setAside: string | undefined;
  #recountAt = 0;
  #sweeping: Promise<void> = Promise.resolve();
  readonly #counts = {
    hits: 0,
    restored: 0,
    unproven: 0,
    expired: 0,
    written: 0,
    refused: 0,
    damaged: 0,
    evicted: 0,
    failures: 0,
  };

  constructor({ path, open, maxBytes, clock, bursts }: DiskParts) {
    this.path = resolve(path);
    this.#open = open;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
    this.#bursts = bursts;
    this.#file = this.#opened();
  }

  /** Where the feed stood when this file was last right; `undefined` where that is not known. */
  get feedPosition(): unknown {
    return this.#feedPosition;
  }

  /**
   * Believes the rows that the feed proves. To be called once the feed has applied what was missed: until then, and
   * without a feed, rows from before this process count as stale.
   */
  follow(feed: Provenance): void {
    this.#feed = feed;
    if (feed.beginning !== 'resumed') {
      this.#attempt('its beginning', (file) => {
        this.#believedAfter = file.lastSeq;
        file.setMeta('believed_after', String(this.#believedAfter));
      });
    }
    this.checkpoint();
  }

  /** What is held for the key, if it can be read and has not expired. */
  take(key: string): StoredEntry | undefined {
    const file = this.#file;
    if (file === undefined) return undefined;
    try {
      const row = file.read(key);
      if (row === undefined) return undefined;
      if (row === 'damaged') return this.#drop(file, key);
      const nowAt = this.#nowAt();
      if (row.expires_at !== null && row.expires_at <= nowAt) {
        this.#counts.expired++;
        return undefined;
      }
      const metadata = JSON.parse(row.metadata) as Metadata; // its checksum matched, so it is what we wrote
      const { tags = [], dependsOn = [] } = metadata;
      if (this.#isSwept(file, row, tags, dependsOn)) return undefined;
      if (!file.isLinked(key, labelsOf(tags, dependsOn))) return this.#drop(file, key);
      return this.#restored(file, row, metadata, nowAt);
    } catch (error) {
      this.#failed('could not be read', error);
      return undefined;
    }
  }

  #restored(file: DiskFile, row: StoredRow, metadata: Metadata, nowAt: number): StoredEntry | undefined {
    let value: unknown;
    try {
      value = decode(row.value, { maxBytes: this.#maxBytes });
    } catch (error) {
      if (!(error instanceof CacheError)) throw error;
      return this.#drop(file, row.key);
    }
    const { tags = [], dependsOn = [] } = metadata;
    // A clock that was set back would make entries live for too long.
    const isProven = this.#isProven(row, { tags, dependsOn }) && row.created_at <= nowAt;
    this.#counts[isProven ? 'hits' : 'unproven']++;
    if (isProven && row.seq <= this.#seqAtOpen) this.#counts.restored++;
    return {
      key: row.key,
      value,
      tier: metadata.tier,
      createdAt: row.created_at,
      staleAt: row.stale_at ?? Number.POSITIVE_INFINITY,
      expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
      tags,
      dependsOn,
      loadMicros: metadata.loadMicros,
      isProven,
    };
  }

  /**
   * Writes entries down until `isOver` says so, and leaves out what is not valid any more (`isValid`) once all changes
   * are applied.
   * @returns those that are done with; none where the file cannot be written at the moment
   */
  write(entries: Iterable<Entry>, isValid: (entry: Entry) => boolean, isOver: () => boolean): Entry[] {
    const done: Entry[] = [];
    if (this.#clock.now() < this.#retryAt) return done;
    const isWritten = this.#transact((file) => {
      for (const entry of entries) {
        if (isValid(entry)) this.#writeOne(file, entry);
        done.push(entry);
        if (isOver()) break;
      }
      this.#makeRoom(file);
    });
    if (!isWritten) return [];
    if (done.length > 0) this.#problem = undefined;
    return done;
  }

  #writeOne(file: DiskFile, entry: Entry): void {
    const { key, counters, createdAt, staleAt, expiresAt, links, loadMicros } = entry;
    let encoded: ReturnType<typeof encode>;
    try {
      encoded = encode(servedValue(entry));
    } catch (error) {
      if (!(error instanceof CacheError)) throw error;
      this.#counts.refused++;
      return;
    }
    if (encoded.bytes.length > this.#maxBytes / 4) {
      this.#counts.refused++;
      return;
    }
    const metadata: Metadata = {
      tier: counters.policy.tier,
      loadMicros,
      ...(links !== undefined && links.tags.length > 0 && { tags: links.tags }),
      ...(links !== undefined && links.dependsOn.length > 0 && { dependsOn: links.dependsOn }),
    };
    const epochAt = (at: number) => (at === Number.POSITIVE_INFINITY ? null : this.#clock.epochAt(at));
    file.write(
      {
        namespace: counters.namespace,
        key,
        value: encoded.text ?? encoded.bytes,
        metadata: JSON.stringify(metadata),
        created_at: this.#clock.epochAt(createdAt),
        updated_at: this.#nowAt(),
        stale_at: epochAt(staleAt),
        expires_at: epochAt(expiresAt),
      },
      labelsOf(links?.tags ?? [], links?.dependsOn ?? []),
    );
    this.#counts.written++;
  }

  #makeRoom(file: DiskFile): void {
    for (let rounds = 0; rounds < 4 && file.bytes > this.#maxBytes; rounds++) {
      const keys = file.oldestKeys(SWEEP_STEP);
      if (keys.length === 0) return;
      for (const key of keys) file.delete(key);
      this.#counts.evicted += keys.length;
    }
  }

  // ---- invalidation ----

  invalidate(target: Target): void {
    if (this.#file === undefined || this.#isStopped) return;
    const isDone = this.#attempt('could not be invalidated', (file) => this.#apply(file, target));
    // Until it can be carried out, what it covers is not believed, and nothing is written.
    if (!isDone) this.#unapplied.push(target);
    else if (this.#file.inTransaction) this.#tentative.push(target);
  }

  clear(): void {
    this.invalidate({ kind: 'pattern', pattern: compilePattern('*') });
  }

  /** How many rows the targets cover; counted in slices. */
  async count(targets: readonly Target[]): Promise<number> {
    const keys = new Set<string>();
    for (const target of targets) {
      const file = this.#file;
      if (file === undefined) return 0;
      const add = (key: string) => void keys.add(key);
      await inSlices(
        this.#clock,
        coveredKeys(file, target),
        add,
        () => this.#isStopped || file !== this.#file,
      );
    }
    return keys.size;
  }

  /** When everything that was invalidated is gone from the file, its log included. */
  async settled(): Promise<void> {
    await this.#sweeping;
    this.#attempt('could not be cleaned up', (file) => file.tidy());
  }

  #apply(file: DiskFile, target: Target): void {
    const keys: string[] = [];
    for (const key of coveredKeys(file, target)) if (keys.push(key) > REMOVALS_AT_ONCE) break;
    if (keys.length === 0) return;
    file.transaction(() => {
      if (keys.length <= REMOVALS_AT_ONCE) for (const key of keys) file.delete(key);
      else file.addPending(writtenTarget(target));
    });
    if (keys.length <= REMOVALS_AT_ONCE) return;
    this.#loadSweeps(file);
    this.#sweep();
  }

  /**
   * One transaction that begins with carrying out what could not be before, and with applying all changes; `work` runs
   * where that succeeds. True when it was committed.
   */
  #transact(work: (file: DiskFile) => void): boolean {
    const isCommitted = this.#attempt('could not be written', (file) =>
      file.transaction(() => {
        for (let target = this.#unapplied[0]; target !== undefined; target = this.#unapplied[0]) {
          this.#apply(file, target);
          this.#unapplied.shift();
          this.#tentative.push(target);
        }
        if (this.#feed !== undefined && !this.#feed.drain()) return;
        if (this.#unapplied.length === 0) work(file);
      }),
    );
    const tentative = this.#tentative.splice(0);
    if (!isCommitted) this.#unapplied.push(...tentative);
    return isCommitted;
  }

  #isSwept(file: DiskFile, row: StoredRow, tags: readonly string[], dependsOn: readonly string[]): boolean {
    // Another process may have begun a sweep.
    const version = file.dataVersion;
    if (version !== this.#seenVersion) {
      this.#seenVersion = version;
      this.#loadSweeps(file);
    }
    const links = { tags, dependsOn };
    return (
      this.#unapplied.some((target) => covers(target, row.key, links)) ||
      this.#sweeps.some((sweep) => row.seq <= sweep.through && covers(sweep.covers, row.key, links))
    );
  }

  #loadSweeps(file: DiskFile): void {
    this.#sweeps = file.pending().map((row) => ({ ...row, covers: readTarget(row.target) }));
  }

  #sweep(): void {
    this.#sweeping = this.#sweeping.then(async () => {
      for (let sweep = this.#sweeps[0]; sweep !== undefined && !this.#isStopped; sweep = this.#sweeps[0]) {
        const { id, covers: target, through } = sweep;
        const steps = this.#sweepSteps(target, through);
        await inSlices(
          this.#clock,
          steps,
          () => undefined,
          () => this.#isStopped,
        );
        if (this.#isStopped) return;
        const ended = this.#attempt('could not be invalidated', (file) => {
          file.endPending(id);
          this.#loadSweeps(file);
        });
        // What could not be carried out stays written down.
        if (!ended) return;
      }
    });
  }

  *#sweepSteps(target: Target, through: number): Generator<void, void, undefined> {
    const file = this.#file;
    if (file === undefined) return;
    const keys = coveredKeys(file, target);
    for (let isMore = true; isMore; ) {
      const isDone = this.#attempt('could not be invalidated', () =>
        file.transaction(() => {
          for (let i = 0; i < SWEEP_STEP && isMore; i++) {
            const { value: key, done } = keys.next();
            isMore = done !== true;
            if (key !== undefined && (file.seqOf(key) ?? Number.POSITIVE_INFINITY) <= through)
              file.delete(key);
          }
        }),
      );
      if (!isDone) return;
      yield;
    }
  }

  // ---- upkeep ----

  /** Removes expired rows, in slices. */
  async cleanUp(): Promise<void> {
    const nowAt = this.#nowAt();
    const steps = function* (this: Disk): Generator<void, void, undefined> {
      for (;;) {
        let removed = 0;
        this.#attempt('could not be cleaned up', (file) => {
          const keys = file.expiredKeys(nowAt, SWEEP_STEP);
          file.transaction(() => {
            for (const key of keys) file.delete(key);
          });
          removed = keys.length;
        });
        if (removed < SWEEP_STEP) return;
        yield;
      }
    }.bind(this);
    await inSlices(
      this.#clock,
      steps(),
      () => undefined,
      () => this.#isStopped,
    );
  }

  /** Writes down where the feed stands: what it has applied need not be applied again. */
  checkpoint(): void {
    const feed = this.#feed;
    if (feed === undefined) return;
    this.#transact((file) => file.setMeta('feed', JSON.stringify(feed.position())));
  }

  /** Works on the tables beside the entries; `undefined` where the file cannot be used at the moment. */
  with<T>(what: string, work: (file: DiskFile) => T): T | undefined {
    let result: T | undefined;
    const isDone = this.#attempt(what, (file) => {
      result = work(file);
    });
    return isDone ? result : undefined;
  }

  stats(): DiskStats {
    const file = this.#file;
    if (file !== undefined && this.#clock.now() >= this.#recountAt) {
      this.#recountAt = this.#clock.now() + RECOUNT_MS;
      this.#attempt('could not be read', () => {
        this.#size = { entries: file.entries, bytes: file.bytes };
      });
    }
    return {
      path: this.path,
      state: file === undefined ? 'off' : this.#problem === undefined ? 'ready' : 'failing',
      problem: this.#problem,
      proof: this.#feed === undefined ? 'none' : this.#feed.beginning,
      setAside: this.#setAside,
      found: this.#found,
      ...this.#size,
      maxBytes: this.#maxBytes,
      ...this.#counts,
    };
  }

  async stop(): Promise<void> {
    this.checkpoint();
    this.#isStopped = true;
    await this.#sweeping;
    this.#file?.close();
    this.#file = undefined;
  }

  // ---- what goes wrong ----

  #opened(): DiskFile | undefined {
    try {
      return this.#begun(new DiskFile(this.path, this.#open));
    } catch (error) {
      if (!isDamage(error)) return this.#off(error);
      try {
        const dated = setAside(this.path, this.#nowAt());
        this.#setAside = dated;
        this.#bursts.warn(
          'disk',
          `${this.path} was damaged. It was renamed, and a new one begun: nothing but warmth is lost.`,
          {
            renamedTo: dated,
            error,
          },
        );
        return this.#begun(new DiskFile(this.path, this.#open));
      } catch (second) {
        return this.#off(second);
      }
    }
  }

  #begun(file: DiskFile): DiskFile {
    this.#seqAtOpen = file.lastSeq;
    this.#found = file.entries;
    this.#believedAfter = Number(file.meta('believed_after') ?? 0);
    const position = file.meta('feed');
    this.#feedPosition = position === undefined ? undefined : JSON.parse(position);
    this.#loadSweeps(file);
    if (this.#sweeps.length > 0) this.#sweep();
    return file;
  }

  #off(error: unknown): undefined {
    this.#problem = messageOf(error);
    this.#bursts.warn('disk', `${this.path} cannot be used: the cache works in memory alone.`, { error });
    return undefined;
  }

  /** True when it was done. */
  #attempt(what: string, work: (file: DiskFile) => void): boolean {
    const file = this.#file;
    if (file === undefined || this.#isStopped) return false;
    try {
      work(file);
      return true;
    } catch (error) {
      this.#failed(what, error);
      return false;
    }
  }

  #failed(what: string, error: unknown): void {
    this.#counts.failures++;
    this.#problem = messageOf(error);
    this.#retryAt = this.#clock.now() + RETRY_AFTER_MS;
    this.#bursts.warn('disk', `The cache on disk ${what}; memory goes on.`, { path: this.path, error });
    if (!isDamage(error)) return;
    this.#file?.close();
    this.#file = this.#opened();
  }

  #drop(file: DiskFile, key: string): undefined {
    this.#counts.damaged++;
    file.delete(key);
    return undefined;
  }

  #isProven({ seq, key }: StoredRow, links: EntryLinks): boolean {
    if (seq <= this.#believedAfter) return false;
    return seq > this.#seqAtOpen || (this.#feed?.tellsOf(key, links) ?? false);
  }

  #nowAt(): number {
    return this.#clock.epochAt(this.#clock.now());
  }
}

/** Keys of rows that the target covers, by themselves or by what they depend on. Rows may be deleted meanwhile. */
function* coveredKeys(file: DiskFile, target: Target): Generator<string, void, undefined> {
  if (target.kind === 'tag') yield* labelled(file, TAG + target.tag);
  else if (target.kind === 'key') {
    if (file.seqOf(target.key) !== undefined) yield target.key;
    yield* labelled(file, DEPENDENCY + target.key);
  } else {
    const { pattern } = target;
    for (const key of paged((after) => file.keysAfter(pattern.prefix, after, SWEEP_STEP))) {
      if (pattern.matches(key)) yield key;
    }
    for (const label of paged((after) => file.labelsAfter(DEPENDENCY + pattern.prefix, after, SWEEP_STEP))) {
      if (pattern.matches(label.slice(DEPENDENCY.length))) yield* labelled(file, label);
    }
  }
}

function labelled(file: DiskFile, label: string): Iterable<string> {
  return paged((after) => file.keysLabelled(label, after, SWEEP_STEP));
}

function* paged(read: (after: string) => readonly string[]): Generator<string, void, undefined> {
  for (let after = ''; ; ) {
    const page = read(after);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < SWEEP_STEP) return;
    after = last;
  }
}

function labelsOf(tags: readonly string[], dependsOn: readonly string[]): string[] {
  return [...tags.map((tag) => TAG + tag), ...dependsOn.map((key) => DEPENDENCY + key)];
}

function writtenTarget(target: Target): string {
  switch (target.kind) {
    case 'key':
      return JSON.stringify({ key: target.key });
    case 'tag':
      return JSON.stringify({ tag: target.tag });
    case 'pattern':
      return JSON.stringify({ pattern: target.pattern.source });
  }
}

function readTarget(text: string): Target {
  const { key, tag, pattern } = JSON.parse(text) as Partial<Record<'key' | 'tag' | 'pattern', string>>;
  if (key !== undefined) return { kind: 'key', key };
  if (tag !== undefined) return { kind: 'tag', tag };
  return { kind: 'pattern', pattern: compilePattern(pattern ?? '*') };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
