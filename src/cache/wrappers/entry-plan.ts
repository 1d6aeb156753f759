/**
 * What the author said about the entries of a function (key, tags, dependencies, ttl), compiled once, when the function
 * is wrapped. Wrappers and decorators are two ways to the same plan, hence alike in power.
 */
import { invalidArgument, kindOf } from '../arguments.ts';
import type { EntryOptions } from '../entry-options.ts';
import { CacheError } from '../errors.ts';
import {
  assertColons,
  compileKeyTemplate,
  compileTemplate,
  type Parameters,
  type Render,
  segmentOf,
  type TemplateScope,
} from '../keys/key-template.ts';
import { escapeSegment, SEPARATOR } from '../keys/keys.ts';
import { assertKnown } from '../known-options.ts';
import type { LoadContext } from '../loading/load-context.ts';
import type { PersistenceLevel } from '../tiers/policy.ts';
import { assertLoadingPolicy, LOADING_POLICIES } from '../tiers/policy-check.ts';
import { assertTtl } from '../tiers/tier-book.ts';
import { areOfList, visibleParameters } from './visible-parameters.ts';

/** Texts with placeholders, or a function of the arguments. */
export type Labels<A extends readonly unknown[]> = readonly string[] | ((...args: A) => readonly string[]);

/** A function of the value. Written as a method, so that one of any value (`never`) fits as well. */
type OfValue<V, R> = { of(value: V): R }['of'];

interface PlanOptions<A extends readonly unknown[], V>
  extends Omit<EntryOptions, 'tags' | 'dependsOn' | 'when' | 'cost'> {
  /** False: this value is served and not kept. */
  readonly when?: OfValue<V, boolean> | undefined;
  /** What a load of this value costs, in a unit of your choice; `/cache-stats` adds up what hits have saved. */
  readonly cost?: OfValue<V, number> | undefined;
  /** Placeholders as in `key`. */
  readonly tags?: Labels<A> | undefined;
  /** Keys whose invalidation invalidates the entry too; placeholders as in `key`. */
  readonly dependsOn?: Labels<A> | undefined;
  /**
   * How many parameters the function has, where defaults or a rest hide it; or their names, which placeholders may
   * then use. With `keyPrefix`, arguments beyond them are neither in the key nor handed to a function that hides its
   * parameters (a rest, `bind`, `arguments`).
   */
  readonly parameters?: Parameters | undefined;
  /**
   * Hands what a loader may know and say of its load (`signal`, `stale`, `setTtl`, `tag`, …) to the function, as an
   * extra last argument. It is no part of the key, and no parameter that placeholders count. @default false
   */
  readonly passContext?: boolean | undefined;
  /**
   * The name under which the next process finds this function, to load what was used most before anybody asks
   * (`docs/warming.md`); false: it need not. @default the template of the key, or the name of the
   * function, or of the one that makes the key; a function without any of these has none
   */
  readonly recipe?: string | false | undefined;
}

/** Says where the values of a function are kept, and how. One of `key` and `keyPrefix` is needed. */
export type EntryPlanOptions<A extends readonly unknown[] = readonly never[], V = never> = PlanOptions<A, V> &
  (
    | {
        /** `user::{0}::profile`, `user::{0.id}::profile`, or a function of the arguments. */
        readonly key: string | ((...args: A) => string);
      }
    | {
        /**
         * Makes the key `prefix::arguments::name`, such as `user::123456::getUserProfile`, which `user::123456::*`
         * covers. Arguments that the function does not declare are no part of it, as in `ids.map(getUserProfile)`.
         */
        readonly keyPrefix: string;
        /** The positions (or names, see `parameters`) that tell entries apart. @default all arguments */
        readonly keyParams?: readonly (number | string)[];
        /** The last part of the key. @default the function's name */
        readonly name?: string;
      }
  );

/**
 * A plan: the key and the options of a call, made from its arguments. `self` is its `this`. Arguments are those that
 * {@link EntryPlan.seen} gives.
 */
export interface EntryPlan {
  /** The arguments that the function can see: callbacks of lists are handed more. */
  seen<T extends readonly unknown[]>(args: T): T;
  /** The warning for a call whose arguments are not all in the key, or are there without mattering. */
  readonly doubtfulArguments: ((args: readonly unknown[]) => string | undefined) | undefined;
  key(self: unknown, args: readonly unknown[]): string;
  options(self: unknown, args: readonly unknown[]): EntryOptions;
  /** The arguments of a load; `undefined` where they are those of the call. */
  readonly withContext: ((args: readonly unknown[], context: LoadContext) => unknown[]) | undefined;
  /** The name under which it can be repeated; `undefined` where it has none. */
  readonly recipe: string | undefined;
  /** What is said of the disk; `undefined` where the tier decides. */
  readonly persist: PersistenceLevel | undefined;
  /** How many arguments a caller gives: the function's length, the context not counted. */
  readonly length: number;
}

/** The options as they look from within, where the arguments' types are not known. */
type AnyPlanOptions = PlanOptions<readonly unknown[], never> & {
  readonly key?: string | ((...args: readonly unknown[]) => string);
  readonly keyPrefix?: string;
  readonly keyParams?: readonly (number | string)[];
  readonly name?: string;
};

const OWN_OPTIONS = [
  'key',
  'keyPrefix',
  'keyParams',
  'name',
  'tags',
  'dependsOn',
  'parameters',
  'passContext',
  'recipe',
];
/** What is handed on with every call. */
const ENTRY_OPTIONS: ReadonlySet<string> = new Set(['tier', 'ttlMs', 'negativeTtlMs', ...LOADING_POLICIES]);
const OPTIONS: readonly string[] = [...OWN_OPTIONS, ...ENTRY_OPTIONS];

/**
 * Compiles the options given for a function.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for an option that does not exist, a malformed template, or a placeholder
 * that names no parameter; `ERR_KEY_INVALID` for text that can be no key
 */
export function planEntry<A extends readonly unknown[]>(
  fn: { readonly name: string; readonly length: number },
  options: EntryPlanOptions<A, never>,
): EntryPlan {
  // From here on arguments are just values: their types were checked where the function was wrapped.
  const given = options as unknown as AnyPlanOptions;
  assertOptions(fn.name, given);
  const passesContext = given.passContext === true;
  const length = Math.max(0, fn.length - (passesContext ? 1 : 0));
  const scope = scopeOf({ name: fn.name, length }, given.parameters);
  const { key, tags, dependsOn } = given;
  const render = typeof key === 'function' ? undefined : keyRender(fn.name, given, scope);
  const fixed: EntryOptions = Object.freeze(
    Object.fromEntries(
      Object.entries(given).filter(([name, value]) => ENTRY_OPTIONS.has(name) && value !== undefined),
    ),
  );
  const seen = seenBy(fn, given);
  const contextAt = Number.isFinite(seen) ? seen : length;
  const makeTags = tags === undefined ? undefined : labelsOf(tags, scope);
  const makeDependencies = dependsOn === undefined ? undefined : labelsOf(dependsOn, scope);
  if (Array.isArray(dependsOn)) for (const each of dependsOn) assertColons(each, scope);
  return {
    length,
    seen: <T extends readonly unknown[]>(args: T): T =>
      args.length > seen ? (args.slice(0, seen) as readonly unknown[] as T) : args, // fewer of the same
    doubtfulArguments:
      typeof key === 'string' && !key.includes('{')
        ? oneEntryWarner(key, Number.isFinite(seen) ? seen : length, scope)
        : keysAllArguments(given) && seen === Number.POSITIVE_INFINITY
          ? warner(fn, scope)
          : undefined,
    recipe: recipeName(fn.name, given),
    persist: given.persist,
    // Behind what is given, and never before its place: a caller may leave arguments out.
    withContext: passesContext
      ? (args, context) => [...args, ...Array<undefined>(Math.max(0, contextAt - args.length)), context]
      : undefined,
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

function keysAllArguments({ keyPrefix, keyParams }: AnyPlanOptions): boolean {
  return keyPrefix !== undefined && keyParams === undefined;
}

/** How many arguments matter, but for the context: those that the function can see, or that the author names. */
function seenBy(fn: { readonly length: number }, given: AnyPlanOptions): number {
  const { parameters = 0, passContext, key, tags, dependsOn } = given;
  const named = typeof parameters === 'number' ? parameters : parameters.length;
  const visible = visibleParameters(fn) ?? Number.POSITIVE_INFINITY;
  if (Number.isFinite(visible)) {
    const makers = [key, tags, dependsOn].filter((maker) => typeof maker === 'function');
    const asked = makers.map((maker) => visibleParameters(maker) ?? 0).filter(Number.isFinite);
    return Math.max(visible - (passContext === true ? 1 : 0), named, ...asked);
  }
  const isAllInKey = keysAllArguments(given) && given.parameters !== undefined;
  return isAllInKey ? Math.max(named, fn.length) : Number.POSITIVE_INFINITY;
}

/**
 * All arguments are in the key, though the function may not see all of them. One with rest parameters sees them: there a
 * list that hands over more is what is told.
 */
function warner(fn: { readonly length: number }, { functionName, length }: TemplateScope) {
  const isRest = visibleParameters(fn) === Number.POSITIVE_INFINITY;
  let isSaid = false;
  return (args: readonly unknown[]): string | undefined => {
    if (isSaid || args.length <= length || (isRest && !areOfList(args))) return undefined;
    isSaid = true;
    return `${functionName} was called with ${args.length} arguments and declares ${length}; as it may see the others, all are in the key. If a list's map() hands them over, call it as (id) => … there, or say how many count with parameters: ${Math.max(1, length)}.`;
  };
}

/**
 * A key without a placeholder is one entry for all calls, which is wrong as soon as two of them ask for different ids.
 * Objects are not compared: a client or a connection that is passed along is no part of the question.
 */
function oneEntryWarner(key: string, declared: number, { functionName }: TemplateScope) {
  if (declared === 0) return undefined;
  const first: unknown[] = [];
  let isSaid = false;
  return (args: readonly unknown[]): string | undefined => {
    for (let i = 0; !isSaid && i < declared && i < args.length; i++) {
      const value = args[i];
      if (!isPlain(value)) continue;
      first[i] ??= value;
      if (first[i] === value) continue;
      isSaid = true;
      return `${functionName} was called with different arguments, and its key '${key}' gives all of them the same entry: put the argument into the key, such as '${key}::{${i}}'.`;
    }
    return undefined;
  };
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

function recipeName(functionName: string, given: AnyPlanOptions): string | undefined {
  const { recipe, key, keyPrefix, name } = given;
  if (recipe === false) return undefined;
  if (typeof recipe === 'string' && recipe !== '') return recipe;
  if (recipe !== undefined) {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `recipe of ${functionName || 'the function'} must be a name, or false.`,
    );
  }
  if (typeof key === 'string') return key;
  if (keyPrefix !== undefined) return `${keyPrefix}::…::${name ?? functionName}`;
  // A function written as a property in place is called after it, and says nothing.
  const keyName = typeof key === 'function' && key.name !== 'key' ? key.name : '';
  return functionName || keyName || undefined;
}

/** What templates for a function may refer to. */
export function scopeOf(
  fn: { readonly name: string; readonly length: number },
  parameters: Parameters | undefined,
): TemplateScope {
  return { functionName: fn.name === '' ? 'the function' : `${fn.name}()`, length: fn.length, parameters };
}

/**
 * @param usage how it is called, such as `cached(cache, fn, options)`
 * @throws CacheError `ERR_ARGUMENT_INVALID` for what is no object
 */
export function assertEntryOptions(options: unknown, usage: string): void {
  if (typeof options === 'string') {
    throw invalidArgument(usage, `options is a text, expected an object: write { key: '${options}' }`);
  }
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw invalidArgument(
    usage,
    `options is ${kindOf(options)}, expected an object with a key: { key: 'user::{0}::profile' }`,
  );
}

/** The options that are texts, lists or functions, and what each is expected to be. */
function assertKinds(owner: string, options: AnyPlanOptions): void {
  const isList = (value: unknown) => Array.isArray(value);
  const isText = (value: unknown) => typeof value === 'string' && value !== '';
  const isCall = (value: unknown) => typeof value === 'function';
  const kinds: readonly (readonly [
    name: keyof AnyPlanOptions,
    expected: string,
    (value: unknown) => boolean,
  ])[] = [
    ['key', "a text such as 'user::{0}::profile', or a function", (value) => isText(value) || isCall(value)],
    ['keyPrefix', "a text such as 'user'", isText],
    ['keyParams', 'a list such as [0]', isList],
    ['name', 'a text', isText],
    ['tags', "a list such as ['user:{0}'], or a function", (value) => isList(value) || isCall(value)],
    ['dependsOn', "a list such as ['user::{0}'], or a function", (value) => isList(value) || isCall(value)],
    [
      'parameters',
      "a number, or a list of names such as ['id']",
      (value) => isList(value) || Number.isInteger(value),
    ],
    ['tier', "the name of a tier such as 'user'", isText],
  ];
  for (const [name, expected, isRight] of kinds) {
    const value: unknown = options[name];
    if (value === undefined || isRight(value)) continue;
    throw invalidArgument(
      owner,
      `${name} is ${value === '' ? 'empty' : kindOf(value)}, expected ${expected}`,
    );
  }
}

function assertOptions(name: string, options: AnyPlanOptions): void {
  const owner = name || 'the function';
  assertEntryOptions(options, owner);
  assertKnown(owner, options, OPTIONS);
  assertKinds(owner, options);
  if (options.ttlMs !== undefined) assertTtl(options.ttlMs, `ttlMs of ${owner}`);
  if (options.negativeTtlMs !== undefined) assertTtl(options.negativeTtlMs, `negativeTtlMs of ${owner}`);
  assertLoadingPolicy(options, owner);
  if (options.passContext !== undefined && typeof options.passContext !== 'boolean') {
    throw new CacheError('ERR_ARGUMENT_INVALID', `passContext of ${owner} must be true or false.`);
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
