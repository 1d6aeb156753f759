import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { cached, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { watchTables } from '../../src/feed/watch-tables.ts';
import { createWarmers } from '../../src/warmers/warmers.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import { bench } from './support.ts';

const { cache } = bench();
const load = (id: string) => id;
const db = new Database(':memory:');
// As from JavaScript, where no compiler looks.
const wrong = (options: object) => options as never;

it.each<[string, () => unknown, string]>([
  ['createCache', () => createCache(wrong({ maxWieghtBytes: 1 })), 'did you mean maxWeightBytes?'],
  ['createCache', () => createCache(wrong({ cleanupInterval: 60 })), 'in milliseconds, as cleanupIntervalMs'],
  ['disk of createCache', () => createCache(wrong({ disk: { paht: 'cache.db' } })), 'did you mean path?'],
  ['the call', () => cache.set('config::a', 1, wrong({ ttl: 5 })), 'in milliseconds, as ttlMs'],
  ['the call', () => cache.getOrLoadSync('config::a', () => 1, wrong({ tag: ['a'] })), 'did you mean tags?'],
  ['load', () => cached(cache, load, wrong({ key: 'a::{0}', tagz: [] })), 'did you mean tags?'],
  ['load()', () => invalidates(cache, load, 'a::{0}', wrong({ loger: console })), 'did you mean logger?'],
  ['sqliteCache', () => sqliteCache(db, cache, wrong({ feeed: undefined })), 'did you mean feed?'],
  ['watchTables', () => watchTables(db, cache, {}, wrong({ pollInterval: 1 })), 'as pollIntervalMs'],
  ['createWarmers', () => createWarmers(wrong({ task: [] })), 'did you mean tasks?'],
  ['openJournal', () => openJournal(':memory:', () => db, wrong({ loger: console })), 'did you mean logger?'],
  [
    'createWriteBehind',
    () => createWriteBehind(db, cache, wrong({ loger: console })),
    'did you mean logger?',
  ],
])('%s refuses an option that does not exist, and names the right one', (owner, call, hint) => {
  expect(call).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT_INVALID' }));
  expect(call).toThrow(`${owner}: there is no option`);
  expect(call).toThrow(hint);
});
