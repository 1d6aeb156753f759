/**
 * Any run of reads, loads that end well, badly or not at all, timeouts, invalidations, writes and steps of time, under
 * any set of policies, beside a plain model (`policy-model.ts`): every read gives what the model says, when the model
 * says, and the loader is called as often and no oftener. What must always be true is asserted besides, without the
 * model, so that a mistake which both have in common does not go unnoticed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { LoadOptions } from '../../src/cache/entry-options.ts';
import { CacheError } from '../../src/cache/errors.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { type Flight, type ModelPolicy, type Outcome, PolicyModel, type Waiter } from './policy-model.ts';
import { Down, noUnhandledRejections } from './policy-support.ts';
import { tierOf } from './support.ts';

const A = 'query::a';
const B = 'query::b';
type Key = typeof A | typeof B;
const KEYS = [A, B] as const;
/** Every entry has a tag. Dependencies are in `properties.test.ts`. */
const OPTIONS: LoadOptions = { tags: ['t'] };
const MAX_WEIGHT_BYTES = 100_000;

const WHATS = [
  'row',
  'row',
  'same',
  'null',
  'empty',
  'map',
  'unwanted',
  'faulty',
  'skip',
  'unmodified',
] as const;
type What = (typeof WHATS)[number];
const what = fc.constantFrom(...WHATS);
const whatOrDown = fc.oneof(
  { weight: 3, arbitrary: what },
  { weight: 1, arbitrary: fc.constant('down' as const) },
);
const key = fc.constantFrom(...KEYS);

const TARGETS = [A, B, 'query::*', '*', { tag: 't' }, 'clear'] as const;

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      key,
      how: fc.constantFrom('awaited' as const, 'awaited' as const, 'forced' as const, 'batch' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('readSync' as const), key, gives: whatOrDown }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), at: fc.nat(), gives: whatOrDown }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 2, 3, 9, 10, 11, 40, 50, 79, 80, 99, 100, 200),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('invalidate' as const), target: fc.constantFrom(...TARGETS) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set' as const), key, gives: what }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('write' as const), key, gives: what }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('saved' as const), at: fc.nat(), isSaved: fc.boolean() }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const ms = fc.constantFrom(1, 10, 50, 100, 250);

const policies: fc.Arbitrary<ModelPolicy> = fc
  .record({
    ttlMs: fc.constantFrom(50, 100),
    negativeTtlMs: fc.constantFrom(0, 10, 100),
    jitterRatio: fc.constantFrom(0, 0.2),
    graceMs: maybe(ms),
    graceBackoffMs: maybe(fc.constantFrom(0, 10, 50)),
    staleWhileRevalidateMs: maybe(ms),
    softTimeoutMs: maybe(fc.constantFrom(1, 10, 40)),
    hardTimeoutMs: maybe(fc.constantFrom(50, 100)),
    refreshAheadRatio: maybe(fc.constantFrom(0.5, 0.8)),
    earlyRefreshBeta: maybe(fc.constantFrom(0.5, 1, 3)),
    adaptiveTtl: maybe(fc.constant({ minMs: 25, maxMs: 400 })),
    compressAboveBytes: maybe(fc.constant(200)),
    skipEmpty: maybe(fc.boolean()),
    when: maybe(fc.constant(isWanted)),
  })
  .map((policy) => {
    const stated = Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
    // `when` is asked about any value; a tier's own knows what its values are.
    return { ...tierOf('query', ['query']), ...stated } as ModelPolicy;
  });

function isWanted(value: unknown): boolean {
  const has = (name: string) => typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  if (has('faulty')) throw new Down();
  return !has('unwanted');
}

/** A call of the loader that waits to be let go. */
interface Call {
  readonly context: LoadContext | undefined;
  readonly keys: readonly Key[];
  /** The instant at which it began. */
  readonly instant: number;
  readonly flights: readonly Flight[];
  readonly end: PromiseWithResolvers<unknown>;
  /** How often each key had been outdated when it began, for I3. */
  readonly generations: readonly number[];
}

/** A read, with what it is to come to and what it has come to. */
interface Read {
  expected: Outcome;
  readonly waiters: readonly Waiter[];
  readonly seen: Waiter;
}

class World {
  readonly clock: HandClock = handClock();
  readonly cache: Cache;
  readonly model: PolicyModel;
  readonly reads: Read[] = [];
  readonly calls: Call[] = [];
  readonly saves: { readonly key: Key; end(isSaved: boolean): void }[] = [];
  /** Loads that the model has begun, until the loader is called for them. */
  readonly begun: Flight[] = [];
  versions = 0;
  /** Counts the steps. */
  instant = 0;
  /** Without the model: when each key was last outdated, and from when on each version of a value is right. */
  readonly outdatedAt = new Map<Key, number>();
  readonly generation = new Map<Key, number>();
  readonly rightFrom = new Map<number, number>();
  readonly faults: string[] = [];

  constructor(policy: ModelPolicy, random: number) {
    this.cache = createCache({
      maxWeightBytes: MAX_WEIGHT_BYTES,
      tiers: [policy],
      cleanupIntervalMs: 1e9,
      clock: this.clock,
      random: () => random,
      logger: silentLogger,
    });
    this.model = new PolicyModel(policy, random);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) {
      this.instant++;
      await this.apply(each);
      await this.clock.settle();
      this.compare();
    }
    await this.cache.stop();
    expect(this.clock.pendingTimers).toBe(0);
  }

  compare(): void {
    for (const read of this.reads)
      if (read.expected.state === 'waiting') read.expected = together(read.waiters);
    expect(this.faults).toEqual([]);
    expect(this.reads.map(({ seen }) => seen.outcome)).toEqual(this.reads.map(({ expected }) => expected));
    const { total, loading } = this.cache.stats();
    const { loads, failures, timeouts, flights } = this.model;
    expect({ loads: total.loads, failures: total.failures, timeouts: total.timeouts, loading }).toEqual({
      loads,
      failures,
      timeouts,
      loading: flights.size,
    });
    expect(this.begun).toEqual([]);
    expect(total.weightBytes).toBeLessThanOrEqual(MAX_WEIGHT_BYTES);
    expect(total.lookups).toBe(total.hits + total.misses);
    for (const each of KEYS) expect(this.cache.has(each)).toBe(this.model.fresh(each) !== undefined);
  }

  apply(each: Step): unknown {
    switch (each.do) {
      case 'read':
        return this.read(each.key, each.how);
      case 'readSync':
        return this.readSync(each.key, each.gives);
      case 'end':
        return this.end(each.at, each.gives);
      case 'advance':
        this.model.advance(each.ms);
        return this.clock.advanceAsync(each.ms);
      case 'invalidate':
        return this.invalidate(each.target);
      case 'set':
        return this.set(each.key, each.gives);
      case 'write':
        return this.write(each.key, each.gives);
      case 'saved':
        return this.saves.splice(each.at % Math.max(1, this.saves.length), 1)[0]?.end(each.isSaved);
    }
  }

  // ---- reads ----

  read(of: Key, how: 'awaited' | 'forced' | 'batch'): void {
    const keys = how === 'batch' ? KEYS : [of];
    const outdated = keys.map((each) => this.outdatedAt.get(each) ?? 0);
    const read = this.began(keys.length);
    keys.forEach((each, i) => {
      const waiter = read.waiters[i] ?? nobody();
      if (how === 'forced') this.begun.push(this.model.begin(each, waiter));
      else this.model.read(each, waiter, (flight) => this.begun.push(flight));
    });
    const given =
      how === 'batch'
        ? this.cache
            .getOrLoadMany<unknown>(keys, (missing) => this.called(missing) as never, OPTIONS)
            .then((found) => keys.map((each) => found.get(each)))
        : this.cache
            .getOrLoad(of, (context) => this.called([of], context, how === 'forced'), {
              ...OPTIONS,
              fresh: how === 'forced',
            })
            .then((value) => [value]);
    given.then(
      (values) => this.ended(read, keys, values, outdated),
      (error: unknown) => this.failed(read, error),
    );
  }

  readSync(of: Key, gives: What | 'down'): void {
    const outdated = [this.outdatedAt.get(of) ?? 0];
    const read = this.began(1);
    let flight: Flight | undefined;
    this.model.read(
      of,
      read.waiters[0] ?? nobody(),
      (begun) => {
        flight = begun;
      },
      true,
    );
    // What was in flight is not joined; it goes on for those who wait for it.
    if (flight !== undefined) this.renew(of);
    const load = (context: LoadContext) => {
      if (flight === undefined) throw new Error(`${of} is loaded, and the model would not.`);
      const value = this.give(gives, flight, this.instant, context);
      if (gives === 'down') throw new Down();
      return value;
    };
    try {
      this.ended(read, [of], [this.cache.getOrLoadSync(of, load, OPTIONS)], outdated);
    } catch (error) {
      this.failed(read, error);
    }
  }

  began(count: number): Read {
    const waiters = Array.from({ length: count }, nobody);
    const read: Read = { waiters, seen: nobody(), expected: { state: 'waiting' } };
    this.reads.push(read);
    return read;
  }

  ended(read: Read, keys: readonly Key[], values: readonly unknown[], outdated: readonly number[]): void {
    read.seen.outcome = { state: 'value', value: structuredClone(values) };
    values.forEach((value, i) => {
      const rightFrom = this.rightFrom.get(versionOf(value) ?? -1);
      if (rightFrom !== undefined && rightFrom < (outdated[i] ?? 0)) {
        this.faults.push(`I2: a read of ${keys[i]} gave what was outdated before it began`);
      }
      spoil(value);
    });
  }

  failed(read: Read, error: unknown): void {
    const isTimeout = error instanceof CacheError && error.code === 'ERR_TIMEOUT';
    if (!isTimeout && !(error instanceof Down)) this.faults.push(`I4: a read failed with ${error}`);
    read.seen.outcome = { state: 'failed', code: isTimeout ? 'ERR_TIMEOUT' : 'DOWN' };
  }

  // ---- loads ----

  /** The loader was called: it waits, until a step lets it go. */
  called(missing: readonly string[], context?: LoadContext, isForced = false): Promise<unknown> {
    const keys = KEYS.filter((each) => missing.includes(each));
    const flights = keys.map((each) => {
      if (isForced) this.renew(each);
      const generation = this.generation.get(each);
      const isLoading = this.calls.some((call) => {
        const at = call.keys.indexOf(each);
        return call.generations[at] === generation && call.flights[at]?.isOver === false;
      });
      if (isLoading) this.faults.push(`I3: ${each} is loaded twice at once`);
      const at = this.begun.findIndex((flight) => flight.key === each);
      const flight = at < 0 ? undefined : this.begun.splice(at, 1)[0];
      if (flight === undefined) throw new Error(`${each} is loaded, and the model would not.`);
      return flight;
    });
    const generations = keys.map((each) => this.renewed(each));
    const end = Promise.withResolvers<unknown>();
    this.calls.push({ context, keys, instant: this.instant, flights, end, generations });
    return end.promise;
  }

  end(at: number, gives: What | 'down'): void {
    const [call] = this.calls.splice(at % Math.max(1, this.calls.length), 1);
    if (call === undefined) return;
    const { flights, context, end, instant } = call;
    const values = flights.map((flight) => [flight.key, this.give(gives, flight, instant, context)] as const);
    if (gives === 'down') end.reject(new Down());
    else end.resolve(context === undefined ? new Map(values) : values[0]?.[1]);
  }

  /** What the loader gives for a key, told to the model too. A batch loader has no context. */
  give(gives: What | 'down', flight: Flight, instant: number, context?: LoadContext): unknown {
    if (gives === 'down') return this.model.end(flight, 'DOWN');
    if (gives === 'unmodified' && context?.stale !== undefined) {
      this.model.end(flight, { value: flight.previous?.value, isUnmodified: true });
      return context.notModified();
    }
    const isSkipped = gives === 'skip' && context !== undefined;
    if (isSkipped) context.skip();
    const value = this.make(gives, instant);
    this.model.end(flight, { value: structuredClone(value), isSkipped });
    return value;
  }

  // ---- writes and invalidations ----

  set(of: Key, gives: What): void {
    this.outdate([of]);
    const value = this.make(gives, this.instant);
    this.model.set(of, structuredClone(value));
    this.cache.set(of, value, OPTIONS);
  }

  write(of: Key, gives: What): void {
    // One at a time a key: that they queue is in the specification of write-through.
    if (this.saves.some((save) => save.key === of)) return;
    const value = this.make(gives, this.instant);
    const held = Promise.withResolvers<void>();
    const save = this.model.beginSave(of);
    this.saves.push({
      key: of,
      end: (isSaved) => {
        this.model.endSave(save, structuredClone(value), isSaved);
        if (!isSaved) {
          held.reject(new Down());
          return;
        }
        this.outdate([of]);
        const version = versionOf(value);
        if (version !== undefined) this.rightFrom.set(version, this.instant);
        held.resolve();
      },
    });
    this.cache.write(of, value, () => held.promise, OPTIONS).catch(() => undefined);
  }

  invalidate(target: (typeof TARGETS)[number]): void {
    const keys = target === A || target === B ? [target] : KEYS;
    this.outdate(keys);
    this.model.invalidate(keys);
    if (target === 'clear') this.cache.clear();
    else this.cache.invalidate(target);
  }

  outdate(keys: readonly Key[]): void {
    for (const each of keys) {
      this.outdatedAt.set(each, this.instant);
      this.renew(each);
    }
  }

  renew(of: Key): void {
    this.generation.set(of, this.renewed(of) + 1);
  }

  renewed(of: Key): number {
    return this.generation.get(of) ?? 0;
  }

  /** A value, large enough to be compressed; its version tells from when on it is right. */
  make(kind: What, instant: number): unknown {
    const version = ++this.versions;
    this.rightFrom.set(version, instant);
    const row = { version, text: 'x'.repeat(500) };
    if (kind === 'null') return null;
    if (kind === 'empty') return [];
    if (kind === 'map') return new Map([['row', row]]);
    if (kind === 'same') return { text: 'the same '.repeat(60) };
    return kind === 'unwanted' || kind === 'faulty' ? { ...row, [kind]: true } : row;
  }
}

function nobody(): Waiter {
  return { outcome: { state: 'waiting' } };
}

/** The outcome of a batch: what fails first, else all values. */
function together(waiters: readonly Waiter[]): Outcome {
  const values: unknown[] = [];
  for (const { outcome } of waiters) if (outcome.state === 'failed') return outcome;
  for (const { outcome } of waiters) {
    if (outcome.state !== 'value') return { state: 'waiting' };
    values.push(outcome.value);
  }
  return { state: 'value', value: values };
}

function versionOf(value: unknown): number | undefined {
  const row: unknown = value instanceof Map ? value.get('row') : value;
  if (typeof row !== 'object' || row === null) return undefined;
  const version: unknown = Reflect.get(row, 'version');
  return typeof version === 'number' ? version : undefined;
}

/** What a careless reader does. */
function spoil(value: unknown): void {
  if (value instanceof Map) value.set('row', 'spoilt');
  else if (typeof value === 'object' && value !== null) Reflect.set(value, 'text', 'spoilt');
}

const runs = (steps: fc.Arbitrary<Step[]>, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(steps, policies, fc.constantFrom(0.001, 0.5, 0.999), (each, policy, random) =>
      new World(policy, random).run(each),
    ),
    { numRuns },
  );

describe('I1, I2, I3, I4 and I6: under any set of policies', () => {
  noUnhandledRejections();

  it('any run of events on two keys goes as the model goes', async () => {
    await runs(fc.array(step, { minLength: 5, maxLength: 40 }), 400);
  }, 120_000);

  it('and on one key, where loads, timeouts and writes meet often', async () => {
    const onOne = step.map((each): Step => ('key' in each ? { ...each, key: A } : each));
    await runs(fc.array(onOne, { minLength: 10, maxLength: 40 }), 300);
  }, 120_000);
});
