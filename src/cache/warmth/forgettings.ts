/**
 * What was forgotten of late, so that nothing brings it back: neither the file of what is used most, where it could not
 * be removed at once, nor a list of keys to warm that was made before. In bounded memory: where too much is left undone,
 * everything is forgotten; a list older than what is remembered here is not believed.
 */
import type { Clock } from '../clock.ts';
import type { EntryLinks } from '../entry.ts';
import { compilePattern } from '../keys/pattern.ts';
import { covers, type Target } from '../keys/target.ts';
import { FIRST_PAGE, type UsageFile, type UsagePage } from './usage-file.ts';

/** Lists of keys to warm look through them. */
const MAX_REMEMBERED = 200;

const EVERYTHING: Target = { kind: 'pattern', pattern: compilePattern('*') };

/** A key, with the JSON of its tags and dependencies as they were last known. */
export interface ForgettableKey {
  readonly key: string;
  readonly links: string;
}

export interface ForgottenKeys {
  /** How many are nowhere any more. */
  readonly keys: number;
  /** False where the file may still hold some. */
  readonly isFinished: boolean;
}

class Forgetting {
  readonly position: number;
  readonly targets: readonly Target[];
  /** Keys that it covers: by what was known of them in memory, and those that the file has given up. */
  readonly keys: Set<string>;
  /** How many the file has given up. */
  removed = 0;
  isFinished = false;
  /** One that covers everything, where it was one too many. */
  heir: Forgetting | undefined;

  constructor(position: number, targets: readonly Target[], keys: ReadonlySet<string>) {
    this.position = position;
    this.targets = targets;
    this.keys = new Set(keys);
  }

  /** Whether the file holds nothing of it any more. */
  get isOver(): boolean {
    return this.isFinished || this.heir?.isOver === true;
  }

  covers({ key, links }: ForgettableKey): boolean {
    return (
      this.keys.has(key) || this.targets.some((target) => covers(target, key, linksOf(links), undefined))
    );
  }
}

export interface ForgettingsParts {
  readonly clock: Clock;
  /** Works on the tables; `undefined` where they cannot be used at the moment. */
  readonly read: <T>(work: (tables: UsageFile) => T) => T | undefined;
  /** Called when the file has given up what it was asked for: the rows are gone, and their bytes not yet. */
  readonly onRemoved: () => void;
}

export class Forgettings {
  readonly #parts: ForgettingsParts;
  #position = 0;
  /** The oldest first. */
  readonly #recent: Forgetting[] = [];
  /** Those of which the file may still hold something. */
  #unfinished: readonly Forgetting[] = [];
  #rememberedAfter = 0;
  #finishing: Promise<boolean> | undefined;

  constructor(parts: ForgettingsParts) {
    this.#parts = parts;
  }

  /** That of the last one: see {@link isForgotten}. */
  get position(): number {
    return this.#position;
  }

  /** Whether the file may still hold something that is forgotten. */
  get isUnfinished(): boolean {
    return this.#unfinished.length > 0;
  }

  /**
   * From now on nothing covered is used.
   * @param keys that are known to be covered
   * @returns what removes them from the file, or else leaves it to a later {@link finish}
   */
  add(targets: readonly Target[], keys: ReadonlySet<string>): () => Promise<ForgottenKeys> {
    const isTooMuch = this.#unfinished.length >= MAX_REMEMBERED;
    const forgetting = new Forgetting(++this.#position, isTooMuch ? [EVERYTHING] : targets, keys);
    if (isTooMuch) for (const each of this.#unfinished) each.heir = forgetting;
    this.#unfinished = isTooMuch ? [forgetting] : [...this.#unfinished, forgetting];
    this.#recent.push(forgetting);
    if (this.#recent.length > MAX_REMEMBERED) this.#rememberedAfter = this.#recent.shift()?.position ?? 0;
    return async () => {
      while (!forgetting.isOver && (await this.finish()));
      const { isOver: isFinished, removed } = forgetting;
      // What is gone from memory may still be in the file.
      return { keys: isFinished ? forgetting.keys.size : removed, isFinished };
    };
  }

  /** Whether the key was forgotten after a position, or is still in the file though it is forgotten. */
  isForgotten(key: ForgettableKey, since: number): boolean {
    if (this.#unfinished.some((forgetting) => forgetting.covers(key))) return true;
    if (since === this.#position) return false;
    if (since < this.#rememberedAfter) return true;
    return this.#recent.some((forgetting) => forgetting.position > since && forgetting.covers(key));
  }

  /** Removes from the file what is forgotten. False where the file does not let. */
  finish(): Promise<boolean> {
    this.#finishing ??= this.#finishAll().finally(() => {
      this.#finishing = undefined;
    });
    return this.#finishing;
  }

  async #finishAll(): Promise<boolean> {
    for (let all = this.#unfinished; all.length > 0; all = this.#unfinished) {
      for (let next: UsagePage['next'] = FIRST_PAGE; next !== undefined; ) {
        const from: UsagePage['next'] = next;
        const page: UsagePage | undefined = this.#parts.read((tables) => tables.page(from));
        if (page === undefined || !this.#removeFrom(page, all)) return false;
        next = page.next;
        await this.#parts.clock.yield();
      }
      if (!this.#attempt((tables) => tables.pruneLeft())) return false;
      for (const forgetting of all) forgetting.isFinished = true;
      this.#parts.onRemoved();
      this.#unfinished = this.#unfinished.filter(({ isFinished }) => !isFinished);
    }
    return true;
  }

  /** False where the file does not give them up. */
  #removeFrom({ rows }: UsagePage, all: readonly Forgetting[]): boolean {
    const covered = rows.filter((row) => all.some((forgetting) => forgetting.covers(row)));
    if (covered.length === 0) return true;
    const isRemoved = this.#attempt((tables) =>
      tables.transaction(() => {
        for (const { key } of covered) tables.delete(key);
      }),
    );
    if (!isRemoved) return false;
    for (const row of covered) {
      for (const forgetting of all.filter((each) => each.covers(row))) {
        forgetting.keys.add(row.key);
        forgetting.removed++;
      }
    }
    return true;
  }

  #attempt(work: (tables: UsageFile) => void): boolean {
    const isDone = this.#parts.read((tables) => {
      work(tables);
      return true;
    });
    return isDone === true;
  }
}

/** Its checksum matched, so it is what we wrote. */
function linksOf(text: string): EntryLinks {
  return { tags: [], dependsOn: [], ...(JSON.parse(text) as Partial<EntryLinks>) };
}
