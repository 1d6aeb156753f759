/**
 * Other APIs' answers in the cache: under which key they lie, which of a resource's answers a request may get, and who
 * waits for whom. What HTTP says about answers is undici's to decide.
 */
import type { Cache } from '../cache/cache.ts';
import type { LoadOptions } from '../cache/entry-options.ts';
import type { TierName } from '../cache/tiers/tier.ts';
import { AnswerLoad } from './answer-load.ts';
import { answers, isServableMeanwhile, type KeptAnswer, readKept } from './kept-answer.ts';
import { type RequestHeaders, variantKey } from './outgoing-key.ts';
import { mustBeFresh, satisfies, type Wish } from './request-wish.ts';
import { VaryRules } from './vary-rules.ts';

/** A private cache keeps answers by who asked: one bot may hold several tokens. */
const CREDENTIALS = ['authorization', 'cookie'];

export interface AnswersOptions {
  readonly type: 'shared' | 'private';
  readonly tier: TierName | undefined;
  readonly tags: readonly string[];
  /** How long an answer is held beyond its freshness, to be validated or served when the origin fails. */
  readonly maxStaleMs: number;
  /** How long a request waits for another one. */
  readonly maxWaitMs: number;
}

/** What is asked for. */
export interface AnswerRequest {
  /** The key that all answers of the resource have or depend on. */
  readonly resource: string;
  readonly headers: RequestHeaders;
  readonly wish: Wish;
  /** The caller has given up, and does not wait either. */
  readonly signal: AbortSignal | undefined;
}

/** What is there for a request. */
export interface Found {
  readonly answer: KeptAnswer | undefined;
  /** Where the request is to go to the origin, and its answer may be kept. */
  readonly load: AnswerLoad | undefined;
}

const NOTHING: Found = { answer: undefined, load: undefined };

export class Answers {
  readonly #cache: Cache;
  readonly #options: AnswersOptions;
  readonly #vary = new VaryRules();
  /** By key. */
  readonly #running = new Map<string, AnswerLoad>();

  constructor(cache: Cache, options: AnswersOptions) {
    this.#cache = cache;
    this.#options = options;
  }

  /** Epoch milliseconds, by the clock of the cache. */
  readonly now = (): number => {
    const { clock } = this.#cache;
    return clock.epochAt(clock.now());
  };

  /** By how many milliseconds the machine's clock, which undici goes by, is ahead of that of the cache. */
  machineAheadMs(): number {
    return this.#cache.clock.wallNow() - this.now();
  }

  /**
   * A fresh answer; else a load that has begun, with the stale answer that it may replace. Where another request is
   * fetching the same, what that one gets is waited for; nothing, if it cannot be shared.
   */
  async find(request: AnswerRequest): Promise<Found> {
    const key = this.#keyFor(request);
    if (this.#cache.has(key)) return this.#given(request, key, this.#cache.get(key));
    const running = this.#running.get(key);
    const meanwhile = running && this.#meanwhile(request, key, running);
    if (meanwhile !== undefined) return meanwhile;
    // Grace is undici's to give: a forced load gets none. A look counts as the miss that it is.
    const isForced = running === undefined && this.#cache.inspect(key) !== undefined;
    if (isForced) this.#cache.get(key);
    const load = this.#newLoad(key);
    const result = this.#getOrLoad(request, load, isForced);
    const shared = load.hasBegun ? undefined : await this.#inTime(request, result, load, running);
    if (!load.hasBegun) {
      // Nobody waits for a load that the cache would begin later.
      load.drop();
      return this.#given(request, key, shared);
    }
    if (load.stale !== undefined) this.#mayLearn(request, load.stale);
    const stale = staleFor(load, request);
    if (stale === undefined || !this.#satisfies(stale, request)) return { answer: stale, load };
    // The request takes it as it is (`max-stale`).
    load.drop();
    return { answer: this.#asFresh(stale), load: undefined };
  }

  /** What is given at once while another request fetches the answer; `undefined` where that one is waited for. */
  #meanwhile(request: AnswerRequest, key: string, running: AnswerLoad): Found | undefined {
    // What has been invalidated since is no longer held.
    const stale = this.#cache.inspect(key) === undefined ? undefined : staleFor(running, request);
    if (stale !== undefined && this.#satisfies(stale, request)) {
      this.#cache.get(key);
      return { answer: this.#asFresh(stale), load: undefined };
    }
    const isServable =
      stale !== undefined &&
      !mustBeFresh(stale, this.#options.type) &&
      isServableMeanwhile(stale, this.now());
    if (!isServable && !running.isSlow) return undefined;
    this.#cache.get(key);
    if (isServable) running.servedStale('revalidating');
    return isServable ? { answer: this.#asFresh(stale), load: undefined } : NOTHING;
  }

  /** Fresh for one request, so that undici gives it and does not fetch it. */
  #asFresh(stale: KeptAnswer): KeptAnswer {
    return { ...stale, staleAt: Math.max(this.now(), stale.cachedAt) + 1_000 };
  }

  #satisfies(answer: KeptAnswer, { wish }: AnswerRequest): boolean {
    return satisfies(answer, wish, this.#options.type, this.now());
  }

  /** What the cache has given for a key, if it answers the request; else what lies elsewhere. */
  #given(request: AnswerRequest, key: string, value: unknown): Found | Promise<Found> {
    const answer = readKept(value);
    if (answer === undefined) return NOTHING;
    if (answers(answer, request.headers)) return { answer, load: undefined };
    return this.#mayLearn(request, answer, key) && this.#keyFor(request) !== key
      ? this.find(request)
      : NOTHING;
  }

  /** What is kept, for who does not want the origin to be asked. */
  async kept(request: AnswerRequest): Promise<Found> {
    const key = this.#keyFor(request);
    const running = this.#running.get(key);
    if (!this.#cache.has(key) && (running !== undefined || request.wish.maxStale === undefined)) {
      this.#cache.get(key);
      const stale = running && staleFor(running, request);
      const isWanted = stale !== undefined && this.#satisfies(stale, request);
      return isWanted ? { answer: this.#asFresh(stale), load: undefined } : NOTHING;
    }
    const { answer, load } = await this.find(request);
    load?.drop();
    return answer !== undefined && this.#satisfies(answer, request) ? { answer, load: undefined } : NOTHING;
  }

  /**
   * Begins a load whatever is kept: for a request that goes to the origin. Where another request is fetching the same,
   * there is only what that one may replace.
   */
  begin(request: AnswerRequest): Found {
    const key = this.#keyFor(request);
    const running = this.#running.get(key);
    if (running !== undefined) return { answer: staleFor(running, request), load: undefined };
    const load = this.#newLoad(key);
    this.#getOrLoad(request, load, true);
    return { answer: staleFor(load, request), load: load.hasBegun ? load : undefined };
  }

  /** Removes all answers of a resource. */
  delete(resource: string): void {
    this.#cache.invalidate(resource);
  }

  async #getOrLoad({ resource }: AnswerRequest, load: AnswerLoad, fresh: boolean): Promise<unknown> {
    const { tier, tags, maxStaleMs } = this.#options;
    const options: LoadOptions = {
      tier,
      ...(tags.length === 0 ? {} : { tags }),
      ...(load.key === resource ? {} : { dependsOn: [resource] }),
      // How long an answer is fresh is the origin's to say; whether a stale one is served, undici's.
      jitterRatio: 0,
      staleWhileRevalidateMs: 0,
      refreshAheadRatio: 1 - Number.EPSILON,
      earlyRefreshBeta: 0,
      graceMs: maxStaleMs,
      graceBackoffMs: 0,
      fresh,
    };
    try {
      return await this.#cache.getOrLoad(
        load.key,
        (context) => {
          if (!load.isOver) this.#running.set(load.key, load);
          return load.begin(context);
        },
        options,
      );
    } catch {
      // The cache has counted it, and whoever sent the request is told by HTTP.
      return undefined;
    }
  }

  /**
   * What the load of another request gives. The origin may be slow, or whoever reads its answer: nobody waits for that
   * for ever, and after the first who has, nobody at all. Where the other load is invalidated, the cache begins this one.
   */
  async #inTime(
    { signal }: AnswerRequest,
    result: Promise<unknown>,
    load: AnswerLoad,
    running: AnswerLoad | undefined,
  ): Promise<unknown> {
    const givenUp = Promise.withResolvers<void>();
    const giveUp = () => givenUp.resolve();
    const isLate = () => {
      if (running !== undefined) running.isSlow = true;
      giveUp();
    };
    const { maxWaitMs } = this.#options;
    if (running !== undefined && maxWaitMs === 0) isLate();
    const cancel = this.#cache.clock.after(maxWaitMs, isLate);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([result, givenUp.promise, load.begun]);
    } finally {
      cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #newLoad(key: string): AnswerLoad {
    return new AnswerLoad(key, this.now, (load) => {
      if (this.#running.get(key) === load) this.#running.delete(key);
    });
  }

  #mayLearn(request: AnswerRequest, answer: KeptAnswer, key = this.#keyFor(request)): boolean {
    if (answers(answer, request.headers)) return true;
    return this.#vary.learn(this.#baseOf(request), key, answer.vary ?? {});
  }

  #keyFor(request: AnswerRequest): string {
    return this.#vary.keyFor(this.#baseOf(request), request.headers);
  }

  /** The key of the resource; in a private cache, for who asks. */
  #baseOf({ resource, headers }: AnswerRequest): string {
    if (this.#options.type === 'shared') return resource;
    const present = CREDENTIALS.filter((name) => headers[name] !== undefined);
    return variantKey(resource, present, headers);
  }
}

/** Another answer of the resource is nothing to validate, nor is one that came through redirects. */
function staleFor({ stale }: AnswerLoad, { headers }: AnswerRequest): KeptAnswer | undefined {
  return stale !== undefined && !stale.isRedirected && answers(stale, headers) ? stale : undefined;
}
