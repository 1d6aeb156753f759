/**
 * What a mutation invalidates, compiled once, when the function is wrapped; and how it is carried out.
 * A write that the database accepted never fails because of its invalidation (I4), and nothing stale stays behind
 * either: when the targets cannot be made out, the whole cache is cleared.
 */
import { consoleLogger } from '../../logger/console-logger.ts';
import { guardedLogger, type Logger } from '../../logger.ts';
import { assertLogger, invalidArgument, kindOf } from '../arguments.ts';
import type { Cache } from '../cache.ts';
import { CacheError } from '../errors.ts';
import { invalidateAll, invalidateInSlices } from '../invalidation/many-targets.ts';
import { compileTargetTemplate, compileTemplate, type Parameters } from '../keys/key-template.ts';
import type { InvalidationTarget } from '../keys/target.ts';
import { assertKnown, type OptionNames } from '../known-options.ts';
import { scopeOf } from './entry-plan.ts';

/** One target with placeholders, several, or a function of a call's arguments and result. */
export type InvalidationTargets<A extends readonly unknown[] = readonly never[], R = never> =
  | InvalidationTarget
  | readonly InvalidationTarget[]
  | ((args: A, result: R) => InvalidationTarget | readonly InvalidationTarget[]);

export interface InvalidationOptions {
  /** As in the options of `cached`. */
  readonly parameters?: Parameters | undefined;
  /** Hears of an invalidation that failed. @default the console, one line a message */
  readonly logger?: Logger | undefined;
}

const OPTIONS: OptionNames<InvalidationOptions> = { parameters: true, logger: true };

export interface InvalidationPlan {
  /**
   * Writes down what the call is about to change, for the case that the process ends before it is invalidated: all there
   * is where that depends on the result. Never throws.
   * @returns what crosses it out
   */
  before(cache: Cache, args: readonly unknown[]): () => void;
  /** Invalidates what a successful call has changed. Never throws. */
  after(cache: Cache, self: unknown, args: readonly unknown[], result: unknown): void;
  /** The same for a call that is awaited: very many targets in slices. Never rejects. */
  afterAwaited(cache: Cache, self: unknown, args: readonly unknown[], result: unknown): Promise<void>;
}

const EVERYTHING = ['*'] as const;

/**
 * @throws CacheError `ERR_ARGUMENT_INVALID`, `ERR_KEY_INVALID` or `ERR_PATTERN_INVALID` for targets that can cover
 * nothing, or that refer to parameters the function does not have
 */
export function planInvalidation<A extends readonly unknown[], R>(
  fn: { readonly name: string; readonly length: number },
  targets: InvalidationTargets<A, R>,
  options: InvalidationOptions = {},
): InvalidationPlan {
  const scope = scopeOf(fn, options.parameters);
  assertKnown(scope.functionName, options, OPTIONS);
  assertLogger(options.logger, scope.functionName);
  const logger = guardedLogger(options.logger ?? consoleLogger);
  const makeTargets = typeof targets === 'function' ? undefined : compileAll(asList(targets));
  function compileAll(list: readonly InvalidationTarget[]) {
    if (list.length === 0) {
      throw new CacheError(
        'ERR_ARGUMENT_INVALID',
        `Say what ${scope.functionName} invalidates, such as 'user::{0}::*'.`,
      );
    }
    return list.map((target) => {
      if (typeof target === 'string') return compileTargetTemplate(target, scope);
      if (isTier(target)) return () => target;
      if (typeof target?.tag !== 'string') {
        throw invalidArgument(
          scope.functionName,
          `targets has ${kindOf(target)}, expected a key or pattern such as 'user::{0}::*', or { tag: 'user:{0}' }`,
        );
      }
      const render = compileTemplate(target.tag, scope);
      return (args: readonly unknown[]) => ({ tag: render(args) });
    });
  }
  const madeBy = (self: unknown, args: readonly unknown[], result: unknown) =>
    typeof targets === 'function'
      ? // The arguments' types were checked where the function was wrapped.
        asList(targets.call(self, args as A, result as R))
      : (makeTargets ?? []).map((render) => render(args));
  return {
    before(cache, args) {
      try {
        return cache.intend(() => makeTargets?.map((render) => render(args)) ?? EVERYTHING);
      } catch (error) {
        // Afterwards, what cannot be made out clears the whole cache.
        logger.warn(`What ${scope.functionName} invalidates could not be made out before it ran.`, { error });
        return () => undefined;
      }
    },
    after(cache, self, args, result) {
      try {
        invalidateAll(cache, madeBy(self, args, result));
      } catch (error) {
        clearInstead(cache, scope.functionName, logger, error);
      }
    },
    async afterAwaited(cache, self, args, result) {
      try {
        await invalidateInSlices(cache, madeBy(self, args, result));
      } catch (error) {
        clearInstead(cache, scope.functionName, logger, error);
      }
    },
  };
}

function isTier(target: Exclude<InvalidationTarget, string>): target is { readonly tier: string } {
  return typeof target === 'object' && target !== null && 'tier' in target;
}

function asList(targets: InvalidationTarget | readonly InvalidationTarget[]): readonly InvalidationTarget[] {
  return Array.isArray(targets) ? targets : [targets as InvalidationTarget];
}

function clearInstead(cache: Cache, name: string, logger: Logger, error: unknown): void {
  try {
    cache.clear();
    logger.error(`What ${name} invalidates could not be made out, so the whole cache was cleared.`, {
      error,
    });
  } catch (failure) {
    logger.error(`What ${name} invalidates could not be made out, and the cache could not be cleared.`, {
      error: new AggregateError([error, failure]),
    });
  }
}
