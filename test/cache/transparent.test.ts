/**
 * I14: switching the cache on changes nothing that a bot can see. The same tiny bot, with the cache on and with it off,
 * reads in every way there is, changes what it has read (in whatever depth), saves some of it, and reads again: each
 * outcome, and the source at the end, must be the same.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { cached, cachedSync, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { tierOf } from './support.ts';

const IDS = ['1', '2', '3'] as const;
const TTL_MS = 1_000;

// ---- values, and what a bot may do to them ----

const name = fc.constantFrom('id', 'coins', 'list', '__proto__', '7', '123456789012345678', 'two words', '');
const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.bigInt({ min: 0n, max: 2n ** 70n }),
  fc.constantFrom(null, undefined, true, -0, 'a text of more than thirteen characters'),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
);

function setField(object: object, field: string, value: unknown): void {
  Object.defineProperty(object, field, { value, enumerable: true, configurable: true, writable: true });
}

function objectOf(prototype: object | null, fields: readonly (readonly [string, unknown])[]): object {
  const object = Object.create(prototype) as object;
  for (const [field, value] of fields) setField(object, field, value);
  return object;
}

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc
      .tuple(fc.boolean(), fc.array(fc.tuple(name, tie('tree')), { maxLength: 4 }))
      .map(([isBare, fields]) => objectOf(isBare ? null : Object.prototype, fields)),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.record({ id: fc.integer(), name: fc.string() }), { maxLength: 4 }),
    fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((list) => {
      delete list[0]; // a list with a hole
      return list;
    }),
    tie('tree').map((part) => [part, part]),
    fc.array(fc.tuple(leaf, tie('tree')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie('tree'), { maxLength: 3 }).map((members) => new Set(members)),
  ),
}));

/** As a database makes rows: anew for each read. Written out, so that it does not stand on what is tested. */
function madeAnew<T>(value: T, made = new Map<object, object>()): T {
  if (typeof value !== 'object' || value === null) return value;
  const known = made.get(value);
  if (known !== undefined) return known as T;
  const remember = <O extends object>(copy: O): O => {
    made.set(value, copy);
    return copy;
  };
  if (value instanceof Date) return remember(new Date(value)) as T;
  if (Buffer.isBuffer(value)) return remember(Buffer.from(value)) as unknown as T;
  if (value instanceof Map) {
    const copy = remember(new Map<unknown, unknown>());
    for (const [key, member] of value) copy.set(madeAnew(key, made), madeAnew(member, made));
    return copy as T;
  }
  if (value instanceof Set) {
    const copy = remember(new Set<unknown>());
    for (const member of value) copy.add(madeAnew(member, made));
    return copy as T;
  }
  const copy: object = remember(
    Array.isArray(value) ? new Array(value.length) : Object.create(Object.getPrototypeOf(value)),
  );
  for (const field of Object.keys(value)) setField(copy, field, madeAnew(Reflect.get(value, field), made));
  return copy as T;
}

/** Changes what was read, somewhere: `path` chooses the way down. Objects that cannot be changed are not met. */
function change(value: unknown, path: readonly number[], to: unknown): void {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return;
  const inner = innerOf(value);
  const next = inner[step % Math.max(1, inner.length)];
  if (rest.length > 0 && typeof next === 'object' && next !== null) change(next, rest, to);
  else if (value instanceof Date) value.setTime(step);
  else if (Buffer.isBuffer(value)) value[0] = step;
  else if (value instanceof Map) value.set('changed', to);
  else if (value instanceof Set) value.add('changed');
  else if (Array.isArray(value)) value.splice(0, step % 2, to);
  else if (step % 3 === 0) delete (value as Record<string, unknown>)[Object.keys(value)[0] ?? ''];
  else setField(value, `changed${step % 3}`, to);
}

function innerOf(value: object): unknown[] {
  if (value instanceof Map) return [...value.values()];
  if (value instanceof Set) return [...value];
  return Buffer.isBuffer(value) || value instanceof Date ? [] : Object.values(value);
}

/** All that can be told of it: kinds, order of fields, holes, -0, parts that are shared. */
function seen(value: unknown): string {
  return inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, breakLength: Infinity });
}

// ---- the bot ----

const WAYS = ['sync', 'async', 'many', 'joined', 'many-joined', 'fresh', 'single'] as const;
type Way = (typeof WAYS)[number];

type Act =
  | {
      readonly kind: 'read';
      readonly id: string;
      readonly way: Way;
      readonly path: number[];
      readonly to: unknown;
      readonly saves: boolean;
    }
  | { readonly kind: 'write'; readonly id: string; readonly value: unknown; readonly through: boolean }
  | { readonly kind: 'wait' | 'restart' };

const id = fc.constantFrom(...IDS);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      id,
      way: fc.constantFrom(...WAYS),
      path: fc.array(fc.nat(8), { maxLength: 4 }),
      to: leaf,
      saves: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('write' as const), id, value: tree, through: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('wait' as const, 'restart' as const) }) },
);

class Bot {
  readonly #makeCache: () => Cache;
  readonly #source: Map<string, unknown>;
  readonly #clock: HandClock;
  #cache: Cache;

  constructor(makeCache: (clock: HandClock) => Cache, source: ReadonlyMap<string, unknown>) {
    this.#clock = handClock();
    this.#makeCache = () => makeCache(this.#clock);
    this.#cache = this.#makeCache();
    this.#source = new Map([...source].map(([key, value]) => [key, madeAnew(value)]));
  }

  #row = (of: string): unknown => madeAnew(this.#source.get(of));

  #save = (of: string, value: unknown): void => {
    this.#source.set(of, madeAnew(value));
  };

  async #read(of: string, way: Way): Promise<unknown[]> {
    const cache = this.#cache;
    const rows = async (keys: readonly string[]) =>
      new Map(keys.map((key) => [key, this.#row(key.split('::')[1] ?? '')]));
    const get = cached(cache, async (which: string) => this.#row(which), { key: 'user::{0}' });
    const getSync = cachedSync(cache, (which: string) => this.#row(which), { key: 'user::{0}' });
    const all = IDS.map((each) => `user::${each}`);
    switch (way) {
      case 'sync':
        return [getSync(of)];
      case 'async':
        return [await get(of)];
      case 'joined':
        return Promise.all([get(of), get(of), get(of)]);
      case 'many':
        return [...(await cache.getOrLoadMany(all, rows)).values()];
      case 'many-joined':
        return (
          await Promise.all([cache.getOrLoadMany(all, rows), cache.getOrLoadMany(all, rows), get(of)])
        ).flatMap((found) => (found instanceof Map && found.has('user::1') ? [...found.values()] : [found]));
      case 'fresh':
        return Promise.all([get.fresh(of), get(of)]);
      case 'single': {
        const found = cache.lookup(`user::${of}`);
        return [found.state === 'hit' ? found.value : getSync(of)];
      }
    }
  }

  async does(what: Act): Promise<string[]> {
    switch (what.kind) {
      case 'wait':
        this.#clock.advance(TTL_MS);
        return [];
      case 'restart':
        await this.#cache.stop();
        this.#cache = this.#makeCache();
        return [];
      case 'write': {
        const value = madeAnew(what.value);
        const key = `user::${what.id}`;
        if (what.through) this.#cache.writeSync(key, value, () => this.#save(what.id, value));
        else invalidates(this.#cache, this.#save, 'user::{0}')(what.id, value);
        change(value, [1, 2], 'changed afterwards');
        return [seen(value)];
      }
      case 'read': {
        const values = await this.#read(what.id, what.way);
        const outcomes = values.map(seen);
        for (const value of values) change(value, what.path, what.to);
        if (what.saves) invalidates(this.#cache, this.#save, 'user::{0}')(what.id, values[0]);
        return [...outcomes, ...values.map(seen)];
      }
    }
  }

  async end(): Promise<string> {
    await this.#cache.stop();
    return seen(this.#source);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'transparent-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

describe.each<[string, { readonly disk: boolean; readonly policy: object }]>([
  ['in memory', { disk: false, policy: {} }],
  ['kept compressed', { disk: false, policy: { compressAboveBytes: 1 } }],
  ['with stale values', { disk: false, policy: { refreshAheadRatio: 0.5 } }],
  ['on disk', { disk: true, policy: { persist: 'on_change' } }],
])('I14: a bot with its values %s', (_name, { disk, policy }) => {
  it('does what it does without the cache', async () => {
    const arbitrary = fc.record({
      rows: fc.array(tree, { minLength: IDS.length, maxLength: IDS.length }),
      acts: fc.array(act, { minLength: 1, maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ rows, acts }) => {
        const path = join(folder, `${files++}.db`);
        const cacheOf = (enabled: boolean) => (clock: HandClock) =>
          createCache({
            enabled,
            clock,
            logger: silentLogger,
            tiers: [tierOf('query', [], { ttlMs: TTL_MS, negativeTtlMs: TTL_MS, ...policy })],
            ...(disk && enabled ? { disk: { path, trust: 'wrapped-writes' as const } } : {}),
          });
        const source = new Map(IDS.map((each, i) => [each as string, rows[i]]));
        const [on, off] = [new Bot(cacheOf(true), source), new Bot(cacheOf(false), source)];
        for (const what of acts) expect(await on.does(what)).toEqual(await off.does(what));
        expect(await on.end()).toBe(await off.end());
      }),
      { numRuns: disk ? 40 : 150 },
    );
  });
});
