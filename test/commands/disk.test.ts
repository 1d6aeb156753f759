/** What the commands tell of the cache on disk: after a restart, in trouble, and where there is none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Provenance } from '../../src/cache/layers/disk/disk.ts';
import type { DiskStats } from '../../src/cache/statistics/stats.ts';
import { mergeStats } from '../../src/commands/shards/merge-stats.ts';
import { diskBlock, diskLine, diskProblem } from '../../src/commands/views/disk.ts';
import { capitalised, formatFor } from '../../src/commands/views/format.ts';
import { type Desk, desk, fillShop } from './desk.ts';
import { outsideCode, schemaIssues } from './spoken.ts';
import { cacheStats, diskStats, POLICIES, policy } from './stats-data.ts';

const en = formatFor('en-US');
const POLICY_OF: readonly ('on_change' | 'periodic' | 'on_shutdown' | 'memory')[] = [
  'on_change',
  'periodic',
  'memory',
  'on_shutdown',
];
const policies = POLICIES.map((one, i) => ({ ...one, persist: POLICY_OF[i] ?? 'memory' }));

const told = (over: Partial<DiskStats> = {}) =>
  diskBlock({ disk: diskStats(over), policies, intervalMs: 30_000 }, en).lines.join('\n');

describe('the disk in words', () => {
  it('tells the file by name, what was found, believed and refused, and when each tier is written', () => {
    expect(
      told({ outdated: 9, unproven: 3, expired: 2, damaged: 1, refused: 4, evicted: 5, failures: 6 }),
    ).toBe(
      [
        '**File:** `cache.db` — ready · 312 entries, 4.2 MB of 256 MB',
        '**After the start:** 298 entries found · **87** read back and believed so far',
        '-# The change feed told every change made meanwhile: the rest is believed.',
        '**Refused:** 9 changed meanwhile (removed) · 3 not proven (stale, loaded anew) · 2 expired · 1 damaged (dropped)',
        '**Written:** at once: Configuration · every 30 s: Reference · when the bot ends: Query · never: User',
        '-# Since the start: 120 written · 4 not written (too large, or would not come back as they were) · 5 left for room · 6 failed',
      ].join('\n'),
    );
  });

  it.each([
    ['none', 'No change feed proves'],
    ['new', 'The change feed has only begun'],
    ['gap', 'The change feed has a gap'],
  ] as const)('says why nothing is believed where the proof is %s', (proof, words) => {
    expect(told({ proof, restored: 0 })).toContain(words);
    expect(told({ proof, restored: 0 })).toContain('counts as stale and is loaded anew');
  });

  it('says that nothing was there at a first start, and that nothing was refused where nothing was', () => {
    expect(told({ found: 0 })).toContain('it was empty, so nothing was restored');
    expect(told({ found: 0 })).not.toContain('Refused');
    expect(told()).toContain('**Refused:** nothing so far');
  });

  it('tells in a line what was found, believed and refused, and why', () => {
    expect(diskLine(diskStats({ outdated: 9, expired: 2 }), en)).toBe(
      '**Disk:** 312 entries · 298 entries found at the start, **87** read back and believed so far · refused 9 changed meanwhile (removed), 2 expired',
    );
    expect(diskLine(diskStats(), en)).not.toContain('refused');
    expect(diskLine(diskStats({ found: 0 }), en)).toContain('empty at the start');
  });

  it('says where a damaged file went, without the path of the host', () => {
    const text = told({ setAside: '/home/somebody/bot/data/cache.db.damaged-2026' });
    expect(text).toContain('renamed to `cache.db.damaged-2026`');
    expect(text).not.toContain('/home');
  });

  it('names few of many tiers', () => {
    const many = Array.from({ length: 20 }, (_, i) => policy({ tier: `t${i}`, label: `Mine ${i}` }));
    const { lines } = diskBlock({ disk: diskStats(), policies: many, intervalMs: undefined }, en);
    expect(lines.join('\n')).toContain('never: Mine 0, Mine 1, Mine 2, Mine 3, Mine 4, Mine 5 and 14 more');
  });

  it.each([
    ['failing', 'database or disk is full', 'the disk is full; memory goes on, and it is tried again'],
    ['failing', 'attempt to write a readonly database', 'the file may not be written; memory goes on'],
    ['failing', 'database is locked', 'another process holds the file; memory goes on'],
    [
      'off',
      "ENOTDIR: not a directory, mkdir '/home/x'",
      'the file cannot be opened; the cache works in memory',
    ],
    ['off', 'file is not a database', 'the file is damaged; the cache works in memory alone'],
    ['off', 'What /home/somebody/x says', '`What [path] says`; the cache works in memory alone'],
  ] as const)('says in plain words that it is %s: %s', (state, problem, words) => {
    expect(diskProblem(diskStats({ state, problem }))).toContain(words);
    expect(told({ state, problem })).toContain(`-# ${capitalised(words)}`);
    expect(told({ state, problem })).toContain('⚠️');
  });

  it('has no problem while it is ready', () => {
    expect(diskProblem(diskStats())).toBeUndefined();
  });
});

describe('the disks of several shards', () => {
  const withDisk = (over: Partial<DiskStats>) => cacheStats({ disk: diskStats(over) });

  it('are one where they share a file, and what each did adds up', () => {
    const { disk } = mergeStats([withDisk({ hits: 10, restored: 4 }), withDisk({ hits: 20, restored: 5 })]);
    expect(disk).toMatchObject({ entries: 312, found: 298, hits: 30, restored: 9, written: 240 });
  });

  it('add up where each has a file of its own, told by the one that is worst off', () => {
    const { disk } = mergeStats([
      withDisk({ path: '/a/cache.db' }),
      withDisk({ path: '/b/cache.db', state: 'off', problem: 'full' }),
      cacheStats(),
    ]);
    expect(disk).toMatchObject({ entries: 624, state: 'off', problem: 'full' });
  });
});

describe('the commands, with a disk layer', () => {
  let folder: string;
  const desks: Desk[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cachecord-disk-'));
  });
  afterEach(async () => {
    for (const made of desks.splice(0)) {
      for (const message of made.discord.messages) {
        expect(schemaIssues('IncomingWebhookInteractionRequest', message)).toEqual([]);
      }
      await made.stop();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const FEED: Provenance = {
    beginning: 'resumed',
    drain: () => true,
    position: () => 1,
    tellsOf: () => true,
  };

  function start(over: object = {}, feed = FEED): Desk {
    const made = desk({ cache: { disk_path: join(folder, 'cache.db'), ...over } });
    desks.push(made);
    made.cache.provenBy(feed);
    return made;
  }

  /** A bot that has kept a shop on disk and ended; and the next one. */
  async function restarted(feed = FEED): Promise<Desk> {
    const first = start();
    fillShop(first.cache);
    desks.length = 0;
    await first.stop();
    return start({}, feed);
  }

  it('/cache-info tells what a restart found and brought back, and the layers', async () => {
    const at = await restarted();
    for (let i = 0; i < 5; i++) at.cache.get(`products::p${i}`);
    await at.run('cache-info');
    expect(at.markdown).toContain('15 entries found at the start, **5** read back and believed so far');
    expect(at.markdown).toContain('disk (ok, ');
    await at.press('More about', { picks: 'disk' });
    expect(at.markdown).toContain('15 entries found · **5** read back and believed so far');
    expect(at.markdown).toContain('every 30 s: Configuration, Reference, Query · never: User');
    expect(at.markdown).not.toContain(folder);
    expect(at.markdown).not.toContain('… and');
  });

  it('/cache-info warns where the file cannot be used', async () => {
    const at = start({ disk_path: join(folder, 'no.db', 'x', '\u0001'.repeat(300)) });
    await at.run('cache-info');
    expect(at.markdown).toContain('Layer disk is degraded');
    expect(at.markdown).toContain('the cache works in memory alone until the next start');
  });

  it('/cache-info says in one quiet line that there is none', async () => {
    const at = desk();
    desks.push(at);
    await at.run('cache-info');
    expect(at.markdown).toContain('-# No disk layer: a restart begins with an empty cache.');
    expect(at.markdown).not.toContain('💽');
    await at.run('cache-stats');
    expect(at.markdown).not.toMatch(/disk/i);
  });

  it('/cache-stats tells hits of memory and of the disk apart', async () => {
    const at = await restarted();
    await at.run('cache-stats');
    expect(at.markdown).toContain('15 entries on disk come back as they are read.');
    for (let i = 0; i < 3; i++) at.cache.get('products::p1');
    at.cache.get('products::p2');
    await at.run('cache-stats');
    expect(at.markdown).toContain('**Total Hits:** 4 (memory 2 · disk 2)');
    expect(at.markdown).toContain('-# On disk: 15 entries, ');
  });

  it('/cache-stats and /cache-info tell of a key whether it is on disk', async () => {
    const at = await restarted();
    await at.run('cache-stats', { key: 'products::p1' });
    expect(at.markdown).toContain('**Tier:** Reference · **State:** fresh · **Layer:** disk');
    expect(at.markdown).toMatch(/\*\*Expires:\*\* <t:\d+:R>/);
    expect(at.markdown).toContain('**Size:** 0.1 kB as it is stored');
    expect(at.markdown).toContain('It is not in memory: the next read brings it back from disk.');
    await at.run('cache-info', { key: 'products::p1' });
    expect(at.markdown).toContain('It is not in memory: the next read brings it back from disk.');
    at.cache.get('products::p1');
    await at.run('cache-stats', { key: 'products::p1' });
    expect(at.markdown).toContain('**Layer:** memory and on disk');
    at.cache.set('user::1::profile', 1);
    await at.run('cache-info', { key: 'user::1::profile' });
    expect(at.markdown).toMatch(/\*\*State:\*\* .+ · in memory$/m);
  });

  it('/cache-info says of a key on disk that nothing proves that it counts as stale', async () => {
    const at = await restarted({ ...FEED, tellsOf: (key) => key !== 'config::limits' });
    await at.run('cache-info', { key: 'config::limits' });
    expect(at.markdown).toContain('**State:** counts as stale');
    expect(at.markdown).toContain('the next read loads it anew.');
  });

  it('/cache-info says of a key that has expired on disk that it is not cached', async () => {
    const at = await restarted();
    at.clock.advance(25 * 3_600_000);
    await at.run('cache-info', { key: 'config::limits' });
    expect(at.markdown).toContain('`config::limits` is not cached.');
  });

  it('/cache-stats lists what is on disk alone after what is in memory', async () => {
    const at = await restarted();
    at.cache.get('products::p1');
    await at.run('cache-stats', { view: 'keys' });
    expect(at.markdown).toContain('1 key in memory, 15 on disk · most hits first');
    expect(at.markdown).toMatch(/1\. `products::p1` — 1 hit/);
    expect(at.markdown).toMatch(/2\. `config::limits` — on disk · 0.1 kB · fresh for 24 h/);
    await at.press('Inspect a key', { picks: '1' });
    expect(at.markdown).toContain('🔎 On disk');
    await at.press('Back to the keys');
    await at.run('cache-stats', { view: 'keys', tier: 'config' });
    expect(at.markdown).toContain('Configuration tier · 0 keys in memory · most');
    expect(at.markdown).toMatch(/3\. `config::vip_tiers` — on disk/);
    expect(at.markdown).not.toContain('products');
  });

  it('autocomplete offers keys, namespaces and tiers that are on disk alone', async () => {
    const at = await restarted();
    at.cache.get('products::p7');
    const keys = (await at.type('cache-info', 'key', 'products::p')).map(({ value }) => value);
    expect(keys).toHaveLength(12);
    expect(keys[0]).toBe('products::p7');
    expect((await at.type('cache-stats', 'key', 'config::v')).map(({ value }) => value)).toEqual([
      'config::vip_tiers',
    ]);
    const wide = await at.type('cache-clear', 'pattern', '');
    expect(wide).toContainEqual({ value: 'all', name: 'Everything — 1 entry, 15 on disk' });
    expect(wide).toContainEqual({ value: 'tier:config', name: 'Configuration tier — on disk' });
    expect(wide).toContainEqual({ value: 'config::*', name: 'config::* — on disk' });
    expect(wide).toContainEqual({ value: 'products::*', name: 'products::* — 1 entry' });
    expect(wide).toContainEqual({ value: 'config::limits', name: 'config::limits' });
  });

  it('autocomplete offers long and hostile keys on disk as choices that Discord takes, and knows them again', async () => {
    const first = start();
    const hostile = [
      `config::${'x'.repeat(900)}`,
      'config::`@everyone` \u202e__bold__',
      'config::<@1>|[a](b)',
    ];
    for (const key of hostile) first.cache.set(key, 1);
    for (let i = 0; i < 60; i++) first.cache.set(`config::${'y'.repeat(200)}${i}`, 1);
    desks.length = 0;
    await first.stop();
    const at = start();
    const choices = await at.type('cache-info', 'key', 'config::');
    expect(choices).toHaveLength(25);
    for (const { name, value } of choices) {
      expect(name.length).toBeLessThanOrEqual(100);
      expect(name).not.toContain('\u202e');
      expect(value.length).toBeLessThanOrEqual(100);
      await at.run('cache-info', { key: value });
      expect(at.markdown).toContain('🔎 On disk');
      expect(outsideCode(at.markdown)).not.toMatch(/@everyone|__bold|<@1>|\u202e/);
    }
  });

  it('"did you mean" knows what is on disk alone', async () => {
    const at = await restarted();
    await at.run('cache-info', { key: 'config::limts' });
    expect(at.markdown).toContain('Closest: `config::limits`');
    await at.run('cache-clear', { pattern: 'prodcts:*' });
    expect(at.markdown).toContain('Did you mean `products:*` (12 entries)?');
    await at.run('cache-clear', { pattern: 'products::p77' });
    expect(at.markdown).toContain('Did you mean `products::p7` (1 entry)?');
  });

  it('/cache-clear lists on disk what it then removes, in a tier whose namespaces nobody named, too', async () => {
    const first = start();
    for (let i = 0; i < 3; i++) first.cache.set(`search::${i}`, i);
    desks.length = 0;
    await first.stop();
    const at = start();
    await at.run('cache-clear');
    const offered = JSON.stringify(at.discord.lastMessage);
    expect(offered).toContain('"value":"tier:query","description":"on disk"');
    expect(offered).toContain('"value":"search::*","description":"on disk"');
    await at.run('cache-clear', { pattern: 'tier:query', preview: true });
    expect(at.markdown).toContain('**0 in memory** (0 B), **3 on disk**');
    expect(at.markdown).toContain('Examples\n`search::0`\n`search::1`\n`search::2`');
    await at.run('cache-clear', { pattern: 'tier:query' });
    expect(at.markdown).toContain('Cleared 3 entries on disk');
    await at.run('cache-clear', { pattern: 'tier:query' });
    expect(at.markdown).toContain('Nothing matches');
  });

  it('/cache-stats clears a key that is on disk alone', async () => {
    const at = await restarted();
    await at.run('cache-stats', { key: 'products::p1' });
    await at.press('Clear this entry');
    expect(at.markdown).toContain('**Cleared 1 entry on disk** — `products::p1`');
    await at.run('cache-stats', { key: 'products::p1' });
    expect(at.markdown).toContain('`products::p1` is not cached.');
  });

  it('/cache-clear asks about what is on disk alone, and removes it', async () => {
    const at = await restarted();
    at.cache.get('products::p1');
    await at.run('cache-clear', { pattern: 'products:*' });
    expect(at.markdown).toContain('**1 in memory** (≈ ');
    expect(at.markdown).toContain('**12 on disk**');
    expect(at.markdown).toContain('12 loads');
    await at.press('Clear 1 entry (12 on disk)');
    expect(at.markdown).toContain('**Cleared 1 entry (12 on disk)** (≈ ');
    await at.run('cache-clear', { pattern: 'products:*' });
    expect(at.markdown).toContain('Nothing matches');
    expect(at.audit.some(({ outcome }) => outcome.endsWith('12 on disk'))).toBe(true);
  });

  it('/cache-clear of everything after a restart does not take an empty memory for an empty cache', async () => {
    const at = await restarted();
    await at.run('cache-clear');
    expect(at.said).toContain('15 on disk (asks again)');
    await at.run('cache-clear', { pattern: 'all' });
    expect(at.markdown).toContain('**0 in memory** (0 B), **15 on disk**');
    await at.press('Clear 15 entries on disk');
    expect(at.markdown).toContain('**Cleared 15 entries on disk**');
    const db = new Database(join(folder, 'cache.db'), { readonly: true });
    expect(db.prepare('SELECT count(*) FROM cache_storage').pluck().get()).toBe(0);
    db.close();
  });
});
