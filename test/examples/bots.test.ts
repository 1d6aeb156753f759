/**
 * I14: switching the cache on changes nothing that a bot can see but the time a read takes. Five bots as their authors
 * write them run the same acts on a cache that is on, on one that is off, and with no cache at all.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import mongoose from 'mongoose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as cachecord from '../../src/index.ts';
import { fakePrisma } from '../support/fake-prisma.ts';
import { keepCollectionInMemory } from '../support/mongo-in-memory.ts';
import { runScript } from '../support/run-script.ts';

const ROOT = join(import.meta.dirname, '../..');
const BOTS = 'test/examples/bots';

type Answer = unknown;

/** What every one of the bots does, at once or with promises. */
interface Bot {
  work(id: string, coins: number): Answer;
  buy(id: string, item: string): Answer;
  gift(from: string, to: string, coins: number): Answer;
  /** Changes what it read, and saves nothing. */
  boast(id: string): Answer;
  look(id: string): Answer;
  top(): Answer;
  reset(id: string): Answer;
  /** All that is stored. */
  everything(): Answer;
}

/** A bot with a storage of its own, which `end` gives back. */
interface Place {
  readonly modules: Readonly<Record<string, unknown>>;
  end(): void;
}

interface BotKind {
  /** Its file in the folder of bots. */
  readonly file: string;
  readonly place: () => Place;
  readonly valueTypes?: cachecord.CacheOptions['valueTypes'];
}

let compiled = '';
beforeAll(() => {
  compiled = compileToCommonJs('compiled.ts');
}, 60_000);

function compileToCommonJs(file: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-compiled-'));
  const options = '--ignoreConfig --module commonjs --target es2022 --noCheck --noResolve'.split(' ');
  execFileSync(
    process.execPath,
    ['node_modules/typescript/bin/tsc', ...options, '--rootDir', BOTS, '--outDir', folder, join(BOTS, file)],
    { cwd: ROOT, stdio: 'pipe', encoding: 'utf8' },
  );
  const text = readFileSync(join(folder, file.replace(/\.ts$/, '.js')), 'utf8');
  rmSync(folder, { recursive: true });
  return text;
}

/** The CommonJS that runs. */
function scriptOf(file: string): string {
  return file.endsWith('.ts') ? compiled : readFileSync(join(ROOT, BOTS, file), 'utf8');
}

function sqlite(): Place {
  const db = new Database(':memory:');
  return { modules: { './connection.js': { db } }, end: () => void db.close() };
}

let models = 0;
function mongo(): Place {
  mongoose.set({ autoCreate: false, autoIndex: false });
  const name = `Profile${models++}`;
  const schema = new mongoose.Schema({ userId: String, coins: { type: Number, default: 0 }, bag: [String] });
  const Profile = mongoose.model(name, schema);
  keepCollectionInMemory(Profile);
  return { modules: { './models.js': { Profile } }, end: () => void mongoose.deleteModel(name) };
}

function jsonFile(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-json-'));
  return {
    modules: { './connection.js': { file: join(folder, 'users.json') } },
    end: () => rmSync(folder, { recursive: true }),
  };
}

const prisma = (): Place => ({
  modules: { '@prisma/client': fakePrisma({ wallet: [] }) },
  end: () => undefined,
});

const KINDS: Readonly<Record<string, BotKind>> = {
  'a sloppy CommonJS bot': { file: 'sloppy.cjs', place: sqlite },
  'a TypeScript bot compiled to CommonJS': { file: 'compiled.ts', place: sqlite },
  'a bot on mongoose documents': { file: 'mongoose.cjs', place: mongo },
  'a bot on rows of Prisma with Decimals': {
    file: 'prisma.cjs',
    place: prisma,
    valueTypes: [{ type: Decimal, copy: 'shared' }],
  },
  'a bot on a JSON file': { file: 'json-file.cjs', place: jsonFile },
};

/** The package, as if it were not there. */
const NO_CACHE = {
  cached: (_cache: unknown, read: unknown) => read,
  cachedSync: (_cache: unknown, read: unknown) => read,
  invalidates: (_cache: unknown, write: unknown) => write,
};

type Act = readonly [name: Exclude<keyof Bot, 'everything'>, ...args: readonly (string | number)[]];

/** Runs the acts one after another. Gives every answer, what is stored at the end, and how often the cache had hit. */
async function run(kind: BotKind, mode: 'on' | 'off' | 'none', acts: readonly Act[]) {
  const log: string[] = [];
  const tell = (message: string) => void log.push(message);
  const cache = cachecord.createCache({
    enabled: mode === 'on',
    logger: { debug: tell, info: tell, warn: tell, error: tell },
    ...(kind.valueTypes !== undefined && { valueTypes: kind.valueTypes }),
  });
  const { modules, end } = kind.place();
  try {
    const bot = runScript(scriptOf(kind.file), `${BOTS}/${kind.file}:1`, {
      modules: {
        ...modules,
        './cache.js': { cache: mode === 'none' ? { invalidate: () => undefined } : cache },
        ...(mode === 'none' && { cachecord: NO_CACHE }),
      },
    }) as Bot;
    const answers: unknown[] = [];
    for (const [name, ...args] of acts) {
      // The acts are made with the arguments that each takes.
      const act = bot[name] as (...args: readonly unknown[]) => unknown;
      answers.push(await act(...args));
    }
    return { answers, stored: await bot.everything(), hits: cache.stats().total.hits, log };
  } finally {
    end();
    await cache.stop();
  }
}

const ids = fc.constantFrom('1', '2', '3');
const coins = fc.integer({ min: 1, max: 50 });
const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    fc.tuple(fc.constant('work' as const), ids, coins),
    fc.tuple(fc.constant('buy' as const), ids, fc.constantFrom('sword', 'tea', 'constructor')),
    fc.tuple(fc.constant('gift' as const), ids, ids, coins),
    fc.tuple(fc.constant('boast' as const), ids),
    fc.tuple(fc.constant('look' as const), ids),
    fc.tuple(fc.constant('top' as const)),
    fc.tuple(fc.constant('reset' as const), ids),
  ),
  { minLength: 1, maxLength: 30 },
);

const STORY: readonly Act[] = [
  ['look', '1'],
  ['work', '1', 50],
  ['work', '1', 50],
  ['look', '1'],
  ['boast', '1'],
  ['look', '1'],
  ['buy', '1', 'sword'],
  ['work', '2', 70],
  ['top'],
  ['top'],
  ['gift', '1', '2', 30],
  ['gift', '2', '2', 5],
  ['look', '2'],
  ['look', '2'],
  ['reset', '1'],
  ['look', '1'],
  ['top'],
];

describe.each(Object.entries(KINDS))('%s', (_, kind) => {
  it('answers and stores the same with the cache on, off, and without one', async () => {
    const without = await run(kind, 'none', STORY);
    const on = await run(kind, 'on', STORY);
    const off = await run(kind, 'off', STORY);
    expect([on.answers, on.stored]).toEqual([without.answers, without.stored]);
    expect([off.answers, off.stored]).toEqual([without.answers, without.stored]);
    expect(on.hits).toBeGreaterThan(3);
    expect(off.hits).toBe(0);
  });

  it('does so whatever it reads, changes of what it read, and writes', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (chosen) => {
        const [without, on] = [await run(kind, 'none', chosen), await run(kind, 'on', chosen)];
        expect([on.answers, on.stored]).toEqual([without.answers, without.stored]);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

describe('what a cache cannot keep', () => {
  it('is said with its class: documents of mongoose', async () => {
    const kind = KINDS['a bot on mongoose documents'];
    if (kind === undefined) throw new Error('There is such a bot.');
    const { log } = await run(kind, 'on', STORY);
    expect(log.join('\n')).toMatch(/model|Profile|Document/);
  });

  it('is said with its class and place: a Decimal that nobody taught the cache', async () => {
    const kind = KINDS['a bot on rows of Prisma with Decimals'];
    if (kind === undefined) throw new Error('There is such a bot.');
    const untaught = { file: kind.file, place: kind.place };
    const [without, on] = [await run(untaught, 'none', STORY), await run(untaught, 'on', STORY)];
    expect([on.answers, on.stored]).toEqual([without.answers, without.stored]);
    expect(on.log.join('\n')).toMatch(/balance.*Decimal/);
  });
});

afterAll(() => mongoose.disconnect());
