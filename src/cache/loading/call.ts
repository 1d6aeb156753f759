/**
 * Which load or write waits for which, so that none waits for itself: a loader that reads the key it is loading, at
 * once or after an `await`, directly or through other keys and other caches.
 *
 * The running call is followed with AsyncLocalStorage from the moment a loader or a `save` is called. Hits never ask
 * for it. A call that has ended is waited for by nobody, so that work which goes on behind it is treated like any other.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { CacheError } from '../errors.ts';

/**
 * How many loads of one key may run within each other. A loader that creates the row it misses and reads again needs
 * two; without a bound, data with a cycle would be loaded for ever.
 */
const MAX_DEPTH = 10;
/** From this depth on, and where calls wait for each other across chains, such loads are counted for the whole chain. */
const UNUSUAL_DEPTH = 3;
/** In a cycle of many branches every branch goes round by itself, so that the depth alone would be no bound. */
const MAX_UNUSUAL = 100;

/** All calls that began within one. */
interface Chain {
  unusual: number;
  /** The error of a cycle, which whatever still runs in the chain gets as well: or its branches would begin it anew. */
  cycle: CacheError | undefined;
}

/** One for the process: a chain of calls may lead through several caches. */
const context = new AsyncLocalStorage<Call>();

/** A load of one key or of many, or a write. */
export class Call {
  readonly #owner: object;
  /** Of a load of many keys, the first. */
  #key: string | undefined;
  /** Of a load of many keys, those that have not ended. */
  readonly #keys: Set<string> | undefined;
  #caller: Call | undefined;
  /** Other calls that wait for this one, beside its caller. */
  #waiters: Call[] | undefined;
  readonly #chain: Chain;
  #isOver = false;

  /**
   * @param owner whose keys they are
   * @param key `undefined` for a load of many, which are added
   * @param caller the call that waits for this one
   */
  constructor(owner: object, key: string | undefined, caller: Call | undefined) {
    this.#owner = owner;
    this.#key = key;
    this.#caller = caller;
    this.#chain = caller === undefined ? { unusual: 0, cycle: undefined } : caller.#chain;
    this.#keys = key === undefined ? new Set() : undefined;
  }

  run<C, R>(work: (argument: C) => R, argument: C): R {
    return this.hasEnded ? work(argument) : context.run(this, work, argument);
  }

  add(key: string): void {
    this.#key ??= key;
    this.#keys?.add(key);
  }

  /** The load of this key has ended; a call for many keys ends with the last of them. */
  end(key: string): void {
    if (this.#keys === undefined) this.#isOver = true;
    else this.#keys.delete(key);
    if (this.hasEnded) this.#waiters = undefined;
  }

  /** All of its loads have ended. */
  endAll(): void {
    this.#isOver = true;
    this.#keys?.clear();
    this.#waiters = undefined;
  }

  get hasEnded(): boolean {
    return this.#keys === undefined ? this.#isOver : this.#keys.size === 0;
  }

  /** Whether this call, or one that waits for it, is for the key: as far as it has called others, not as it was joined. */
  isWithin(owner: object, key: string): boolean {
    return this.#depthOf(owner, key) > 0;
  }

  /** Whether `other` waits for this call, by itself or through others: to wait for it from here would never end. */
  isAwaitedBy(other: Call): boolean {
    const met = new Set<Call>([this]);
    for (const call of met) {
      if (call === other) return !other.hasEnded;
      const caller = call.#livingCaller();
      if (caller !== undefined) met.add(caller);
      for (const waiter of call.#waiters ?? []) if (!waiter.hasEnded) met.add(waiter);
    }
    return false;
  }

  /** From now on this call waits for `other`. */
  joins(other: Call): void {
    other.#waiters ??= [];
    if (other.#waiters.at(-1) !== this) other.#waiters.push(this);
  }

  /** @throws CacheError `ERR_LOAD_FAILED` where the chain has turned out to have no end */
  assertEnding(): void {
    if (this.#chain.cycle !== undefined) throw this.#chain.cycle;
  }

  /**
   * To be asked when a load of the key, or a write, begins that another one of the key waits for.
   * @throws CacheError `ERR_LOAD_FAILED` where such calls do not come to an end
   */
  assertMayNest(owner: object, key: string): void {
    const depth = this.#depthOf(owner, key);
    if (depth === 0 || depth >= UNUSUAL_DEPTH) this.#chain.unusual++;
    if (depth < MAX_DEPTH && this.#chain.unusual <= MAX_UNUSUAL) return;
    const path = this.#pathTo(owner, key).join(' → ');
    this.#chain.cycle = new CacheError(
      'ERR_LOAD_FAILED',
      `${key} waits for itself again and again (${path}). End the cycle in the loader or in the data, or give each function a key of its own.`,
      { key },
    );
    throw this.#chain.cycle;
  }

  #isFor(owner: object, key: string): boolean {
    return owner === this.#owner && (this.#keys === undefined ? key === this.#key : this.#keys.has(key));
  }

  #depthOf(owner: object, key: string): number {
    let depth = 0;
    for (let call: Call | undefined = this; call !== undefined; call = call.#livingCaller()) {
      if (call.#isFor(owner, key)) depth++;
    }
    return depth;
  }

  /** The keys from the innermost load of the key to this call, and the key again. */
  #pathTo(owner: object, key: string): string[] {
    const path = [key];
    for (let call: Call | undefined = this; call !== undefined; call = call.#livingCaller()) {
      if (call.#isFor(owner, key)) return [key, ...path];
      path.unshift(call.#key ?? '');
    }
    return path;
  }

  /** Forgets callers that have ended, or a chain of work in the background would hold all that came before. */
  #livingCaller(): Call | undefined {
    let caller = this.#caller;
    while (caller?.hasEnded === true) caller = caller.#caller;
    this.#caller = caller;
    return caller;
  }

  /** The innermost call that this code runs for and that has not ended. */
  static current(): Call | undefined {
    const call = context.getStore();
    return call?.hasEnded === true ? call.#livingCaller() : call;
  }
}
