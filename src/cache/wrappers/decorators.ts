/**
 * The wrappers as decorators of methods, for classes: standard ones (TC39) and the older ones of TypeScript's
 * `experimentalDecorators`, told apart by how they are called. A class's cache is its `cache` property unless an
 * option says where else; never a global. `this` is no part of a key: two instances over different data need
 * different keys, or different caches.
 */
import { hasMethods, invalidArgument, kindOf } from '../arguments.ts';
import type { Cache } from '../cache.ts';
import { CacheError } from '../errors.ts';
import { assertKnown } from '../known-options.ts';
import type { LoadContext } from '../loading/load-context.ts';
import { assertEntryOptions, type EntryPlan, type EntryPlanOptions, planEntry } from './entry-plan.ts';
import type { InvalidationOptions, InvalidationTargets } from './invalidation-plan.ts';
import {
  type CachedControls,
  type CacheOf,
  controlsOf,
  invalidating,
  type Method,
  type Note,
  type Read,
  readAsync,
  readSync,
} from './wrappers.ts';

/** Where the cache of an instance is. */
export interface CacheSelector {
  /** @default `(self) => self.cache` */
  readonly cache?: (self: never) => Cache;
}

type AnyMethod = (this: never, ...args: never[]) => unknown;
/** A method whose first parameters take `A`, and that may have more. */
type Taking<A extends unknown[], R> = (this: never, ...args: [...A, ...never[]]) => R;

/** A decorator of methods like `M`, of either sort. */
export interface MethodDecorator<M> {
  <T extends M & AnyMethod>(
    method: T,
    context: { readonly kind: 'method'; readonly name: string | symbol },
  ): T;
  <T extends M & AnyMethod>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): TypedPropertyDescriptor<T>;
}

/** `T`, if its last parameter takes the context of a load. Callers leave it out, so it is declared optional. */
type TakingContext<T extends AnyMethod> =
  Required<Parameters<T>> extends readonly [...unknown[], infer Last]
    ? LoadContext extends Last
      ? T
      : never
    : never;

/** A decorator of methods like `M` that take the context of a load last. */
export interface ContextMethodDecorator<M> {
  <T extends M & AnyMethod>(
    method: TakingContext<T>,
    context: { readonly kind: 'method'; readonly name: string | symbol },
  ): T;
  <T extends M & AnyMethod>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<TakingContext<T>>,
  ): TypedPropertyDescriptor<T>;
}

/** With `passContext: true` the method is declared with a last parameter `context?: LoadContext`. */
type ContextOptions<A extends readonly unknown[]> = EntryPlanOptions<A> &
  CacheSelector & { readonly passContext: true };
type PlainOptions<A extends readonly unknown[]> = EntryPlanOptions<A> &
  CacheSelector & { readonly passContext?: false };

/**
 * Caches what an asynchronous method gives, as `cached` does for functions. {@link cachedMethodOf} gives its controls.
 * @throws CacheError `ERR_ARGUMENT_INVALID` when the class is defined, for options and templates that are not valid
 * @example
 * class Users {
 *   constructor(readonly cache: Cache) {}
 *   \@cachedMethod({ key: 'user::{0}::profile' })
 *   async profile(userId: string) { … }
 * }
 */
export function cachedMethod<A extends unknown[] = never[]>(
  options: PlainOptions<A>,
): MethodDecorator<Taking<A, Promise<unknown>>>;
/** The same for a method that takes the context of its load. */
export function cachedMethod<A extends unknown[] = never[]>(
  options: ContextOptions<A>,
): ContextMethodDecorator<Taking<A, Promise<unknown>>>;
export function cachedMethod(options: object): unknown {
  return readingDecorator('cachedMethod(options)', options, readAsync);
}

/** The same for methods that are synchronous, and stay so, as `cachedSync` does for functions. */
export function cachedSyncMethod<A extends unknown[] = never[]>(
  options: PlainOptions<A>,
): MethodDecorator<Taking<A, unknown>>;
/** The same for a method that takes the context of its load. */
export function cachedSyncMethod<A extends unknown[] = never[]>(
  options: ContextOptions<A>,
): ContextMethodDecorator<Taking<A, unknown>>;
export function cachedSyncMethod(options: object): unknown {
  return readingDecorator('cachedSyncMethod(options)', options, readSync);
}

/**
 * Invalidates what a method has changed, after it has succeeded, as `invalidates` does for functions.
 * @throws CacheError as {@link cachedMethod}
 * @example
 * \@invalidatesAfter('user::{0}::*')
 * async updateBalance(userId: string, cents: number) { … }
 */
export function invalidatesAfter<A extends unknown[] = never[], R = never>(
  targets: InvalidationTargets<A, R>,
  options: InvalidationOptions & CacheSelector = {},
): MethodDecorator<Taking<A, unknown>> {
  const usage = 'invalidatesAfter(targets, options)';
  if (hasMethods(targets, 'getOrLoad')) {
    throw invalidArgument(
      usage,
      'targets is a cache, expected what a method invalidates. It decorates methods: for functions use invalidates(cache, fn, targets)',
    );
  }
  if (targets === undefined || targets === null)
    throw invalidArgument(
      usage,
      `targets is ${kindOf(targets)}, expected what the method invalidates, such as 'user::{0}::*'`,
    );
  assertKnown(usage, options, { parameters: true, logger: true, cache: true });
  const { cache, ...planOptions } = options;
  assertSelector(usage, cache);
  return decorator((method, cacheOf) => invalidating(method, cacheOf, targets, planOptions), cache);
}

/**
 * The controls of a cached method, for one instance.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for a method that is not cached
 * @example
 * await cachedMethodOf(users, 'profile').fresh('123456');
 */
export function cachedMethodOf<T extends object, N extends keyof T>(
  instance: T,
  name: N,
): T[N] extends (...args: infer A) => infer R ? CachedControls<A, R> : never {
  if ((typeof instance !== 'object' && typeof instance !== 'function') || instance === null) {
    throw invalidArgument(
      'cachedMethodOf(instance, name)',
      `instance is ${kindOf(instance)}, expected the object whose method it is`,
    );
  }
  const method: unknown = instance[name];
  const controls = typeof method === 'function' ? controlsByMethod.get(method) : undefined;
  if (controls === undefined) {
    throw invalidArgument(
      'cachedMethodOf(instance, name)',
      `name is ${typeof name === 'string' ? `'${name}'` : kindOf(name)}, which is no method decorated with cachedMethod`,
    );
  }
  const bound: CachedControls<unknown[], unknown> = {
    fresh: (...args) => controls.fresh.apply(instance, args),
    invalidate: (...args) => controls.invalidate.apply(instance, args),
    key: (...args) => controls.key.apply(instance, args),
    warm: (...args) => controls.warm.apply(instance, args),
  };
  // The decorator was given a method of these parameters.
  return bound as unknown as ReturnType<typeof cachedMethodOf<T, N>>;
}

/**
 * Lets what is used most of an instance's cached methods be loaded before anybody asks, from the next start on
 * (`docs/warming.md`). Functions need no such call: they are known where they are wrapped, methods only once one is called.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for what is no object
 * @example
 * const users = keepWarm(new Users(cache));
 */
export function keepWarm<T extends object>(instance: T): T {
  if (typeof instance !== 'object' || instance === null) {
    const hint = typeof instance === 'function' ? ': keepWarm(new Users(cache)), not the class' : '';
    throw invalidArgument(
      'keepWarm(instance)',
      `instance is ${kindOf(instance)}, expected an object with cached methods${hint}`,
    );
  }
  for (let each: unknown = instance; typeof each === 'object' && each !== null; ) {
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(each))) {
      if (typeof value === 'function') recipesByMethod.get(value)?.(instance, () => instance);
    }
    each = Object.getPrototypeOf(each);
  }
  return instance;
}

/** The controls of each cached method there is. */
const controlsByMethod = new WeakMap<object, CachedControls<unknown[], unknown>>();

/** Makes the method of an object known to its cache. */
type Registering = (self: unknown, found: () => unknown) => void;
const recipesByMethod = new WeakMap<object, Registering>();

type Kind = (method: Method, plan: EntryPlan, note: Note | undefined) => Read;

function readingDecorator(usage: string, options: object, kind: Kind): unknown {
  if (typeof options === 'function') {
    throw invalidArgument(
      usage,
      "options is a function, so the decorator was used without its options: write @cachedMethod({ key: 'user::{0}' })",
    );
  }
  assertEntryOptions(options, usage);
  if (!('key' in options) && !('keyPrefix' in options)) {
    throw invalidArgument(
      usage,
      `options is ${kindOf(options)} without a key: write { key: 'user::{0}' }. It decorates methods of classes; for functions use cached(cache, fn, options)`,
    );
  }
  // The overloads have checked what stands here.
  const { cache, ...given } = options as EntryPlanOptions & CacheSelector;
  const planOptions = given as EntryPlanOptions;
  assertSelector(usage, cache);
  return decorator((method, cacheOf) => reading(method, cacheOf, planOptions, kind), cache);
}

function assertSelector(usage: string, cache: unknown): void {
  if (cache === undefined || typeof cache === 'function') return;
  throw invalidArgument(usage, `cache is ${kindOf(cache)}, expected a function: cache: (self) => self.cache`);
}

function reading(method: Method, cacheOf: CacheOf, options: EntryPlanOptions, kind: Kind): Method {
  const plan = planEntry(method, options);
  const { recipe: name, persist } = plan;
  const register: Registering = (self, found) => {
    if (name === undefined) return;
    cacheOf(self).recipes.register({
      name,
      persist,
      key: (args) => plan.key(found(), plan.seen(args)),
      warm: (args) => (found() === undefined ? undefined : controls.warm.apply(found(), [...args])),
      isGone: () => found() === undefined,
    });
  };
  const note: Note = (self, context, args) => {
    if (name === undefined) return;
    const { recipes } = cacheOf(self);
    // Without `keepWarm` an object is known from its first load on, and not kept from being collected.
    if (recipes.find(name) === undefined && typeof self === 'object' && self !== null) {
      const kept = new WeakRef(self);
      register(self, () => kept.deref());
    }
    recipes.note(name, context, args);
  };
  const read = kind(method, plan, note);
  const controls = controlsOf(plan, cacheOf, read);
  const replacement = function (this: unknown, ...args: unknown[]): unknown {
    return read(cacheOf(this), this, args, false);
  };
  controlsByMethod.set(replacement, controls);
  recipesByMethod.set(replacement, register);
  return Object.defineProperty(replacement, 'length', { value: plan.length, configurable: true });
}

function decorator<M>(
  replace: (method: Method, cacheOf: CacheOf) => Method,
  select: ((self: never) => Cache) | undefined,
): MethodDecorator<M> {
  const decorate = (
    target: unknown,
    context: string | symbol | { readonly kind: string; readonly name: string | symbol },
    descriptor?: PropertyDescriptor,
  ): unknown => {
    const isStandard = typeof context === 'object';
    const name = isStandard ? context.name : context;
    const method: unknown = isStandard ? target : descriptor?.value;
    if (typeof method !== 'function' || (isStandard && context.kind !== 'method')) {
      throw new CacheError(
        'ERR_ARGUMENT_INVALID',
        `Only methods can be decorated so, and ${String(name)} is none.`,
      );
    }
    const replacement = replace(method as Method, cacheSelector(name, select));
    Object.defineProperty(replacement, 'name', { value: method.name, configurable: true });
    return isStandard ? replacement : { ...descriptor, value: replacement };
  };
  // One function answers both calls; which one it is shows only at run time.
  return decorate as MethodDecorator<M>;
}

function cacheSelector(name: string | symbol, select: ((self: never) => Cache) | undefined): CacheOf {
  return (self) => {
    const found: unknown = select
      ? select(self as never)
      : typeof self === 'object' || typeof self === 'function'
        ? (self as { readonly cache?: unknown } | null)?.cache
        : undefined;
    if (typeof found === 'object' && found !== null) return found as Cache;
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `${String(name)} finds no cache: give its object a property "cache", or the decorator the option cache: (self) => …. Was it called without its object?`,
    );
  };
}
