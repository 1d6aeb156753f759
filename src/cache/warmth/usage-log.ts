/**
 * The log of use: what is used at the moment goes, every so often and at the end, into the file of the disk layer, with
 * the recipe that loads it, by key and by hour of the day; what has faded leaves it, and so does what is forgotten.
 *
 * What must hold: nothing is written of entries that are not written to disk themselves; nothing here holds the event
 * loop for long (I12); whatever goes wrong with a row or with the file costs warmth and nothing else (I4); what is
 * forgotten is not used any more from then on, and where the file does not give it up at once, nothing is written before
 * it has.
 */
import type { Clock } from '../clock.ts';
import type { Entry, EntryLinks } from '../entry.ts';
import { covers, type Target } from '../keys/target.ts';
import type { Disk } from '../layers/disk/disk.ts';
import type { DiskFile } from '../layers/disk/file.ts';
import type { MemoryLayer } from '../layers/memory.ts';
import { Forgettings, type ForgottenKeys } from './forgettings.ts';
import { heated, heatsWorth } from './heat.ts';
import { RecentUses } from './recent-uses.ts';
import type { Recipes } from './recipes.ts';
import { UsageFile, type UsageRow } from './usage-file.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A key's use counts half as much after a day: what was dear last week has left by the next, unless it is used again. */
export const HALF_LIFE_MS = DAY_MS;
/** An hour is compared with the same hour of other days, so its use fades more slowly: in a week to a tenth. */
export const HOUR_HALF_LIFE_MS = 2 * DAY_MS;
/** What is worth less than half a use leaves. */
const WORTH_KEEPING = 0.5;

/** Rows are some 300 bytes: up to 600 kB, and 24 × 200 of some 80 bytes, 400 kB, for the hours. */
const MAX_ROWS = 2_000;
const MAX_ROWS_AN_HOUR = 200;
/** Rows beyond the bound that are removed at once. */
const TOO_MANY = 128;
/** How often what has faded is removed. */
const PRUNE_MS = HOUR_MS / 4;
/** Keys written in one slice: about 2 ms. */
const KEYS_A_SLICE = 32;

export interface UsageParts {
  readonly disk: Disk;
  readonly memory: MemoryLayer;
  readonly recipes: Recipes;
  readonly clock: Clock;
  readonly intervalMs: number;
}

export class UsageLog {
  readonly forgettings: Forgettings;
  readonly #parts: UsageParts;
  readonly #clock: Clock;
  readonly #cancel: () => void;
  readonly #uses = new RecentUses();
  #usage: { readonly file: DiskFile; readonly tables: UsageFile } | undefined;
  #keys = 0;
  #damaged = 0;
  #writing: Promise<void> | undefined;
  #prunedAt = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(parts: UsageParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.forgettings = new Forgettings({
      clock: parts.clock,
      read: (work) => this.read(work),
      onRemoved: () => parts.disk.forgetSoon(),
    });
    this.#cancel = parts.clock.every(parts.intervalMs, () => void this.flush());
    this.#count();
  }

  /** How many keys are written down. */
  get keys(): number {
    return this.#keys;
  }

  /** How many rows were damaged, and dropped. */
  get damaged(): number {
    return this.#damaged;
  }

  /** To be called when an entry's hits have reached a power of two. */
  used(entry: Entry): void {
    const { key, counters } = entry;
    const isPersistent = counters.rules.ofTier.persist !== 'memory';
    if (isPersistent || this.#parts.recipes.noteOf(key) !== undefined) this.#uses.used(entry);
  }

  /** To be called when somebody has asked for a key that is not there. */
  missed(key: string): void {
    this.#uses.missed(key);
  }

  /** Whether the key is among those that are used at the moment. */
  isUsed(key: string): boolean {
    return this.#uses.has(key);
  }

  /** An entry has left memory. */
  removed(entry: Entry): void {
    this.#uses.removed(entry);
  }

  /** Everything has left memory. */
  cleared(): void {
    this.#uses.cleared();
  }

  /** Works on the tables; `undefined` where they cannot be used at the moment. */
  read<T>(work: (tables: UsageFile) => T): T | undefined {
    if (this.#isStopped) return undefined;
    return this.#parts.disk.with('could not be used for what is used most', (file) => {
      if (this.#usage?.file !== file) this.#usage = { file, tables: new UsageFile(file) };
      const { tables } = this.#usage;
      const result = work(tables);
      this.#damaged += tables.takeDamaged();
      return result;
    });
  }

  /** Writes down what was used until now. */
  async flush(): Promise<void> {
    // What is being written may have been counted before the last uses.
    await this.#writing;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  /**
   * Forgets how the keys are loaded that the targets cover; to be called before their entries are invalidated, since
   * their tags tell whom they are of. What is written is forgotten by what is returned, which tells how many keys it was.
   * What the file does not give up by then is forgotten later, and not used meanwhile.
   */
  forget(targets: readonly Target[]): () => Promise<ForgottenKeys> {
    const { recipes, memory } = this.#parts;
    const hasTags = targets.some(({ kind }) => kind === 'tag');
    const isCovered = (key: string, links: EntryLinks | undefined) =>
      targets.some((target) => covers(target, key, links, undefined));
    const forgotten = new Set<string>();
    recipes.forget((key) => {
      const entry = memory.peek(key);
      if (isCovered(key, entry?.links)) forgotten.add(key);
      // Of an entry that is gone nobody knows the tags; a note too few costs nothing but a load.
      return forgotten.has(key) || (entry === undefined && hasTags);
    });
    this.#uses.forget((key, links) => forgotten.has(key) || isCovered(key, links));
    const remove = this.forgettings.add(targets, forgotten);
    return async () => {
      const removed = await remove();
      this.#count();
      if (this.#isStopped && !removed.isFinished) this.#parts.disk.deleteAtEnd();
      return removed;
    };
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.flush();
    if (this.forgettings.isUnfinished) this.#parts.disk.deleteAtEnd();
    this.#isStopped = true;
  }

  #count(): void {
    this.read((tables) => {
      this.#keys = tables.size;
    });
  }

  async #write(): Promise<void> {
    if (!(await this.forgettings.finish())) return;
    const recent = this.#uses.list();
    for (let first = 0; first < recent.length && !this.#isStopped; first += KEYS_A_SLICE) {
      const slice = recent.slice(first, first + KEYS_A_SLICE);
      const isWritten = this.read((tables) => {
        tables.transaction(() => {
          // Meanwhile somebody may have been forgotten.
          for (const { key, uses } of slice) if (this.#uses.has(key)) this.#writeOne(tables, key, uses);
        });
        return true;
      });
      // A disk that is full or locked: they are written the next time.
      if (isWritten !== true) return;
      for (const { key, uses } of slice) this.#uses.counted(key, uses);
      await this.#clock.yield();
    }
    this.#uses.makeRoom(new Map(recent.map(({ key, uses }) => [key, uses])));
    await this.#prune();
  }

  #writeOne(tables: UsageFile, key: string, uses: number): void {
    const known = tables.read(key);
    const row = this.#rowOf(key, known);
    if (row === undefined) return;
    const nowAt = this.#nowAt();
    const hour = hourOf(nowAt);
    const heat = heated(known?.heat, uses, nowAt, HALF_LIFE_MS);
    const hourHeat = heated(tables.heatAt(hour, key), uses, nowAt, HOUR_HALF_LIFE_MS);
    tables.write({ ...row, heat, worth: worthOf(heat, row.load_micros) });
    tables.writeHour({ hour, key, heat: hourHeat, worth: worthOf(hourHeat, row.load_micros) });
  }

  /** How the key is loaded, by what is noted now or else by what was known; `undefined` where nobody knows. */
  #rowOf(key: string, known: UsageRow | undefined): Omit<UsageRow, 'heat' | 'worth'> | undefined {
    const { recipes, memory } = this.#parts;
    const entry = memory.peek(key);
    // Without its entry the tags are not known.
    if (entry === undefined) return known;
    const links = JSON.stringify(entry.links ?? {});
    const load_micros = entry.loadMicros >= 0 ? entry.loadMicros : (known?.load_micros ?? 0);
    const note = recipes.noteOf(key);
    const args = note?.args();
    if (note === undefined || args === undefined) return known && { ...known, links, load_micros };
    return { key, tier: note.tier, recipe: note.recipe, args, links, load_micros };
  }

  /** Removes what has faded, several times an hour, so that each hour of the day has its turn; and what is too much. */
  async #prune(): Promise<void> {
    this.#count();
    const nowAt = this.#nowAt();
    if (nowAt - this.#prunedAt < PRUNE_MS && this.#keys < MAX_ROWS + TOO_MANY) return;
    this.#prunedAt = nowAt;
    this.read((tables) => tables.prune(heatsWorth(WORTH_KEEPING, nowAt, HALF_LIFE_MS), MAX_ROWS));
    await this.#clock.yield();
    const worth = heatsWorth(WORTH_KEEPING, nowAt, HOUR_HALF_LIFE_MS);
    this.read((tables) => tables.pruneHour(hourOf(nowAt), worth, MAX_ROWS_AN_HOUR));
    this.#count();
  }

  #nowAt(): number {
    return this.#clock.epochAt(this.#clock.now());
  }
}

/** The hour of the day where the process is. */
export function hourOf(at: number): number {
  return new Date(at).getHours();
}

/** Uses × load time, on the scale of heats: what orders keys. */
function worthOf(heat: number, loadMicros: number): number {
  return heat + Math.log2(Math.max(1, loadMicros));
}
