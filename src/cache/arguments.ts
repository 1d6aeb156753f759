/**
 * Arguments that are not what a function takes, told where they enter: which function, which argument, what was given
 * in its place, and what to write instead. JavaScript has no compiler to say so.
 */
import type { Cache } from './cache.ts';
import { CacheError } from './errors.ts';
import { isPromiseLike } from './promise-like.ts';

/** @param problem a sentence without its end */
export function invalidArgument(owner: string, problem: string): CacheError {
  return new CacheError('ERR_ARGUMENT_INVALID', `${owner}: ${problem}.`);
}

/** What a value is, for a message that must not show what it holds: `a function`, `a Map`, `undefined`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  switch (typeof value) {
    case 'string':
      return 'a text';
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'symbol':
    case 'function':
      return `a ${typeof value}`;
    default:
      if (Array.isArray(value)) return 'a list';
      if (isPromiseLike(value)) return 'a promise';
      return objectKind(value);
  }
}

function objectKind(value: object): string {
  const maker: unknown = Reflect.get(value, 'constructor');
  const name = typeof maker === 'function' ? maker.name : '';
  if (name === '' || name === 'Object')
    return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** Whether all of these methods are there. */
export function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  return names.every((name) => typeof Reflect.get(value, name) === 'function');
}

export function isCache(value: unknown): value is Cache {
  // One of them will do: a cache may be stood for by an object that has only what is used of it.
  return ['getOrLoad', 'getOrLoadSync', 'invalidate'].some((name) => hasMethods(value, name));
}

function isDatabase(value: unknown): boolean {
  return hasMethods(value, 'prepare', 'exec');
}

/**
 * @param usage how the function is called, such as `cached(cache, fn, options)`
 * @throws CacheError `ERR_ARGUMENT_INVALID` for what is no cache
 */
export function assertCache(value: unknown, usage: string): asserts value is Cache {
  if (isCache(value)) return;
  throw invalidArgument(usage, `cache is ${kindOf(value)}, expected a cache${cacheHint(value)}`);
}

function cacheHint(value: unknown): string {
  const inner: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'cache') : undefined;
  if (isCache(inner)) {
    return hasMethods(value, 'transaction')
      ? '. Give its property: sql.cache'
      : ". Give the plugin's property: cachecord.cache";
  }
  if (isPromiseLike(value)) return '. Await it first';
  if (typeof value === 'function') return '. The cache comes first, the function second';
  if (isDatabase(value)) return '. This is a database: look at the order of the arguments';
  return ' from createCache(), or cachecord.cache of createCachecord()';
}

/**
 * @throws CacheError `ERR_ARGUMENT_INVALID` for what is no connection of better-sqlite3
 */
export function assertDatabase(value: unknown, usage: string, name = 'db'): void {
  if (isDatabase(value)) return;
  const hint = isCache(value)
    ? '. The database comes first, the cache after it'
    : isPromiseLike(value)
      ? '. Await it first'
      : typeof value === 'string'
        ? ". Open it first: new Database('bot.sqlite')"
        : ' of better-sqlite3';
  throw invalidArgument(usage, `${name} is ${kindOf(value)}, expected a database${hint}`);
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no function */
export function assertFunction(value: unknown, usage: string, name: string): void {
  if (typeof value === 'function') return;
  const hint = isPromiseLike(value)
    ? '. Give the function itself, not what a call of it gives: getUser, not getUser(id)'
    : isCache(value)
      ? '. The cache comes first, the function second'
      : name === 'fn'
        ? ': it takes the function second'
        : name === 'load'
          ? '. To store a value use set(key, value)'
          : '';
  throw invalidArgument(usage, `${name} is ${kindOf(value)}, expected a function${hint}`);
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what cannot be gone through, and for a text */
export function assertList(value: unknown, usage: string, name: string): void {
  if (typeof value === 'object' && value !== null && hasIterator(value)) return;
  throw invalidArgument(usage, `${name} is ${kindOf(value)}, expected a list`);
}

function hasIterator(value: object): boolean {
  return typeof Reflect.get(value, Symbol.iterator) === 'function';
}

const LOGGER = ['debug', 'info', 'warn', 'error'] as const;

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no logger; `undefined` is the default one */
export function assertLogger(value: unknown, usage: string): void {
  if (value === undefined || hasMethods(value, ...LOGGER)) return;
  const missing = LOGGER.filter((name) => !hasMethods(value, name)).join(', ');
  throw invalidArgument(
    usage,
    `logger is ${kindOf(value)} without ${missing}, expected an object with debug, info, warn and error, such as console`,
  );
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no clock; `undefined` is the default one */
export function assertClock(value: unknown, usage: string): void {
  if (value === undefined || hasMethods(value, 'now', 'precise', 'epochAt', 'after', 'every')) return;
  throw invalidArgument(usage, `clock is ${kindOf(value)}, expected a clock such as systemClock()`);
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for a value that is given and not of this type */
export function assertType(
  value: unknown,
  type: 'boolean' | 'function' | 'string' | 'number',
  usage: string,
  name: string,
): void {
  if (value === undefined || typeof value === type) return;
  const expected = { boolean: 'true or false', function: 'a function', string: 'a text', number: 'a number' };
  throw invalidArgument(usage, `${name} is ${kindOf(value)}, expected ${expected[type]}`);
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no text, and for none */
export function assertText(
  value: unknown,
  usage: string,
  name: string,
  example: string,
): asserts value is string {
  if (typeof value === 'string' && value !== '') return;
  const given = value === '' ? 'empty' : kindOf(value);
  throw invalidArgument(usage, `${name} is ${given}, expected a text such as ${example}`);
}
