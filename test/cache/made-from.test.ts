/**
 * Values made from values made from rows, under any policies, while the rows change: what a read may give is decided by
 * what had changed, and been invalidated, when it began. Each row has a version, and each value says from which versions
 * it was made, so a value from before a change is told at once.
 *
 * Every run is the same one for its seed; FUZZ_SEED and FUZZ_RUNS look further.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { LoadOptions } from '../../src/cache/entry-options.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import { bench, tierOf } from './support.ts';

const seed = Number(process.env.FUZZ_SEED ?? 1);
const numRuns = Number(process.env.FUZZ_RUNS ?? 40);

const ROWS = 3;
/** Which rows a card is made from, and which cards a page is made from. */
const PARTS = [[0], [0, 1], [1, 2]] as const;
const LONG_MS = 1_000_000_000;
/** Longer than loads that wait for one another can take. */
const REST_MS = 200_000;

/** From which version of each row it was made. */
type Versions = Record<string, number>;

interface World {
  /** Whether loaders may say late what their value depends on. */
  readonly late: boolean;
  /** Whether cards expire while pages are made from them. */
  readonly shortLived: boolean;
  readonly maxWeightBytes: number;
  readonly onDisk: boolean;
  /** Whether so much lies beside them that invalidations are swept. */
  readonly crowded: boolean;
}

/** More than an invalidation removes at once. */
const CROWD = 1_100;

const PLAIN: World = {
  late: true,
  shortLived: false,
  maxWeightBytes: 10_000_000,
  onDisk: false,
  crowded: false,
};

const WORLDS: readonly [string, World][] = [
  ['in memory', PLAIN],
  ['all of whose links are stated at once', { ...PLAIN, late: false }],
  ['that expire before what is made from them', { ...PLAIN, shortLived: true }],
  ['that are evicted all the time', { ...PLAIN, shortLived: true, maxWeightBytes: 4_000 }],
  ['among so many that invalidations are swept', { ...PLAIN, crowded: true }],
  ['on disk', { ...PLAIN, onDisk: true }],
  [
    'on disk, that expire or are evicted',
    { ...PLAIN, shortLived: true, maxWeightBytes: 4_000, onDisk: true },
  ],
];

type Step =
  | { readonly do: 'change' | 'row' | 'card' | 'page'; readonly at: number }
  | { readonly do: 'look' | 'clear' | 'turn' }
  | { readonly do: 'advance'; readonly ms: number };

const at = fc.nat({ max: ROWS - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('change' as const), at }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('row' as const), at }) },
  { weight: 23, arbitrary: fc.record({ do: fc.constant('card' as const), at }) },
  { weight: 25, arbitrary: fc.record({ do: fc.constant('page' as const), at }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat({ max: 1_500 }) }) },
);

/** Numbers from 0 to 1, the same ones for a seed: mulberry32 by Tommy Ettinger. */
function seeded(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let folder = '';
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-made-from-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

class Run {
  readonly #world: World;
  readonly #random: () => number;
  readonly #bench: ReturnType<typeof bench>;
  readonly #cache: Cache;
  /** The version of each row at the source. */
  readonly #versions: number[] = Array.from({ length: ROWS }, () => 0);
  readonly #reads: Promise<void>[] = [];
  readonly faults: string[] = [];

  constructor(world: World, choices: number, path: string) {
    this.#world = world;
    this.#random = seeded(choices);
    const persist = world.onDisk ? this.#pick(['on_change', 'periodic'] as const) : 'memory';
    this.#bench = bench({
      maxWeightBytes: world.maxWeightBytes,
      cleanupIntervalMs: 7_000,
      random: this.#random,
      tiers: ['user', 'query'].map((tier) => tierOf(tier, [tier], { persist })),
      ...(world.onDisk && { disk: { path, intervalMs: 3_000 } }),
    });
    this.#cache = this.#bench.cache;
    for (let row = 0; row < ROWS; row++) this.#crowd(row);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) {
      await this.#apply(each);
      if (this.faults.length > 0) break;
    }
    await this.#bench.clock.advanceAsync(REST_MS);
    await Promise.all(this.#reads);
    if (this.#cache.stats().loading > 0) this.faults.push('a load has not ended');
    await this.#cache.stop();
  }

  async #apply(each: Step): Promise<void> {
    if (each.do === 'change') this.#change(each.at);
    else if (each.do === 'row') this.#check(`row ${each.at}`, this.#row(each.at));
    else if (each.do === 'card') this.#check(`card ${each.at}`, this.#card(each.at));
    else if (each.do === 'page') this.#check(`page ${each.at}`, this.#page(each.at));
    else if (each.do === 'look') this.#look();
    else if (each.do === 'advance') await this.#bench.clock.advanceAsync(each.ms);
    else if (each.do === 'turn') await new Promise((resolve) => setImmediate(resolve));
    else {
      for (let row = 0; row < ROWS; row++) this.#next(row);
      this.#cache.clear();
    }
  }

  #pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[Math.floor(this.#random() * choices.length)] ?? choices[0];
  }

  #chance(part: number): boolean {
    return this.#random() < part;
  }

  /** The row's version, which is the next one from now on. */
  #next(row: number): number {
    this.#versions[row] = this.#version(row) + 1;
    return this.#version(row);
  }

  #version(row: number): number {
    return this.#versions[row] ?? 0;
  }

  #change(row: number): void {
    const value: Versions = { [row]: this.#next(row) };
    const key = `user::b${row}`;
    const tag = { tag: `t${row}` };
    const options = { tags: [tag.tag], ttlMs: this.#pick([500, LONG_MS]) };
    const how = this.#pick(['key', 'key', 'key', 'tag', 'pattern', 'set', 'write'] as const);
    if (how === 'tag') this.#cache.invalidate(tag, key);
    else if (how === 'pattern') this.#cache.invalidate(`${key}*`);
    else if (how === 'set') this.#cache.set(key, value, options);
    else if (how === 'write') this.#cache.writeSync(key, value, () => undefined, options);
    else this.#cache.invalidate(key);
    // Those that read the row itself are found by its tag alone.
    if (how !== 'tag') this.#cache.invalidate(tag);
    this.#crowd(row);
  }

  /** Puts others under the row's tag and pattern, ahead of what is read next. */
  #crowd(row: number): void {
    if (!this.#world.crowded) return;
    for (let i = 0; i < CROWD; i++) this.#cache.set(`user::b${row}x${i}`, i, { tags: [`t${row}`] });
  }

  // ---- reads ----

  #row(row: number): Promise<Versions> {
    const options = { ...this.#options(), ttlMs: this.#ttlMs(this.#world.shortLived), tags: [`t${row}`] };
    return this.#read(`user::b${row}`, options, async (context) => {
      const stale = context.stale?.value as Versions | undefined;
      if (stale?.[row] === this.#version(row) && this.#chance(0.5)) return context.notModified();
      return { [row]: this.#version(row) };
    });
  }

  #card(card: number): Promise<Versions> {
    const rows = PARTS[card] ?? [];
    const keys = rows.map((row) => `user::b${row}`);
    const how = this.#pick(this.#world.late ? ['stated', 'late', 'direct'] : ['stated', 'direct']);
    const options: LoadOptions = {
      ...this.#options(),
      ttlMs: this.#ttlMs(this.#world.shortLived),
      ...(how !== 'late' && { dependsOn: keys }),
      ...(how === 'direct' && { tags: rows.map((row) => `t${row}`) }),
    };
    return this.#read(`query::d${card}`, options, async (context) => {
      const value: Versions = {};
      for (const row of rows) {
        if (how === 'direct') value[row] = this.#version(row);
        else Object.assign(value, await this.#row(row));
      }
      if (how === 'late') context.dependsOn(...keys);
      return value;
    });
  }

  #page(page: number): Promise<Versions> {
    const cards = PARTS[page] ?? [];
    const keys = cards.map((card) => `query::d${card}`);
    const isLate = this.#world.late && this.#chance(0.5);
    const options: LoadOptions = {
      ...this.#options(),
      ttlMs: this.#ttlMs(true),
      ...(!isLate && { dependsOn: keys }),
    };
    return this.#read(`query::e${page}`, options, async (context) => {
      const value: Versions = {};
      for (const card of cards) {
        for (const [row, version] of Object.entries(await this.#card(card))) {
          value[row] = Math.min(value[row] ?? version, version);
        }
      }
      if (isLate) context.dependsOn(...keys);
      return value;
    });
  }

  /** A load that takes its time, and may fail or keep nothing. */
  #read(
    key: string,
    options: LoadOptions,
    make: (context: LoadContext) => Promise<Versions>,
  ): Promise<Versions> {
    return this.#cache.getOrLoad(
      key,
      async (context) => {
        if (this.#chance(0.15)) throw new Error('down');
        if (this.#chance(0.5)) await this.#while();
        const value = await make(context);
        await this.#while();
        if (this.#chance(0.1)) throw new Error('down at the end');
        if (this.#chance(0.08)) context.skip();
        if (this.#chance(0.1)) context.setTtl(this.#pick([0, 500, 5_000]));
        return value;
      },
      options,
    );
  }

  async #while(): Promise<void> {
    if (this.#chance(0.4)) return;
    await new Promise<void>((resolve) => this.#bench.clock.after(this.#random() * 3_000, resolve));
  }

  #ttlMs(isShort: boolean): number {
    return isShort ? this.#pick([0, 300, 2_000, 20_000]) : LONG_MS;
  }

  #options(): LoadOptions {
    const chance = (part: number) => this.#chance(part);
    return {
      ...(chance(0.3) && { graceMs: this.#pick([1_000, 20_000]) }),
      ...(chance(0.3) && { staleWhileRevalidateMs: this.#pick([1_000, 20_000]) }),
      ...(chance(0.3) && { softTimeoutMs: this.#pick([100, 800]) }),
      ...(chance(0.2) && { hardTimeoutMs: this.#pick([900, 2_500]) }),
      ...(chance(0.2) && { refreshAheadRatio: 0.5 }),
      ...(chance(0.2) && { earlyRefreshBeta: 5 }),
      ...(chance(0.2) && { compressAboveBytes: 1 }),
      ...(chance(0.1) && { when: () => this.#chance(0.5) }),
      ...(chance(0.2) && { adaptiveTtl: { minMs: 500, maxMs: 9_000 } }),
      ...(chance(0.15) && { fresh: true }),
      ...(chance(0.2) && { cost: () => 1 }),
      ...(this.#world.onDisk &&
        chance(0.4) && { persist: this.#pick(['memory', 'on_change', 'periodic', 'on_shutdown'] as const) }),
    };
  }

  // ---- what must hold ----

  #check(what: string, read: Promise<Versions>): void {
    const wanted = [...this.#versions];
    this.#reads.push(
      read.then(
        (value) => this.#compare(what, value, wanted),
        () => undefined, // the source was down, or too slow
      ),
    );
  }

  #look(): void {
    for (const key of ['user::b0', 'query::d0', 'query::d1', 'query::e0', 'query::e1', 'query::e2']) {
      const value = this.#cache.get<Versions>(key);
      if (value !== undefined) this.#compare(key, value, this.#versions);
    }
  }

  #compare(what: string, value: Versions, wanted: readonly number[]): void {
    for (const [row, version] of Object.entries(value)) {
      const least = wanted[Number(row)] ?? 0;
      if (version < least)
        this.faults.push(`${what}: made from version ${version} of row ${row}, not ${least}`);
    }
  }
}

describe('I2: no read gives what was made from rows that had changed before it', () => {
  it.each(WORLDS)(
    'where values are made from values %s',
    async (_, world) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 60, maxLength: 120 }),
          fc.nat(),
          async (steps, choices) => {
            const run = new Run(world, choices, join(folder, `${files++}.db`));
            await run.run(steps);
            expect(run.faults).toEqual([]);
          },
        ),
        { seed, numRuns: world.onDisk || world.crowded ? Math.ceil(numRuns / 4) : numRuns },
      );
    },
    60_000,
  );
});
