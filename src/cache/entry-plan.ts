/**
 * What the author said about the entries of a function (key, tags, dependencies, ttl), compiled once, when the function
 * is wrapped. Wrappers and decorators are two ways to the same plan, hence alike in power.
 */
import { CacheError } from './errors.ts';
import {
  compileKeyTemplate,
  compileTemplate,
  type Parameters,
  type Render,
  segmentOf,
  type TemplateScope,
} from './key-template.ts';
import { escapeSegment, SEPARATOR } from './keys.ts';
import type { EntryOptions } from './types.ts';

/** Texts with placeholders, or a function of the arguments. */
export type Labels<A extends readonly unknown[]> = readonly string[] | ((...args: A) => readonly string[]);

interface PlanOptions<A extends readonly unknown[]> extends Omit<EntryOptions, 'tags' | 'dependsOn'> {
  /** Placeholders as in `key`. */
  readonly tags?: Labels<A>;
  /** Keys whose invalidation invalidates the entry too; placeholders as in `key`. */
  readonly dependsOn?: Labels<A>;
  /**
   * How many parameters the function has, where defaults or a rest hide it; or their names, which placeholders may
   * then use.
   */
  readonly parameters?: Parameters;
}

/** Says where the values of a function are kept, and how. One of `key` and `keyPrefix` is needed. */
export type EntryPlanOptions<A extends readonly unknown[] = readonly never[]> = PlanOptions<A> &
  (
    | {
        /** `user::{0}::profile`, `user::{0.id}::profile`, or a function of the arguments. */
        readonly key: string | ((...args: A) => string);
      }
    | {
        /**
         * Makes the key `prefix::arguments::name`, such as `user::123456::getUserProfile`, which `user::123456::*`
         * covers.
         */
        readonly keyPrefix: string;
        /** The positions (or names, see `parameters`) that tell entries apart. @default all arguments */
        readonly keyParams?: readonly (number | string)[];
        /** The last part of the key. @default the function's name */
        readonly name?: string;
      }
  );

/** A plan: the key and the options of a call, made from its arguments. `self` is its `this`. */
export interface EntryPlan {
  key(self: unknown, args: readonly unknown[]): string;
  options(self: unknown, args: readonly unknown[]): EntryOptions;
}

/** The options as they look from within, where the arguments' types are not known. */
type AnyPlanOptions = PlanOptions<readonly unknown[]> & {
  readonly key?: string | ((...args: readonly unknown[]) => string);
  readonly keyPrefix?: string;
  readonly keyParams?: readonly (number | string)[];
  readonly name?: string;
};

const OWN_OPTIONS: ReadonlySet<string> = new Set([
  'key',
  'keyPrefix',
  'keyParams',
  'name',
  'tags',
  'dependsOn',
  'parameters',
]);
const ENTRY_OPTIONS: ReadonlySet<string> = new Set(['tier', 'ttlMs', 'negativeTtlMs']);

/**
 * Compiles the options given for a function.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for an option that does not exist, a malformed template, or a placeholder
 * that names no parameter; `ERR_KEY_INVALID` for text that can be no key
 */
export function planEntry<A extends readonly unknown[]>(
  fn: { readonly name: string; readonly length: number },
  options: EntryPlanOptions<A>,
): EntryPlan {
  // From here on arguments are just values: their types were checked where the function was wrapped.
  const given = options as unknown as AnyPlanOptions;
  assertOptions(fn.name, given);
  const scope = scopeOf(fn, given.parameters);
  const { key, tags, dependsOn } = given;
  const render = typeof key === 'function' ? undefined : keyRender(fn.name, given, scope);
  const fixed: EntryOptions = Object.freeze(
    Object.fromEntries(
      Object.entries(given).filter(([name, value]) => ENTRY_OPTIONS.has(name) && value !== undefined),
    ),
  );
  const makeTags = tags === undefined ? undefined : labelsOf(tags, scope);
  const makeDependencies = dependsOn === undefined ? undefined : labelsOf(dependsOn, scope);
  return {
    key: (self, args) => (typeof key === 'function' ? key.apply(self, [...args]) : (render?.(args) ?? '')),
    options(self, args) {
      if (makeTags === undefined && makeDependencies === undefined) return fixed;
      return {
        ...fixed,
        ...(makeTags !== undefined && { tags: makeTags(self, args) }),
        ...(makeDependencies !== undefined && { dependsOn: makeDependencies(self, args) }),
      };
    },
  };
}

/** What templates for a function may refer to. */
export function scopeOf(
  fn: { readonly name: string; readonly length: number },
  parameters: Parameters | undefined,
): TemplateScope {
  return { functionName: fn.name === '' ? 'the function' : `${fn.name}()`, length: fn.length, parameters };
}

function assertOptions(name: string, options: AnyPlanOptions): void {
  const wrong = Object.keys(options).find((option) => !OWN_OPTIONS.has(option) && !ENTRY_OPTIONS.has(option));
  if (wrong !== undefined) {
    const hint = wrong === 'ttl' ? ' (times are given in milliseconds, as ttlMs)' : '';
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `There is no option "${wrong}" for ${name || 'a function'}${hint}.`,
    );
  }
  if ((options.key === undefined) === (options.keyPrefix === undefined)) {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `Give either key or keyPrefix for ${name || 'the function'}, such as key: 'user::{0}::profile'.`,
    );
  }
}

function keyRender(functionName: string, options: AnyPlanOptions, scope: TemplateScope): Render {
  if (typeof options.key === 'string') return compileKeyTemplate(options.key, scope);
  const name = options.name ?? functionName;
  if (name === '') {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      'A function without a name needs the option name beside keyPrefix.',
    );
  }
  const prefix = `${options.keyPrefix ?? ''}${SEPARATOR}`;
  const end = SEPARATOR + escapeSegment(name);
  if (options.keyParams !== undefined) {
    const params = options.keyParams.map((param) => `{${param}}${SEPARATOR}`).join('');
    return compileKeyTemplate(`${prefix}${params}${escapeSegment(name)}`, scope);
  }
  compileKeyTemplate(prefix + escapeSegment(name), scope);
  return (args) =>
    (args.length === 0 ? prefix.slice(0, -SEPARATOR.length) : prefix + args.map(segmentOf).join(SEPARATOR)) +
    end;
}

function labelsOf(
  labels: Labels<readonly unknown[]>,
  scope: TemplateScope,
): (self: unknown, args: readonly unknown[]) => readonly string[] {
  if (typeof labels === 'function') return (self, args) => labels.apply(self, [...args]);
  const renders = labels.map((label) => compileTemplate(label, scope));
  return (_self, args) => renders.map((render) => render(args));
}
