/**
 * A request to the origin as a load of the cache, so that an invalidation that comes while it runs keeps its answer out
 * (I2), those who ask for the same wait for it (I3), and the statistics know how long it took.
 * It ends once, with the first of `keep`, `drop` and `fail`.
 */
import { isError } from '../cache/error-text.ts';
import type { LoadContext } from '../cache/loading/load-context.ts';
import type { StaleReason } from '../cache/statistics/stats.ts';
import { type KeptAnswer, readKept } from './kept-answer.ts';

export class AnswerLoad {
  readonly key: string;
  /** What it may replace; stale. */
  stale: KeptAnswer | undefined;
  /** Its answer is being collected, and ends it. */
  isCollecting = false;
  /** Somebody has waited for it in vain. */
  isSlow = false;
  readonly #now: () => number;
  readonly #onEnd: (load: AnswerLoad) => void;
  readonly #value = Promise.withResolvers<KeptAnswer | undefined>();
  readonly #begun = Promise.withResolvers<undefined>();
  #context: LoadContext | undefined;
  #isOver = false;

  /** @param now epoch milliseconds */
  constructor(key: string, now: () => number, onEnd: (load: AnswerLoad) => void) {
    this.key = key;
    this.#now = now;
    this.#onEnd = onEnd;
  }

  /** Whether the cache has asked the loader: else there is an answer, or somebody else is fetching it. */
  get hasBegun(): boolean {
    return this.#context !== undefined;
  }

  /** Resolves when it has. */
  get begun(): Promise<undefined> {
    return this.#begun.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The loader. */
  begin(context: LoadContext): Promise<KeptAnswer | undefined> {
    if (this.#isOver) {
      context.skip();
      return this.#value.promise;
    }
    this.#context = context;
    this.#begun.resolve(undefined);
    const kept = readKept(context.stale?.value);
    const now = this.#now();
    // The cache may know better than the answer that it is stale: what lay on disk, for one.
    if (kept !== undefined && kept.deleteAt > now) {
      this.stale = { ...kept, staleAt: Math.min(kept.staleAt, now - 1) };
    }
    return this.#value.promise;
  }

  keep(answer: KeptAnswer): void {
    if (!this.#end()) return;
    // A millisecond at least: what must be validated at each use is kept, too.
    const ttlMs = answer.staleAt - this.#now();
    this.#context?.setTtl(ttlMs > 1 ? ttlMs : 1);
    this.#value.resolve(answer);
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

  /** Somebody was given what it may replace. */
  servedStale(reason: StaleReason): void {
    this.#context?.servedStale(reason);
  }

  /** Its answer came by way of these resources, too, and leaves when one of them is invalidated. */
  dependsOn(resources: readonly string[]): void {
    this.#context?.dependsOn(...resources);
  }

  // ---- what the origin does ----

  /** The head of an answer has come, and undici has decided whether it is kept. */
  answered(status: number): void {
    if (this.isCollecting || status < 200 || status === 304) return;
    if (status >= 500) this.fail(new Error(`The origin answered ${status}.`));
    else this.drop();
  }

  ended(): void {
    if (!this.isCollecting) this.drop();
  }

  failed(error: unknown): void {
    const isGivenUp =
      isError(error) &&
      (error.name === 'AbortError' || ('code' in error && error.code === 'UND_ERR_ABORTED'));
    if (isGivenUp) this.drop();
    else this.fail(error);
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#onEnd(this);
    return true;
  }
}
