/**
 * Other APIs' answers in the cache: where they lie, which of a resource's answers a request may get, and a request to
 * the origin as a load of the cache, so that an invalidation that comes while it runs keeps its answer out (I2) and
 * the statistics know how long it took. What HTTP says about answers is undici's to decide.
 *
 * An answer that varies lies under a key of its own, which depends on the resource's; there a note says by which
 * headers. The same is remembered here, so that a lookup is one lookup.
 */
import { LRUCache } from 'lru-cache';
import type { Cache, LoadContext, LoadOptions, TierName } from '../cache/types.ts';
import { type KeptAnswer, readKept, type Varies } from './kept-answer.ts';
import { type RequestHeaders, variantKey } from './outgoing-key.ts';

/** A private cache keeps answers by who asked: one bot may hold several tokens. */
const CREDENTIALS = ['authorization', 'cookie'];
/** Resources whose differing headers are remembered, some 300 bytes each. */
const MAX_REMEMBERED = 10_000;
/** More headers than any API varies by; what varies by more is not kept. */
const MAX_NAMES = 16;

export interface AnswersOptions {
  readonly type: 'shared' | 'private';
  readonly tier: TierName | undefined;
  readonly tags: readonly string[];
  /** How long an answer is held beyond its freshness, to be validated or served when the origin fails. */
  readonly maxStaleMs: number;
}

/** What is there for a request. */
export interface Found {
  readonly answer: KeptAnswer | undefined;
  /** The load that the request to the origin is, where it is one: another may be under way for the same answer. */
  readonly load: AnswerLoad | undefined;
}

const NOTHING: Found = { answer: undefined, load: undefined };

export class Answers {
  readonly #cache: Cache;
  readonly #options: AnswersOptions;
  /** By resource: the request headers by which its answers differ, sorted. */
  readonly #names = new LRUCache<string, readonly string[]>({ max: MAX_REMEMBERED });
  /** By the key of the answer. */
  readonly #loads = new Map<string, AnswerLoad>();

  constructor(cache: Cache, options: AnswersOptions) {
    this.#cache = cache;
    this.#options = options;
  }

  /** A fresh answer, counted as a hit; else a miss, a load that has begun, and the stale answer that it may replace. */
  find(resource: string, headers: RequestHeaders): Found {
    const key = this.#keyFor(resource, headers);
    if (!this.#cache.has(key)) return this.begin(resource, headers, true);
    const kept = readKept(this.#cache.get(key));
    if (kept?.form === 'answer') return { answer: kept, load: undefined };
    const mayBeElsewhere =
      kept !== undefined && this.#learn(resource, kept.by) && this.#keyFor(resource, headers) !== key;
    return mayBeElsewhere ? this.find(resource, headers) : NOTHING;
  }

  /** Begins a load, for a request that goes to the origin. `isLookup`: it missed, and is counted so. */
  begin(resource: string, headers: RequestHeaders, isLookup: boolean): Found {
    const key = this.#keyFor(resource, headers);
    const running = this.#loads.get(key);
    const isHeld = this.#cache.inspect(key) !== undefined;
    // A stale answer is a miss, and so is one that another request is fetching already.
    if (isLookup && (isHeld || running !== undefined)) this.#cache.get(key);
    if (running !== undefined) return { answer: running.stale, load: undefined };
    const load = new AnswerLoad(this, resource, key, headers);
    this.#loads.set(key, load);
    const fresh = isHeld || !isLookup;
    const ended = this.#cache.getOrLoad(key, (context) => load.started(context), {
      ...this.#entryOptions(resource, key),
      fresh,
    });
    load.settle(ended);
    return { answer: load.stale, load };
  }

  /** Whether a fresh answer is there for it; not counted. */
  has(resource: string, headers: RequestHeaders): boolean {
    return this.#cache.has(this.#keyFor(resource, headers));
  }

  /** Removes all answers of a resource. */
  delete(resource: string): void {
    this.#cache.invalidate(resource);
  }

  /** Where an answer that varies by these headers lies; `undefined` where it varies by too many. */
  placeOf(resource: string, headers: RequestHeaders, vary: readonly string[]): string | undefined {
    return this.#learn(resource, vary) ? this.#keyFor(resource, headers) : undefined;
  }

  /** What is to be said, where an answer was expected, of those that vary. */
  noteOf(resource: string): Varies {
    return { form: 'varies', by: this.#names.get(resource) ?? [] };
  }

  /** Keeps an answer under another key than that of its load, which has just been kept. */
  keepAt(key: string, { resource, key: loadKey }: AnswerLoad, answer: KeptAnswer): void {
    // Nothing covered the load: its note is there.
    if (!this.#cache.has(loadKey)) return;
    this.#cache.set(key, answer, { ...this.#entryOptions(resource, key), ttlMs: freshMs(answer) });
  }

  /** To be called by a load that has ended. */
  ended(load: AnswerLoad): void {
    if (this.#loads.get(load.key) === load) this.#loads.delete(load.key);
  }

  #keyFor(resource: string, headers: RequestHeaders): string {
    const learnt = this.#names.get(resource) ?? [];
    if (this.#options.type === 'shared') return variantKey(resource, learnt, headers);
    const present = CREDENTIALS.filter((name) => headers[name] !== undefined && !learnt.includes(name));
    return variantKey(resource, [...learnt, ...present], headers);
  }

  /** False when it is too much. */
  #learn(resource: string, names: readonly string[]): boolean {
    const learnt = this.#names.get(resource) ?? [];
    const all = new Set([...learnt, ...names]);
    if (all.size > MAX_NAMES) return false;
    if (all.size > learnt.length) this.#names.set(resource, [...all].sort());
    return true;
  }

  #entryOptions(resource: string, key: string): LoadOptions {
    const { tier, tags, maxStaleMs } = this.#options;
    return {
      ...(tier === undefined ? {} : { tier }),
      ...(tags.length === 0 ? {} : { tags }),
      ...(key === resource ? {} : { dependsOn: [resource] }),
      // How long an answer is fresh is the origin's to say; whether a stale one is served, undici's.
      jitterRatio: 0,
      staleWhileRevalidateMs: 0,
      graceMs: maxStaleMs,
      graceBackoffMs: 0,
    };
  }
}

/** A request to the origin as a load of the cache. It ends once, with the first of `keep`, `drop` and `fail`. */
export class AnswerLoad {
  readonly resource: string;
  readonly key: string;
  readonly headers: RequestHeaders;
  /** What it may replace. */
  stale: KeptAnswer | undefined;
  readonly #answers: Answers;
  readonly #value = Promise.withResolvers<KeptAnswer | Varies | undefined>();
  #context: LoadContext | undefined;
  #elsewhere: { readonly key: string; readonly answer: KeptAnswer } | undefined;
  #isOver = false;

  constructor(answers: Answers, resource: string, key: string, headers: RequestHeaders) {
    this.#answers = answers;
    this.resource = resource;
    this.key = key;
    this.headers = headers;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The loader. */
  started(context: LoadContext): Promise<unknown> {
    this.#context = context;
    const kept = readKept(context.stale?.value);
    if (kept?.form === 'answer' && kept.deleteAt > Date.now()) this.stale = kept;
    return this.#value.promise;
  }

  settle(ended: Promise<unknown>): void {
    ended.then(
      () => {
        if (this.#elsewhere !== undefined)
          this.#answers.keepAt(this.#elsewhere.key, this, this.#elsewhere.answer);
      },
      // Its caller is told by HTTP; the cache has counted it.
      () => undefined,
    );
    // Nobody asked the loader: somebody else loads this key in ways of his own.
    if (this.#context === undefined) this.#end();
  }

  keep(answer: KeptAnswer, place: string): void {
    if (!this.#end()) return;
    this.#context?.setTtl(freshMs(answer));
    if (place === this.key) this.#value.resolve(answer);
    else {
      this.#elsewhere = { key: place, answer };
      this.#value.resolve(this.#answers.noteOf(this.resource));
    }
  }

  /** The answer is served and not kept. */
  drop(): void {
    if (!this.#end()) return;
    this.#context?.skip();
    this.#value.resolve(undefined);
  }

  fail(error: unknown): void {
    if (this.#end()) this.#value.reject(error);
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#answers.ended(this);
    return true;
  }
}

/** A millisecond at least: what must be validated at each use is kept, too. */
function freshMs({ staleAt }: KeptAnswer): number {
  return Math.max(1, staleAt - Date.now());
}
