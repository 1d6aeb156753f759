/**
 * Plain functions around plain functions: reads that are cached, and mutations that invalidate what they touch.
 * The cache is always handed over. Asynchronous functions stay asynchronous, synchronous ones synchronous, and `this`
 * is passed on (it is no part of the key).
 */
import { assertCache, assertFunction, invalidArgument, kindOf } from '../arguments.ts';
import type { Cache } from '../cache.ts';
import type { LoadOptions } from '../entry-options.ts';
import { CacheError } from '../errors.ts';
import type { LoadContext } from '../loading/load-context.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { Removal } from '../removal.ts';
import type { DeepReadonly, Frozen } from '../values/deep-readonly.ts';
import type { WarmJob } from '../warm-job.ts';
import { assertEntryOptions, type EntryPlan, type EntryPlanOptions, planEntry } from './entry-plan.ts';
import { type InvalidationOptions, type InvalidationTargets, planInvalidation } from './invalidation-plan.ts';

/** What a function with cached values can do besides being called. `this` is passed on to the function. */
export interface CachedControls<A extends readonly unknown[], R> {
  /** Loads anew and replaces what is kept; others get the old value meanwhile. */
  fresh(...args: A): R;
  /** Invalidates the entry of these arguments. */
  invalidate(...args: A): Removal;
  /** The key of these arguments. */
  key(...args: A): string;
  /** A warmer's job that fills the entry of these arguments. */
  warm(...args: A): WarmJob;
}

// biome-ignore lint/suspicious/noConfusingVoidType: `this: void` functions must fit as well
type Self = unknown | void;
/**
 * A function to be inferred as it was written. It has no call signature, because that would give the parameters their
 * types: `size = 10` would no longer be an optional number.
 */
type AnyFunction = CallableFunction;
type ArgsOf<F extends AnyFunction> = F extends (this: never, ...args: infer A) => unknown ? A : never;
type ResultOf<F extends AnyFunction> = F extends (this: never, ...args: never[]) => infer R ? R : never;

/** `F`, generics and all, and the controls. */
export type Cached<F extends AnyFunction> = F & CachedControls<ArgsOf<F>, ResultOf<F>>;

/** The same of a function that gives its value at once: the wrapped one gives a promise. */
type CachedAsync<F extends AnyFunction> =
  ResultOf<F> extends Promise<unknown>
    ? Cached<F>
    : Cached<(...args: ArgsOf<F>) => Promise<Awaited<ResultOf<F>>>>;

/** A function of these arguments that gives frozen values, and the controls. */
export type FrozenCached<A extends readonly unknown[], R> = ((...args: A) => R) & CachedControls<A, R>;

type PlainPlanOptions<A extends readonly unknown[], V> = EntryPlanOptions<A, V> & {
  readonly passContext?: false;
};

/** The options of a function that gets the context of its load. */
export type ContextPlanOptions<A extends readonly unknown[], V> = EntryPlanOptions<A, V> & {
  readonly passContext: true;
};

/**
 * Caches what an asynchronous function gives. Concurrent calls with the same key share one load. Each call gets a
 * value of its own; with `values: 'frozen'` all share one that is deep-frozen.
 * @throws CacheError `ERR_ARGUMENT_INVALID` at once for options, templates and placeholders that are not valid
 * @example
 * const getUser = cached(cache, (id: string) => db.fetchUser(id), { key: 'user::{0}::profile' });
 * await getUser('123456');
 * await getUser.fresh('123456');
 */
export function cached<A extends unknown[], R>(
  cache: Cache,
  fn: (this: void, ...args: [...A, LoadContext]) => R,
  options: ContextPlanOptions<A, Awaited<NoInfer<R>>> & Frozen,
): FrozenCached<A, Promise<DeepReadonly<Awaited<R>>>>;
/** The same, with a value of its own for each call. */
export function cached<A extends unknown[], R>(
  cache: Cache,
  fn: (this: void, ...args: [...A, LoadContext]) => R,
  options: ContextPlanOptions<A, Awaited<NoInfer<R>>>,
): ((...args: A) => Promise<Awaited<R>>) & CachedControls<A, Promise<Awaited<R>>>;
/** The same for a function that needs nothing but its arguments. */
export function cached<F extends AnyFunction>(
  cache: Cache,
  fn: F,
  options: PlainPlanOptions<ArgsOf<F>, Awaited<ResultOf<F>>> & Frozen,
): FrozenCached<ArgsOf<F>, Promise<DeepReadonly<Awaited<ResultOf<F>>>>>;
/** The same where each caller gets a copy. A function that gives its value at once gives a promise then. */
export function cached<F extends AnyFunction>(
  cache: Cache,
  fn: F,
  options: PlainPlanOptions<ArgsOf<F>, Awaited<ResultOf<F>>>,
): CachedAsync<F>;
export function cached(cache: Cache, fn: unknown, options: object): unknown {
  assertWrapping(cache, fn, options, 'cached(cache, fn, options)');
  // Within, arguments are just values; the overloads have checked what stands here.
  const inner = fn as Method;
  const plan = planEntry(inner, options as EntryPlanOptions);
  return wrapped(inner, plan, cache, readAsync);
}

/**
 * Caches what a synchronous function gives, such as a statement of better-sqlite3.
 * @throws CacheError as {@link cached}; and, when called, `ERR_ARGUMENT_INVALID` where the function gives a promise
 * @example
 * const categories = cachedSync(cache, () => statement.all(), { key: 'categories::main' });
 */
export function cachedSync<A extends unknown[], R>(
  cache: Cache,
  fn: (this: void, ...args: [...A, LoadContext]) => R,
  options: ContextPlanOptions<A, NoInfer<R>> & Frozen,
): FrozenCached<A, DeepReadonly<R>>;
/** The same, with a value of its own for each call. */
export function cachedSync<A extends unknown[], R>(
  cache: Cache,
  fn: (this: void, ...args: [...A, LoadContext]) => R,
  options: ContextPlanOptions<A, NoInfer<R>>,
): ((...args: A) => R) & CachedControls<A, R>;
/** The same for a function that needs nothing but its arguments. */
export function cachedSync<A extends unknown[], R>(
  cache: Cache,
  fn: (this: void, ...args: A) => R,
  options: PlainPlanOptions<A, NoInfer<R>> & Frozen,
): FrozenCached<A, DeepReadonly<R>>;
export function cachedSync<F extends AnyFunction>(
  cache: Cache,
  fn: F,
  options: PlainPlanOptions<ArgsOf<F>, ResultOf<F>>,
): Cached<F>;
export function cachedSync(cache: Cache, fn: unknown, options: object): unknown {
  assertWrapping(cache, fn, options, 'cachedSync(cache, fn, options)');
  // Within, arguments are just values; the overloads have checked what stands here.
  const inner = fn as Method;
  const plan = planEntry(inner, options as EntryPlanOptions);
  return wrapped(inner, plan, cache, readSync);
}

/**
 * Makes a mutation invalidate what it touches: after it has succeeded and before its caller hears of it (I7). A call
 * that throws or rejects invalidates nothing. An invalidation that fails never makes the mutation fail.
 * @param targets keys, patterns and tags with placeholders, or a function of the arguments and the result
 * @throws CacheError `ERR_ARGUMENT_INVALID` at once for templates and placeholders that are not valid
 * @example
 * const pay = invalidates(cache, (userId: string, cents: number) => db.pay(userId, cents), 'user::{0}::*');
 * const create = invalidates(cache, insert, ([product], row) => ['products:*', { tag: `category:${row.category}` }]);
 */
export function invalidates<F extends AnyFunction>(
  cache: Cache,
  fn: F,
  targets: InvalidationTargets<ArgsOf<F>, Awaited<ResultOf<F>>>,
  options?: InvalidationOptions,
): F {
  const usage = 'invalidates(cache, fn, targets)';
  assertCache(cache, usage);
  assertFunction(fn, usage, 'fn');
  if (targets === undefined || targets === null) {
    throw invalidArgument(
      usage,
      `targets is ${kindOf(targets)}, expected what fn changes, such as 'user::{0}::*'`,
    );
  }
  // Within, arguments are just values.
  return invalidating(fn as unknown as Method, () => cache, targets, options) as unknown as F;
}

/** A function or method as the wiring sees it from within. */
export type Method = (this: Self, ...args: unknown[]) => unknown;
/** Finds the cache of a call, from its `this`. */
export type CacheOf = (self: unknown) => Cache;
/** Answers a call from the cache, or by loading. */
export type Read<R = unknown> = (cache: Cache, self: unknown, args: unknown[], fresh: boolean) => R;

/** Told of a load that begins, by its loader: so that it can be repeated. */
export type Note = (self: unknown, context: LoadContext, args: readonly unknown[]) => void;

function wrapped<R>(
  fn: Method,
  plan: EntryPlan,
  cache: Cache,
  kind: (fn: Method, plan: EntryPlan, note: Note | undefined) => Read<R>,
): unknown {
  const { recipe: name, persist } = plan;
  const cacheOf = () => cache;
  if (name === undefined) return withControls(fn, plan, cacheOf, kind(fn, plan, undefined));
  const { recipes } = cache;
  const note: Note = (_self, context, args) => recipes.note(name, context, args);
  const call = withControls(fn, plan, cacheOf, kind(fn, plan, note));
  recipes.register({
    name,
    persist,
    key: (args) => call.key(...args),
    warm: (args) => call.warm(...args),
  });
  return call;
}

/** The asynchronous read of a plan. Never throws: it rejects. */
export function readAsync(fn: Method, plan: EntryPlan, note: Note | undefined): Read<Promise<unknown>> {
  const { withContext } = plan;
  return (cache, self, given, fresh) => {
    try {
      const args = seenArguments(plan, cache, given);
      const options = plan.options(self, args);
      return cache.getOrLoad(
        plan.key(self, args),
        (context) => {
          note?.(self, context, args);
          return fn.apply(self, withContext === undefined ? args : withContext(args, context));
        },
        fresh ? anew(options) : options,
      );
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** The synchronous read of a plan. */
export function readSync(fn: Method, plan: EntryPlan, note: Note | undefined): Read {
  const { withContext } = plan;
  const load = (self: unknown, args: unknown[], context: LoadContext): unknown => {
    note?.(self, context, args);
    const value = fn.apply(self, withContext === undefined ? args : withContext(args, context));
    if (!isPromiseLike(value)) return value;
    // Its failure would have nobody to hear it, beside the error below.
    void Promise.resolve(value).catch(() => undefined);
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `${fn.name || 'The function'} gives a promise, so it needs the asynchronous kind: cached, or cachedMethod.`,
    );
  };
  return (cache, self, given, fresh) => {
    const args = seenArguments(plan, cache, given);
    const options = plan.options(self, args);
    return cache.getOrLoadSync(
      plan.key(self, args),
      (context) => load(self, args, context),
      fresh ? anew(options) : options,
    );
  };
}

function seenArguments(plan: EntryPlan, cache: Cache, given: unknown[]): unknown[] {
  const args = plan.seen(given);
  if (plan.doubtfulArguments !== undefined) {
    const text = plan.doubtfulArguments(args);
    if (text !== undefined) cache.warn(text);
  }
  return args;
}

function anew(options: LoadOptions): LoadOptions {
  return { ...options, fresh: true };
}

/** The function to be called in place of `fn`, with its name, its length and the controls. */
function withControls<R>(
  fn: Method,
  plan: EntryPlan,
  cacheOf: CacheOf,
  read: Read<R>,
): Cached<(...args: unknown[]) => R> {
  function call(this: Self, ...args: unknown[]): R {
    return read(cacheOf(this), this, args, false);
  }
  return Object.assign(named(call, { name: fn.name, length: plan.length }), controlsOf(plan, cacheOf, read));
}

/** The controls of a plan; each passes its own `this` on. */
export function controlsOf<R>(
  plan: EntryPlan,
  cacheOf: CacheOf,
  read: Read<R>,
): CachedControls<unknown[], R> {
  return {
    fresh(this: Self, ...args) {
      return read(cacheOf(this), this, args, true);
    },
    invalidate(this: Self, ...args) {
      return cacheOf(this).invalidate(plan.key(this, plan.seen(args)));
    },
    key(this: Self, ...args) {
      return plan.key(this, plan.seen(args));
    },
    warm(this: Self, ...args) {
      const cache = cacheOf(this);
      const key = plan.key(this, plan.seen(args));
      return { key, isFresh: () => cache.has(key), run: () => read(cache, this, args, true) };
    },
  };
}

/** The function to be called in place of a mutation. */
export function invalidating<A extends readonly unknown[], R>(
  fn: Method,
  cacheOf: CacheOf,
  targets: InvalidationTargets<A, R>,
  options?: InvalidationOptions,
): Method {
  const plan = planInvalidation(fn, targets, options);
  return named(function call(this: Self, ...args: unknown[]): unknown {
    const cache = cacheOf(this);
    const crossOut = plan.before(cache, args);
    let isWaiting = false;
    try {
      const result = fn.apply(this, args);
      if (!isPromiseLike(result)) {
        plan.after(cache, this, args, result);
        return result;
      }
      isWaiting = true;
      return finished(result, (value) => plan.afterAwaited(cache, this, args, value), crossOut);
    } finally {
      if (!isWaiting) crossOut();
    }
  }, fn);
}

async function finished<T>(
  running: PromiseLike<T>,
  succeeded: (value: T) => Promise<void>,
  ended: () => void,
): Promise<T> {
  try {
    const value = await running;
    await succeeded(value);
    return value;
  } finally {
    ended();
  }
}

function named<F extends object>(call: F, fn: { readonly name: string; readonly length: number }): F {
  return Object.defineProperties(call, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
}

function assertWrapping(cache: unknown, fn: unknown, options: unknown, usage: string): void {
  assertCache(cache, usage);
  assertFunction(fn, usage, 'fn');
  assertEntryOptions(options, usage);
}
