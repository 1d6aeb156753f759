/**
 * Recipes: how an entry is loaded again when nobody has asked for it, by a name that outlives the process and the
 * arguments of the call. Each cached read is one, registered with its cache where it is wrapped. What was called with
 * what is noted when a load begins, so a hit costs nothing, and only in bounded memory: {@link MAX_NOTES} keys, of which
 * those that are used most stay. Who writes notes down, and when, is decided in `warmth.ts`.
 *
 * Nothing is noted of entries that are not written to disk (level `memory`, as the tier `user` is unless the
 * configuration says otherwise), nor of arguments that would not come back as they were: functions, class instances.
 */

import { CacheError } from '../errors.ts';
import { Load } from '../loading/load.ts';
import type { LoadContext } from '../loading/load-context.ts';
import type { PersistenceLevel } from '../tiers/policy.ts';
import { encode } from '../values/codec.ts';
import { ownText } from '../values/own-text.ts';
import type { WarmJob } from '../warm-job.ts';

/** A cached read, as it can be repeated. */
export interface Recipe {
  /** The same in every process: by default the template of the key. */
  readonly name: string;
  /** What the call says of the disk; `undefined` where its tier decides. */
  readonly persist: PersistenceLevel | undefined;
  key(args: readonly unknown[]): string;
  /** `undefined` where the object whose method it is has gone. */
  warm(args: readonly unknown[]): WarmJob | undefined;
  /** Whether that object has gone, for good. */
  isGone?(): boolean;
}

/** How one key was loaded. */
export interface Note {
  readonly recipe: string;
  readonly tier: string;
  /** As the codec writes them; `undefined` where it cannot. */
  readonly args: () => string | undefined;
}

/** About 300 bytes each, so some 300 kB; at most 1 MB with the longest arguments. */
export const MAX_NOTES = 1_000;
/** Longer arguments, as text, are not kept. */
const MAX_ARGUMENTS_LENGTH = 512;
/** Names come from code, so there are few; but code may make them up. */
const MAX_RECIPES = 1_000;

/** Who follows what is used. */
export interface NoteFollower {
  /** Somebody waits for the load of a key. */
  missed(key: string): void;
  /** Whether the key is used at the moment: its note stays when there are too many. */
  isUsed(key: string): boolean;
}

export class Recipes {
  readonly #recipes = new Map<string, Recipe>();
  readonly #notes = new Map<string, Note>();
  readonly #follower: NoteFollower | undefined;

  /** @param follower without one nothing is noted */
  constructor(follower?: NoteFollower) {
    this.#follower = follower;
  }

  /** How many cached reads there are. */
  get size(): number {
    return this.#recipes.size;
  }

  /** How many keys are noted. */
  get notes(): number {
    return this.#notes.size;
  }

  /** Of two with one name the later counts: a recipe must give the key that was noted, or it is not used. */
  register(recipe: Recipe): void {
    if (this.#recipes.size < MAX_RECIPES || this.#recipes.has(recipe.name)) {
      this.#recipes.set(recipe.name, recipe);
    }
  }

  find(name: string): Recipe | undefined {
    const found = this.#recipes.get(name);
    return found?.isGone?.() === true ? undefined : found;
  }

  /** To be called when a load begins, by its loader. Never throws: a note is worth less than the load. */
  note(recipe: string, context: LoadContext, args: readonly unknown[]): void {
    // Within a transaction, and where nothing is kept, the context is another one.
    const follower = this.#follower;
    if (follower === undefined || !(context instanceof Load)) return;
    // A load that runs behind may be covered before its loader is called: by whoever forgets its key, too.
    if (!context.mayKeep || context.isVoid || context.rules.persist === 'memory') return;
    const { key } = context;
    if (context.cause === 'miss') follower.missed(key);
    if (this.#notes.get(key)?.recipe === recipe) return;
    const written = keepable(args);
    if (written === undefined) return;
    this.#notes.delete(key);
    while (this.#notes.size >= MAX_NOTES) this.#makeRoom(follower);
    this.#notes.set(ownText(key), { recipe, tier: context.counters.policy.tier, args: written });
  }

  noteOf(key: string): Note | undefined {
    return this.#notes.get(key);
  }

  forget(isCovered: (key: string) => boolean): void {
    for (const key of this.#notes.keys()) if (isCovered(key)) this.#notes.delete(key);
  }

  /** The oldest leaves, unless it is used at the moment: those go to the end of the line, and are fewer than notes. */
  #makeRoom(follower: NoteFollower): void {
    let looked = 0;
    for (const [key, note] of this.#notes) {
      this.#notes.delete(key);
      if (++looked > MAX_NOTES || !follower.isUsed(key)) return;
      this.#notes.set(key, note);
    }
  }
}

/**
 * The arguments as they are kept. Texts, numbers and the like cannot change, so they are written when it comes to that;
 * all else is written at once.
 */
function keepable(args: readonly unknown[]): Note['args'] | undefined {
  let length = 0;
  let isPlain = true;
  for (const arg of args) {
    if (typeof arg === 'function' || typeof arg === 'symbol') return undefined;
    if (typeof arg === 'object' && arg !== null) isPlain = false;
    else if (typeof arg === 'string') length += arg.length;
  }
  if (length > MAX_ARGUMENTS_LENGTH) return undefined;
  if (isPlain) {
    // One cut from a message must not keep that alive.
    const kept = args.map((arg) => (typeof arg === 'string' ? ownText(arg) : arg));
    return () => written(kept);
  }
  const text = written(args);
  return text === undefined || text.length > MAX_ARGUMENTS_LENGTH ? undefined : () => text;
}

/** `undefined` for what would not come back as it was. */
function written(args: readonly unknown[]): string | undefined {
  try {
    return encode(args, { compressAboveBytes: Number.POSITIVE_INFINITY }).text;
  } catch (error) {
    if (error instanceof CacheError) return undefined;
    throw error;
  }
}
