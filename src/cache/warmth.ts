/**
 * Warmth that survives: what is used most, and how it is loaded again, is written to the file of the disk layer every
 * so often and at the end. The next process loads the most valuable of it (uses × load time) before anybody asks; and
 * each hour what the last days used in the coming one. Here is what is remembered and what is worth loading; when it is
 * loaded, and how much at most, is left to the warmers.
 *
 * What must hold: nothing of entries that are not written to disk themselves is written here; what is forgotten is
 * forgotten here, too; whatever goes wrong with a row or with the file costs warmth and nothing else (I4).
 */
import type { Clock } from './clock.ts';
import { decode } from './codec.ts';
import type { Entry, EntryLinks } from './entry.ts';
import { heated, heatsWorth } from './heat.ts';
import type { Disk } from './layers/disk.ts';
import type { DiskFile } from './layers/disk-file.ts';
import type { MemoryLayer } from './layers/memory.ts';
import { UsageFile, type UsageRow } from './layers/usage-file.ts';
import type { Loads } from './loads.ts';
import { RecentUses } from './recent-uses.ts';
import type { Recipe, Recipes } from './recipes.ts';
import { covers, type Target } from './target.ts';
import type { TierPolicy, WarmJob, WarmthStats } from './types.ts';
import { Warmed } from './warmed.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A key's use counts half as much after a day: what was dear last week has left by the next, unless it is used again. */
const HALF_LIFE_MS = DAY_MS;
/** An hour is compared with the same hour of other days, so its use fades more slowly: in a week to a tenth. */
const HOUR_HALF_LIFE_MS = 2 * DAY_MS;
/** What is not worth more than one use is not loaded; at half a use it leaves. */
const WORTH_LOADING = 1;
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

export interface WarmthParts {
  readonly disk: Disk;
  readonly memory: MemoryLayer;
  readonly loads: Loads;
  readonly recipes: Recipes;
  readonly tiers: readonly TierPolicy[];
  readonly clock: Clock;
  readonly intervalMs: number;
  /** What a read would be given now, from memory or disk. */
  readonly fresh: (key: string) => Entry | undefined;
}

/** Where there is no disk, and where nobody wants it, nothing is remembered; what was before, is forgotten. */
export function warmthOf(
  remembers: boolean,
  parts: Omit<WarmthParts, 'disk'> & { readonly disk: Disk | undefined },
): Warmth | undefined {
  const { disk } = parts;
  if (disk === undefined) return undefined;
  if (remembers) return new Warmth({ ...parts, disk });
  disk.with('could not be used for what is used most', (file) => new UsageFile(file).clear());
  return undefined;
}

export class Warmth {
  readonly #parts: WarmthParts;
  readonly #clock: Clock;
  readonly #levels: ReadonlyMap<string, TierPolicy['persist']>;
  readonly #cancel: () => void;
  readonly #uses = new RecentUses();
  readonly #started = new Warmed();
  readonly #predicted = new Warmed();
  #usage: { readonly file: DiskFile; readonly tables: UsageFile } | undefined;
  #keys = 0;
  #damaged = 0;
  #writing: Promise<void> | undefined;
  #prunedAt = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(parts: WarmthParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#levels = new Map(parts.tiers.map(({ tier, persist }) => [tier, persist ?? 'memory']));
    this.#cancel = parts.clock.every(parts.intervalMs, () => void this.flush());
    this.#count();
  }

  /** What is most valuable of all that was used of late, at most so many, most valuable first. */
  hot(limit: number): Promise<WarmJob[]> {
    const nowAt = this.#nowAt();
    const worth = heatsWorth(WORTH_LOADING, nowAt, HALF_LIFE_MS);
    return this.#jobs((tables, page) => tables.hottest(worth, page), limit, {
      isFresh: (key) => this.#parts.fresh(key) !== undefined,
      warmed: this.#started,
    });
  }

  /**
   * The same of what the last days used in the hour that begins at `beginsAt` (epoch milliseconds). What will be fresh
   * throughout, or was loaded a moment ago, need not be loaded.
   */
  coming(beginsAt: number, limit: number): Promise<WarmJob[]> {
    const hour = hourOf(beginsAt);
    const worth = heatsWorth(WORTH_LOADING, beginsAt, HOUR_HALF_LIFE_MS);
    const endsAt = beginsAt - this.#clock.epochAt(0) + HOUR_MS;
    return this.#jobs((tables, page) => tables.hottestAt(hour, worth, page), limit, {
      isFresh: (key) => this.#lasts(key, endsAt),
      warmed: this.#predicted,
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

  removed(entry: Entry): void {
    this.#uses.removed(entry);
    this.#started.removed(entry);
    this.#predicted.removed(entry);
  }

  /** Everything has left memory. */
  cleared(): void {
    this.#uses.cleared();
    this.#started.cleared();
    this.#predicted.cleared();
  }

  /**
   * Forgets how the keys are loaded that the targets cover; to be called before their entries are invalidated, since
   * their tags tell whom they are of. What is written is forgotten by the promise's end.
   * @returns how many keys it was
   */
  forget(targets: readonly Target[]): () => Promise<number> {
    const { recipes, memory } = this.#parts;
    const hasTags = targets.some(({ kind }) => kind === 'tag');
    const isCovered = (key: string, links: EntryLinks | undefined) =>
      targets.some((target) => covers(target, key, links));
    const forgotten = new Set<string>();
    recipes.forget((key) => {
      const entry = memory.peek(key);
      if (isCovered(key, entry?.links)) forgotten.add(key);
      // Of an entry that is gone nobody knows the tags; a note too few costs nothing but a load.
      return forgotten.has(key) || (entry === undefined && hasTags);
    });
    this.#uses.forget((key) => forgotten.has(key) || isCovered(key, undefined));
    return async () => {
      for (let after: string | undefined = ''; after !== undefined; ) {
        const { rows, lastKey }: ReturnType<UsageFile['rowsAfter']> = this.#rowsAfter(after);
        after = lastKey;
        const covered = rows.filter(({ key, links }) => forgotten.has(key) || isCovered(key, linksOf(links)));
        this.#with((tables) =>
          tables.transaction(() => {
            for (const { key } of covered) tables.delete(key);
          }),
        );
        for (const { key } of covered) forgotten.add(key);
        await this.#clock.yield();
      }
      this.#count();
      return forgotten.size;
    };
  }

  #rowsAfter(key: string): ReturnType<UsageFile['rowsAfter']> {
    return this.#with((tables) => tables.rowsAfter(key)) ?? { rows: [], lastKey: undefined };
  }

  #count(): void {
    this.#with((tables) => {
      this.#keys = tables.size;
    });
  }

  stats(): WarmthStats {
    const { recipes } = this.#parts;
    return {
      recipes: recipes.size,
      keys: this.#keys,
      damaged: this.#damaged,
      start: this.#started.figures(),
      predicted: this.#predicted.figures(),
    };
  }

  async stop(): Promise<void> {
    this.#cancel();
    await this.flush();
    this.#isStopped = true;
  }

  // ---- what is written ----

  async #write(): Promise<void> {
    const recent = this.#uses.list();
    for (let first = 0; first < recent.length && !this.#isStopped; first += KEYS_A_SLICE) {
      const slice = recent.slice(first, first + KEYS_A_SLICE);
      const isWritten = this.#with((tables) => {
        tables.transaction(() => {
          for (const use of slice) this.#writeOne(tables, use);
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

  #writeOne(tables: UsageFile, { key, uses }: ReturnType<RecentUses['list']>[number]): void {
    const { recipes, memory } = this.#parts;
    const known = tables.read(key);
    const note = recipes.noteOf(key);
    const entry = memory.peek(key);
    const nowAt = this.#nowAt();
    // Without its entry the tags are not known.
    const args = entry === undefined ? undefined : note?.args();
    const isNew = note !== undefined && args !== undefined;
    if (!isNew && known === undefined) return;
    const loadMicros = entry !== undefined && entry.loadMicros >= 0 ? entry.loadMicros : known?.load_micros;
    const load_micros = loadMicros ?? 0;
    const heat = heated(known?.heat, uses, nowAt, HALF_LIFE_MS);
    tables.write({
      key,
      tier: isNew ? note.tier : (known?.tier ?? ''),
      recipe: isNew ? note.recipe : (known?.recipe ?? ''),
      args: args ?? known?.args ?? '',
      links: entry === undefined ? (known?.links ?? '{}') : JSON.stringify(entry.links ?? {}),
      load_micros,
      heat,
      worth: worthOf(heat, load_micros),
    });
    const hour = hourOf(nowAt);
    const hourHeat = heated(tables.heatAt(hour, key), uses, nowAt, HOUR_HALF_LIFE_MS);
    tables.writeHour({ hour, key, heat: hourHeat, worth: worthOf(hourHeat, load_micros) });
  }

  /** Removes what has faded, several times an hour, so that each hour of the day has its turn; and what is too much. */
  async #prune(): Promise<void> {
    this.#count();
    const nowAt = this.#nowAt();
    if (nowAt - this.#prunedAt < PRUNE_MS && this.#keys < MAX_ROWS + TOO_MANY) return;
    this.#prunedAt = nowAt;
    this.#with((tables) => tables.prune(heatsWorth(WORTH_KEEPING, nowAt, HALF_LIFE_MS), MAX_ROWS));
    await this.#clock.yield();
    const worth = heatsWorth(WORTH_KEEPING, nowAt, HOUR_HALF_LIFE_MS);
    this.#with((tables) => tables.pruneHour(hourOf(nowAt), worth, MAX_ROWS_AN_HOUR));
    this.#count();
  }

  // ---- what is worth loading ----

  async #jobs(
    read: (tables: UsageFile, page: number) => UsageRow[] | undefined,
    limit: number,
    by: { readonly isFresh: (key: string) => boolean; readonly warmed: Warmed },
  ): Promise<WarmJob[]> {
    const jobs: WarmJob[] = [];
    for (let page = 0; jobs.length < limit; page++) {
      const rows = this.#with((tables) => read(tables, page));
      if (rows === undefined) break;
      for (const row of rows) {
        const job = jobs.length < limit ? this.#jobOf(row) : undefined;
        if (job !== undefined) jobs.push(this.#followed(job, by.isFresh, by.warmed));
      }
      await this.#clock.yield();
    }
    return jobs;
  }

  /** The job of a row, where its recipe is still there and still gives this key. */
  #jobOf({ key, tier, recipe: name, args: text }: UsageRow): WarmJob | undefined {
    const recipe = this.#parts.recipes.find(name);
    if (recipe === undefined) return undefined;
    if (!this.#isPersistent(recipe, tier)) {
      // The configuration was another one when it was written.
      this.#with((tables) => tables.delete(key));
      return undefined;
    }
    try {
      const args = decode(text);
      return Array.isArray(args) && recipe.key(args) === key ? recipe.warm(args) : undefined;
    } catch {
      // Arguments of another version of the function: it is loaded when somebody asks for it.
      return undefined;
    }
  }

  #isPersistent({ persist }: Recipe, tier: string): boolean {
    return (persist ?? this.#levels.get(tier) ?? 'memory') !== 'memory';
  }

  /** The job, with what becomes of its entry. */
  #followed(job: WarmJob, isFresh: (key: string) => boolean, warmed: Warmed): WarmJob {
    const { key } = job;
    const { memory, loads } = this.#parts;
    const follow = (before: Entry | undefined) => {
      const entry = memory.peek(key);
      if (entry !== undefined && entry !== before) warmed.add(entry);
    };
    return {
      key,
      isFresh: () => loads.get(key) !== undefined || isFresh(key),
      run() {
        const before = memory.peek(key);
        const result = job.run();
        if (!isThenable(result)) return follow(before);
        return result.then(() => follow(before));
      },
    };
  }

  #lasts(key: string, endsAt: number): boolean {
    const entry = this.#parts.fresh(key);
    if (entry === undefined) return false;
    const { createdAt, staleAt } = entry;
    return staleAt >= endsAt || this.#clock.now() - createdAt < (staleAt - createdAt) / 2;
  }

  // ---- the file ----

  #with<T>(work: (tables: UsageFile) => T): T | undefined {
    if (this.#isStopped) return undefined;
    return this.#parts.disk.with('could not be used for what is used most', (file) => {
      if (this.#usage?.file !== file) this.#usage = { file, tables: new UsageFile(file) };
      const { tables } = this.#usage;
      const result = work(tables);
      this.#damaged += tables.takeDamaged();
      return result;
    });
  }

  #nowAt(): number {
    return this.#clock.epochAt(this.#clock.now());
  }
}

/** Uses × load time, on the scale of heats: what orders keys. */
function worthOf(heat: number, loadMicros: number): number {
  return heat + Math.log2(Math.max(1, loadMicros));
}

/** The hour of the day where the process is. */
function hourOf(at: number): number {
  return new Date(at).getHours();
}

/** Its checksum matched, so it is what we wrote. */
function linksOf(text: string): EntryLinks {
  return { tags: [], dependsOn: [], ...(JSON.parse(text) as Partial<EntryLinks>) };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
