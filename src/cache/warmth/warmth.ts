/**
 * Warmth that survives: the most valuable of what was used (uses × load time) is loaded at the next start before anybody
 * asks; and each hour what the last days used in the coming one. Here is decided what is worth loading, and counted what
 * came of it; what was used is kept in `usage-log.ts`; when it is loaded, and how much at most, is left to the warmers.
 */
import type { Entry } from '../entry.ts';
import type { Target } from '../keys/target.ts';
import type { Disk } from '../layers/disk/disk.ts';
import type { Loads } from '../loading/loads.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { WarmthStats } from '../statistics/stats.ts';
import type { TierPolicy } from '../tiers/tier.ts';
import { decode } from '../values/codec.ts';
import type { WarmJob } from '../warm-job.ts';
import type { ForgottenKeys } from './forgettings.ts';
import { heatsWorth } from './heat.ts';
import type { Recipe } from './recipes.ts';
import { UsageFile, type UsageRow } from './usage-file.ts';
import { HALF_LIFE_MS, HOUR_HALF_LIFE_MS, hourOf, UsageLog, type UsageParts } from './usage-log.ts';
import { Warmed } from './warmed.ts';

const HOUR_MS = 3_600_000;

/** What is not worth more than one use is not loaded. */
const WORTH_LOADING = 1;

export interface WarmthParts extends UsageParts {
  readonly loads: Loads;
  readonly tiers: readonly TierPolicy[];
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
  readonly #levels: ReadonlyMap<string, TierPolicy['persist']>;
  readonly #log: UsageLog;
  readonly #started = new Warmed();
  readonly #predicted = new Warmed();

  constructor(parts: WarmthParts) {
    this.#parts = parts;
    this.#levels = new Map(parts.tiers.map(({ tier, persist }) => [tier, persist ?? 'memory']));
    this.#log = new UsageLog(parts);
  }

  /** What is most valuable of all that was used of late, at most so many, most valuable first. */
  hot(limit: number): Promise<WarmJob[]> {
    const { clock } = this.#parts;
    const worth = heatsWorth(WORTH_LOADING, clock.epochAt(clock.now()), HALF_LIFE_MS);
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
    const endsAt = beginsAt - this.#parts.clock.epochAt(0) + HOUR_MS;
    return this.#jobs((tables, page) => tables.hottestAt(hour, worth, page), limit, {
      isFresh: (key) => this.#lasts(key, endsAt),
      warmed: this.#predicted,
    });
  }

  stats(): WarmthStats {
    return {
      recipes: this.#parts.recipes.size,
      keys: this.#log.keys,
      damaged: this.#log.damaged,
      start: this.#started.figures(),
      predicted: this.#predicted.figures(),
    };
  }

  // ---- what the cache tells ----

  /** An entry's hits have reached a power of two. */
  used(entry: Entry): void {
    this.#log.used(entry);
  }

  /** Somebody has asked for a key that is not there. */
  missed(key: string): void {
    this.#log.missed(key);
  }

  /** Whether the key is among those that are used at the moment. */
  isUsed(key: string): boolean {
    return this.#log.isUsed(key);
  }

  /** An entry has left memory. */
  removed(entry: Entry): void {
    this.#log.removed(entry);
    this.#started.removed(entry);
    this.#predicted.removed(entry);
  }

  /** Everything has left memory. */
  cleared(): void {
    this.#log.cleared();
    this.#started.cleared();
    this.#predicted.cleared();
  }

  /** See {@link UsageLog.forget}. */
  forget(targets: readonly Target[]): () => Promise<ForgottenKeys> {
    return this.#log.forget(targets);
  }

  /** Writes down what was used until now. */
  flush(): Promise<void> {
    return this.#log.flush();
  }

  stop(): Promise<void> {
    return this.#log.stop();
  }

  // ---- what is worth loading ----

  async #jobs(
    read: (tables: UsageFile, page: number) => UsageRow[] | undefined,
    limit: number,
    by: { readonly isFresh: (key: string) => boolean; readonly warmed: Warmed },
  ): Promise<WarmJob[]> {
    const { forgettings } = this.#log;
    await forgettings.finish();
    const jobs: WarmJob[] = [];
    for (let page = 0; jobs.length < limit; page++) {
      const rows = this.#log.read((tables) => read(tables, page));
      if (rows === undefined) break;
      const { position } = forgettings;
      for (const row of rows) {
        const isForgotten = () => forgettings.isForgotten(row, position);
        const job = jobs.length < limit && !isForgotten() ? this.#jobOf(row) : undefined;
        if (job !== undefined) jobs.push(this.#followed(job, { ...by, isForgotten }));
      }
      await this.#parts.clock.yield();
    }
    return jobs;
  }

  /** The job of a row, where its recipe is still there and still gives this key. */
  #jobOf({ key, tier, recipe: name, args: text }: UsageRow): WarmJob | undefined {
    const recipe = this.#parts.recipes.find(name);
    if (recipe === undefined) return undefined;
    if (!this.#isPersistent(recipe, tier)) {
      // The configuration was another one when it was written.
      this.#log.read((tables) => tables.delete(key));
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

  /** The job, with what becomes of its entry. Once its key is forgotten it does nothing. */
  #followed(
    job: WarmJob,
    {
      isFresh,
      isForgotten,
      warmed,
    }: {
      readonly isFresh: (key: string) => boolean;
      readonly isForgotten: () => boolean;
      readonly warmed: Warmed;
    },
  ): WarmJob {
    const { key } = job;
    const { memory, loads } = this.#parts;
    const follow = (before: Entry | undefined) => {
      const entry = memory.peek(key);
      if (entry !== undefined && entry !== before) warmed.add(entry);
    };
    return {
      key,
      isFresh: () => isForgotten() || loads.get(key) !== undefined || isFresh(key),
      run() {
        if (isForgotten()) return;
        const before = memory.peek(key);
        const result = job.run();
        if (!isPromiseLike(result)) return follow(before);
        return result.then(() => follow(before));
      },
    };
  }

  #lasts(key: string, endsAt: number): boolean {
    const entry = this.#parts.fresh(key);
    if (entry === undefined) return false;
    const { createdAt, staleAt } = entry;
    return staleAt >= endsAt || this.#parts.clock.now() - createdAt < (staleAt - createdAt) / 2;
  }
}
