/** Reads the imports of `src/` and holds the direction in which they point. */
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';

interface Import {
  readonly from: string;
  /** A path from the root of the repository, or a package. */
  readonly to: string;
  readonly isType: boolean;
}

/** What each area may import besides itself. `bot → plugin → commands → warmers → cache ← db`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  logger: [],
  'nearest-name': [],
  cache: ['logger', 'nearest-name'],
  config: ['cache', 'logger', 'nearest-name'],
  feed: ['cache', 'logger', 'nearest-name'],
  forget: ['write-behind', 'cache'],
  'write-behind': ['cache', 'logger', 'nearest-name'],
  db: ['write-behind', 'cache', 'feed', 'logger'],
  http: ['cache', 'logger', 'nearest-name'],
  metrics: ['cache'],
  migration: ['cache', 'logger', 'nearest-name'],
  rates: ['http', 'cache', 'logger'],
  api: ['http', 'metrics', 'cache', 'db', 'config', 'logger', 'nearest-name'],
  warmers: ['cache', 'config', 'logger', 'nearest-name'],
  commands: ['forget', 'write-behind', 'warmers', 'cache', 'config', 'logger', 'nearest-name'],
  plugin: ['forget', 'commands', 'write-behind', 'warmers', 'cache', 'config', 'logger', 'nearest-name'],
  sapphire: ['plugin', 'commands', 'cache', 'logger'],
  deploy: ['plugin', 'commands', 'config', 'cache', 'logger', 'nearest-name'],
  index: [
    'forget',
    'feed',
    'write-behind',
    'http',
    'migration',
    'plugin',
    'commands',
    'warmers',
    'cache',
    'config',
    'logger',
  ],
  'shop-commands': [
    'rates',
    'plugin',
    'commands',
    'warmers',
    'cache',
    'db',
    'config',
    'logger',
    'nearest-name',
  ],
  bot: [
    'deploy',
    'write-behind',
    'api',
    'plugin',
    'shop-commands',
    'rates',
    'commands',
    'warmers',
    'cache',
    'db',
    'config',
    'logger',
  ],
};

/** Nobody requires these. */
const PROGRAMS = ['src/bot.ts', 'src/bot/deploy-commands.ts'];
const KNOW_DISCORD = ['commands', 'plugin', 'sapphire', 'deploy', 'shop-commands', 'bot'];
const DISCORD = /^(?:discord\.js|@discordjs\/|discord-api-types|@sapphire\/)/;

const files = globSync('src/**/*.ts').sort();
const imports = files.flatMap((file) => importsOf(file, readFileSync(file, 'utf8')));

/** `src/cache/keys/keys.ts` is in `cache`, `src/config/schema.ts` in `config`. */
function areaOf(path: string): string {
  const [, first = ''] = path.split('/');
  return first.replace(/\.ts$/, '');
}

function importsOf(file: string, text: string): Import[] {
  const statement =
    /^(?:import|export(?=\s+(?:type\s+)?[*{]))\s+(?<names>[^;'"]*?)(?:\bfrom\s+)?['"](?<source>[^'"]+)['"]/gm;
  const call = /\bimport\(\s*['"](?<source>[^'"]+)['"]/g;
  return [...text.matchAll(statement), ...text.matchAll(call)].map(({ groups }) => {
    const { names = '', source = '' } = groups ?? {};
    const listed = /^\{(.*)\}/s
      .exec(names)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '');
    const isType = /^type\b/.test(names) || (listed?.every((name) => /^\s*type\b/.test(name)) ?? false);
    return { from: file, to: source.startsWith('.') ? join(dirname(file), source) : source, isType };
  });
}

/** Whether a module awaits outside of any function: inside a plain function that is an error of syntax. */
function awaitsAtTop(text: string): boolean {
  const body = stripTypeScriptTypes(text)
    .replace(/^import\s[^;]*;/gm, '')
    .replace(/^export\s+(?:\*|\{)[^;]*;/gm, '')
    .replace(/^export\s+(?:default\s+)?/gm, '')
    .replaceAll('import.meta', '({})');
  try {
    new Script(`'use strict'; (function () {\n${body}\n})`);
    return false;
  } catch {
    return true;
  }
}

function circlesIn(edges: readonly Import[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const ended = new Set<string>();
  const circles: string[] = [];
  const visit = (place: string, path: readonly string[]) => {
    if (path.includes(place)) circles.push([...path.slice(path.indexOf(place)), place].join(' → '));
    if (ended.has(place) || path.includes(place)) return;
    for (const { to } of next.get(place) ?? []) visit(to, [...path, place]);
    ended.add(place);
  };
  for (const place of next.keys()) visit(place, []);
  return circles;
}

const told = ({ from, to }: Import) => `${from} imports ${to}`;
const isOurs = ({ to }: Import) => to.startsWith('src/');

describe('the house', () => {
  it('is read: imports of values and of types, of packages and of our own files', () => {
    const text = [
      `import { a } from './a.ts';`,
      `import type { B } from '../b.ts';`,
      `import { type C, type D } from 'c';`,
      `import E, { type F } from 'e';`,
      `export { g } from './g.ts';`,
      `const h = import('./h.ts');`,
    ].join('\n');
    expect(importsOf('src/x/y.ts', text).map(({ to, isType }) => [to, isType])).toEqual([
      ['src/x/a.ts', false],
      ['src/b.ts', true],
      ['c', true],
      ['e', false],
      ['src/x/g.ts', false],
      ['src/x/h.ts', false],
    ]);
    expect(imports.length).toBeGreaterThan(50);
  });

  it('knows every area', () => {
    expect(files.filter((file) => !(areaOf(file) in MAY_IMPORT))).toEqual([]);
  });

  it('imports in one direction: bot → plugin → commands → warmers → cache ← db', () => {
    const wrong = imports.filter(isOurs).filter(({ from, to }) => {
      const [here, there] = [areaOf(from), areaOf(to)];
      return here !== there && !MAY_IMPORT[here]?.includes(there);
    });
    expect(wrong.map(told)).toEqual([]);
  });

  it('has no circle of imports at run time', () => {
    expect(circlesIn(imports.filter((each) => isOurs(each) && !each.isType))).toEqual([]);
  });

  it('has no circle among the folders of the engine, so that each can be read after those below it', () => {
    const inFolders = imports
      .filter((each) => isOurs(each) && !each.isType)
      .map(({ from, to, isType }) => ({ from: dirname(from), to: dirname(to), isType }))
      .filter(({ from, to }) => from !== to && [from, to].every((folder) => folder.startsWith('src/cache/')));
    expect(inFolders.length).toBeGreaterThan(10);
    expect(circlesIn(inFolders)).toEqual([]);
  });

  it('knows Discord in the commands, the plugin and the bot alone', () => {
    const wrong = imports.filter(({ from, to }) => DISCORD.test(to) && !KNOW_DISCORD.includes(areaOf(from)));
    expect(wrong.map(told)).toEqual([]);
  });

  it('opens SQLite in the database and the bot alone; the cache knows it as a type, in sqlite.ts', () => {
    const wrong = imports.filter(({ from, to, isType }) => {
      if (!/sqlite/.test(to) || to.startsWith('src/')) return false;
      return isType
        ? areaOf(from) === 'cache' && from !== 'src/cache/transactions/sqlite.ts'
        : !['db', 'bot'].includes(areaOf(from));
    });
    expect(wrong.map(told)).toEqual([]);
  });

  it('awaits nothing at the top of a module, so that CommonJS bots can require it', () => {
    expect(awaitsAtTop(`import a from 'a';\nexport const b: number = await a();`)).toBe(true);
    expect(awaitsAtTop(`export async function b(): Promise<void> { await import.meta.url; }`)).toBe(false);
    const wrong = files.filter((file) => !PROGRAMS.includes(file) && awaitsAtTop(readFileSync(file, 'utf8')));
    expect(wrong).toEqual([]);
  });
});
