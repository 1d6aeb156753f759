/**
 * Moving over from a cache made by hand: the bot calls one object in place of its old cache, which writes to both and
 * compares what they answer, and each namespace moves when its author says so. `docs/migration.md` has the way.
 *
 * The cache that reads come from decides what a call answers. The old cache never breaks a call: where it throws or
 * rejects, the new one answers (I4), and a key that it could not be told of is read from the new one from then on.
 */
import { BurstLog } from '../cache/burst-log.ts';
import type { Cache } from '../cache/cache.ts';
import type { EntryOptions } from '../cache/entry-options.ts';
import { CacheError } from '../cache/errors.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import { isPromiseLike } from '../cache/promise-like.ts';
import { type Answer, Comparisons } from './comparisons.ts';
import { compileKeyMapping, type KeyMapping } from './key-mapping.ts';
import { KeyTraffic, type PendingRead } from './key-traffic.ts';
import type {
  MigrateOptions,
  MigratingAsyncCache,
  MigratingCache,
  MigrationPhase,
  MigrationReport,
  NamespaceMigration,
  NamespaceReport,
  OldAsyncCache,
  OldCache,
} from './types.ts';
import { UntrustedKeys } from './untrusted-keys.ts';

/**
 * Puts a cache made by hand and this one side by side, until every namespace has moved.
 * @param old a `Map`, discord.js's `Collection`, node-cache and the like; or Keyv and others that answer with promises
 * @throws CacheError `ERR_ARGUMENT_INVALID` or `ERR_KEY_INVALID` at once for an old cache without `get`, `set` and
 * `delete`, and for namespaces, templates and phases that are not valid
 * @example
 * const users = migrateFrom(cache, oldUsers, { namespaces: { user: { to: 'user::{0}::profile' } } });
 * users.get('123456');            // as oldUsers.get, and compared
 * users.report().namespaces.user; // { phase: 'shadow', reads: 1, same: 1, different: 0, … }
 * users.phase('user', 'mirror');  // from now on reads come from the new cache
 */
export function migrateFrom<K, V, N extends string = string>(
  cache: Cache,
  old: Map<K, V>, // said by itself, since the `any` of a Map<string, any> would pass for a promise
  options: MigrateOptions<NoInfer<K>, N>,
): MigratingCache<K, V, N>;
export function migrateFrom<K, V, N extends string = string>(
  cache: Cache,
  old: OldAsyncCache<K, V>,
  options: MigrateOptions<NoInfer<K>, N>,
): MigratingAsyncCache<K, V, N>;
export function migrateFrom<K, V, N extends string = string>(
  cache: Cache,
  old: OldCache<K, V>,
  options: MigrateOptions<NoInfer<K>, N>,
): MigratingCache<K, V, N>;
export function migrateFrom(cache: Cache, old: object, options: MigrateOptions<never>): object {
  return new Migration(cache, old, options);
}

const OPTIONS: OptionNames<MigrateOptions> = { namespaces: true, logger: true };
const NAMESPACE_OPTIONS: OptionNames<NamespaceMigration> = { from: true, to: true, phase: true, entry: true };
const PHASES: readonly MigrationPhase[] = ['shadow', 'mirror', 'done'];

/** An old cache as it is called from within: keys and values are the author's. */
interface Old {
  get(key: unknown): unknown;
  set(key: unknown, value: unknown, ...rest: readonly unknown[]): unknown;
  delete(key: unknown): unknown;
  has(key: unknown): unknown;
  clear(): unknown;
}

interface Namespace {
  readonly name: string;
  readonly mapping: KeyMapping;
  readonly entry: NamespaceMigration['entry'];
  readonly comparisons: Comparisons;
  phase: MigrationPhase;
}

/** Where an old key lies in the new cache. */
interface Place {
  readonly namespace: Namespace;
  readonly key: string;
}

const NOTHING: Answer = { found: false, value: undefined };

class Migration {
  readonly #cache: Cache;
  readonly #old: Old;
  readonly #log: BurstLog;
  readonly #namespaces: ReadonlyMap<string, Namespace>;
  readonly #traffic = new KeyTraffic();
  readonly #untrusted = new UntrustedKeys();
  #unmapped = 0;
  /** Whether the old cache answers with promises; known from its first answer. */
  #answersLater: boolean | undefined;

  constructor(cache: Cache, old: object, options: MigrateOptions<never>) {
    assertKnown('migrateFrom', options, OPTIONS);
    if (typeof cache?.lookup !== 'function') {
      throw invalid('migrateFrom needs a cache first, such as createCachecord(client).cache.');
    }
    this.#cache = cache;
    this.#old = oldCache(old);
    this.#log = new BurstLog(cache.clock, options.logger ?? console);
    this.#namespaces = this.#compile(options.namespaces);
  }

  get(oldKey: unknown): unknown {
    const place = this.#placeOf(oldKey);
    if (place === undefined) return this.#old.get(oldKey);
    const { namespace, key } = place;
    namespace.comparisons.reads++;
    if (namespace.phase === 'done' || this.#untrusted.has(key)) {
      return this.#inKind(this.#lookup(key).value, oldKey);
    }
    return namespace.phase === 'shadow' ? this.#readOld(place, oldKey) : this.#readNew(place, oldKey);
  }

  #readOld(place: Place, oldKey: unknown): unknown {
    const read = this.#traffic.beginRead(place.key);
    return this.#ask(
      () => this.#askOld(oldKey),
      (value) => {
        this.#compare(place, read, value, () => this.#lookup(place.key));
        return value;
      },
      (error) => {
        read.end();
        this.#oldFailed(place, 'get', error);
        return this.#lookup(place.key).value;
      },
    );
  }

  #readNew(place: Place, oldKey: unknown): unknown {
    const ours = this.#lookup(place.key);
    const read = this.#traffic.beginRead(place.key);
    let later = false;
    const compared = this.#ask(
      () => this.#askOld(oldKey),
      // By the time a promise is kept, the bot may have changed the value that it was given.
      (value) => this.#compare(place, read, value, () => (later ? this.#lookup(place.key) : ours)),
      (error) => {
        read.end();
        this.#oldFailed(place, 'get', error);
      },
    );
    later = isPromiseLike(compared);
    return later ? Promise.resolve(ours.value) : ours.value;
  }

  has(oldKey: unknown): unknown {
    const place = this.#placeOf(oldKey);
    if (place === undefined) return this.#old.has(oldKey);
    const { namespace, key } = place;
    const ours = () => this.#attempt(() => this.#cache.has(key), false, key);
    if (namespace.phase !== 'shadow' || this.#untrusted.has(key)) return this.#inKind(ours(), oldKey);
    return this.#ask(
      () => this.#old.has(oldKey),
      (value) => value === true,
      (error) => {
        this.#oldFailed(place, 'has', error);
        return ours();
      },
    );
  }

  set(oldKey: unknown, value: unknown, ...rest: readonly unknown[]): unknown {
    const place = this.#placeOf(oldKey);
    if (place === undefined) return this.#ask(() => this.#old.set(oldKey, value, ...rest), nothing, rethrow);
    if (!this.#store(place, value, rest)) place.namespace.comparisons.refused++;
    return this.#write(place, oldKey, 'set', () => this.#old.set(oldKey, value, ...rest), nothing);
  }

  delete(oldKey: unknown): unknown {
    const place = this.#placeOf(oldKey);
    if (place === undefined) return this.#ask(() => this.#old.delete(oldKey), Boolean, rethrow);
    const removed = this.#remove(place.key);
    return this.#write(
      place,
      oldKey,
      'delete',
      () => this.#old.delete(oldKey),
      (gone) => (place.namespace.phase === 'shadow' && gone !== undefined ? Boolean(gone) : removed),
    );
  }

  clear(): unknown {
    const namespaces = [...this.#namespaces.values()];
    const patterns = namespaces.map(({ mapping }) => mapping.pattern);
    const [first = ''] = patterns;
    this.#attempt(() => void this.#cache.invalidate(...patterns), undefined, first);
    this.#traffic.overtakeAll();
    const using = namespaces.find(({ phase }) => phase !== 'done');
    if (using === undefined && this.#unmapped === 0) return this.#inKind(undefined, undefined);
    return this.#ask(
      () => this.#old.clear(),
      () => {
        this.#traffic.overtakeAll();
        this.#untrusted.clear();
      },
      (error) => {
        if (using === undefined) throw error;
        this.#untrusted.addAll();
        this.#oldFailed({ namespace: using, key: using.mapping.pattern }, 'clear', error);
      },
    );
  }

  phase(name: string, next?: MigrationPhase): MigrationPhase | undefined {
    const namespace = this.#namespaces.get(name);
    if (namespace === undefined) {
      throw invalid(
        `migrateFrom: there is no namespace "${name}" (there are ${[...this.#namespaces.keys()].join(', ')}).`,
      );
    }
    if (next === undefined) return namespace.phase;
    assertPhase(next, name);
    if (namespace.phase === 'done' && next !== 'done') {
      throw invalid(
        `migrateFrom: namespace "${name}" is done, and the old cache has missed writes since. To go back, start the bot with phase: '${next}'.`,
      );
    }
    namespace.phase = next;
    return undefined;
  }

  report(): MigrationReport {
    const reports: [string, NamespaceReport][] = [];
    for (const { name, phase, comparisons } of this.#namespaces.values())
      reports.push([name, comparisons.report(phase)]);
    return { namespaces: Object.fromEntries(reports), unmapped: this.#unmapped };
  }

  #compile(given: Readonly<Record<string, NamespaceMigration<never>>>): ReadonlyMap<string, Namespace> {
    const entries = Object.entries(given ?? {});
    if (entries.length === 0) {
      throw invalid(
        "migrateFrom needs namespaces, such as { namespaces: { user: { to: 'user::{0}::profile' } } }.",
      );
    }
    const namespaces = new Map<string, Namespace>();
    let takesAll: string | undefined;
    for (const [name, options] of entries) {
      assertKnown(`migrateFrom: namespace "${name}"`, options, NAMESPACE_OPTIONS);
      const { phase = 'shadow', entry } = options;
      assertPhase(phase, name);
      if (takesAll !== undefined) {
        throw invalid(
          `migrateFrom: namespace "${takesAll}" takes every key of the old cache, so that "${name}" after it gets none. Give "${takesAll}" a "from", such as '${takesAll}:{id}', or put it last.`,
        );
      }
      const mapping = compileKeyMapping(name, options);
      if (mapping.takesAll) takesAll = name;
      const comparisons = new Comparisons(name, this.#cache.clock, this.#log);
      namespaces.set(name, { name, mapping, entry, comparisons, phase });
    }
    return namespaces;
  }

  /**
   * The place of a key in the new cache; `undefined` where no namespace takes it, or its name cannot be made.
   * @throws CacheError `ERR_ARGUMENT_INVALID` for a list of keys, as Keyv and node-cache take them
   */
  #placeOf(oldKey: unknown): Place | undefined {
    if (Array.isArray(oldKey)) {
      // The old cache would act upon each of them, and the new one upon none.
      throw invalid('migrateFrom takes one key at a time, not a list: call it for each key.');
    }
    for (const namespace of this.#namespaces.values()) {
      try {
        const key = namespace.mapping.newKey(oldKey);
        if (key !== undefined) return { namespace, key };
      } catch (error) {
        this.#log.warn(
          `migrate:${namespace.name}:key`,
          `migrateFrom: "to" of namespace "${namespace.name}" gave no key; the old cache alone serves it.`,
          { error },
        );
        break;
      }
    }
    this.#unmapped++;
    return undefined;
  }

  #lookup(key: string): Answer {
    return this.#attempt(
      () => {
        const found = this.#cache.lookup(key);
        return found.state === 'hit' ? { found: true, value: found.value } : NOTHING;
      },
      NOTHING,
      key,
    );
  }

  /** Whether the new cache keeps the value. Where it does not, it keeps no older one either. */
  #store({ namespace, key }: Place, value: unknown, rest: readonly unknown[]): boolean {
    try {
      return this.#cache.set(key, value, this.#entryOptions(namespace, rest));
    } catch (error) {
      this.#log.warn('migrate:set', 'migrateFrom: the new cache could not take a value.', { key, error });
      this.#remove(key);
      return false;
    }
  }

  #remove(key: string): boolean {
    return this.#attempt(() => this.#cache.delete(key), false, key);
  }

  /** Writes to the old cache, where the namespace still has it. Its failure is told, and not thrown. */
  #write<R>(
    place: Place,
    oldKey: unknown,
    name: string,
    call: () => unknown,
    result: (value: unknown) => R,
  ): unknown {
    const { namespace, key } = place;
    if (namespace.phase === 'done') return this.#inKind(result(undefined), oldKey);
    const end = this.#traffic.beginWrite(key);
    return this.#ask(
      call,
      (value) => {
        this.#untrusted.delete(key);
        end();
        return result(value);
      },
      (error) => {
        // It may hold the value from before.
        this.#untrusted.add(key);
        end();
        this.#oldFailed(place, name, error);
        return result(undefined);
      },
    );
  }

  #compare({ namespace, key }: Place, read: PendingRead, value: unknown, ours: () => Answer): void {
    if (!read.overtaken && !this.#untrusted.has(key)) {
      const found = value !== undefined && value !== null;
      namespace.comparisons.compare(key, { found, value }, ours());
    }
    read.end();
  }

  #entryOptions(namespace: Namespace, rest: readonly unknown[]): EntryOptions {
    const { name, entry } = namespace;
    // The author's function takes what the author's code gives.
    if (typeof entry === 'function') return (entry as (...rest: readonly unknown[]) => EntryOptions)(...rest);
    if (rest.some((value) => value !== undefined)) {
      this.#log.warn(
        `migrate:${name}:rest`,
        `migrateFrom: set() of namespace "${name}" is given more than a key and a value, which the new cache does not know. If it is a ttl, say so: entry: (seconds) => ({ ttlMs: seconds * 1000 }).`,
        {},
      );
    }
    return entry ?? {};
  }

  /** Goes on with what the old cache answers, at once or later. */
  #ask<R>(call: () => unknown, answered: (value: unknown) => R, failed: (error: unknown) => R): unknown {
    let made: unknown;
    try {
      made = call();
    } catch (error) {
      return failed(error);
    }
    return isPromiseLike(made) ? Promise.resolve(made).then(answered, failed) : answered(made);
  }

  #askOld(oldKey: unknown): unknown {
    const made = this.#old.get(oldKey);
    this.#answersLater = isPromiseLike(made);
    return made;
  }

  /**
   * Gives what the new cache answered in the old one's kind: a promise where that answers with promises. A bot that begins
   * with `done` has not asked the old one yet, so that it is asked once.
   */
  #inKind<R>(value: R, oldKey: unknown): R | Promise<R> {
    if (this.#answersLater === undefined) this.#ask(() => this.#askOld(oldKey), nothing, nothing);
    return this.#answersLater === true ? Promise.resolve(value) : value;
  }

  /** A call of the new cache or of the author's functions, which must not break the bot's call. */
  #attempt<R>(call: () => R, otherwise: R, key: string): R {
    try {
      return call();
    } catch (error) {
      this.#log.warn('migrate:new', 'migrateFrom: a call of the new cache failed.', { key, error });
      return otherwise;
    }
  }

  #oldFailed({ namespace: { name, comparisons }, key }: Place, call: string, error: unknown): void {
    comparisons.oldFailures++;
    this.#log.warn(
      `migrate:${name}:${call}`,
      `migrateFrom: ${call}() of the old cache failed; the new one is used instead.`,
      { key, error },
    );
  }
}

function oldCache(given: object): Old {
  const from = given as Partial<Record<string, (...args: unknown[]) => unknown>> | null | undefined;
  const method = (...names: readonly string[]) => {
    const name = names.find((each) => typeof from?.[each] === 'function');
    return name === undefined ? undefined : (...args: unknown[]) => from?.[name]?.(...args);
  };
  const [get, set, remove] = [method('get'), method('set'), method('delete', 'del')];
  const missing = get === undefined ? 'get' : set === undefined ? 'set' : 'delete (or del)';
  if (get === undefined || set === undefined || remove === undefined) {
    throw invalid(
      `migrateFrom needs the old cache second: a Map, a Collection, node-cache, Keyv or an object like these. It has no method ${missing}.`,
    );
  }
  return {
    get,
    set,
    delete: remove,
    has: method('has') ?? ((key) => isThere(get(key))),
    clear:
      method('clear', 'flushAll') ??
      (() => {
        throw invalid('migrateFrom: the old cache has neither clear() nor flushAll().');
      }),
  };
}

function isThere(value: unknown): unknown {
  return isPromiseLike(value) ? Promise.resolve(value).then(isThere) : value !== undefined && value !== null;
}

function assertPhase(phase: unknown, namespace: string): asserts phase is MigrationPhase {
  if (PHASES.some((known) => known === phase)) return;
  throw invalid(
    `migrateFrom: phase of namespace "${namespace}" must be ${PHASES.map((each) => `'${each}'`).join(', ')}.`,
  );
}

function invalid(message: string): CacheError {
  return new CacheError('ERR_ARGUMENT_INVALID', message);
}

function rethrow(error: unknown): never {
  throw error;
}

function nothing(): void {}
