import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EntryReport } from '../../src/cache/entry-report.ts';
import type { CacheStats, Figures } from '../../src/cache/statistics/stats.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import type { ShardInfo, ShardReply } from '../../src/commands/shards/shards.ts';
import type { ClearTarget } from '../../src/commands/target.ts';
import * as clear from '../../src/commands/views/clear.ts';
import { formatFor } from '../../src/commands/views/format.ts';
import { type InfoModel, infoView } from '../../src/commands/views/info.ts';
import { absentView, inspectionView, storedView } from '../../src/commands/views/inspection.ts';
import { type KeyRow, keysView } from '../../src/commands/views/keys.ts';
import { lifetimeView } from '../../src/commands/views/lifetime.ts';
import { overviewView } from '../../src/commands/views/overview.ts';
import { policiesOn } from '../../src/commands/views/policies.ts';
import { render } from '../../src/commands/views/render.ts';
import { withActedRows, withInfoRows, withWritesRows } from '../../src/commands/views/shards.ts';
import * as states from '../../src/commands/views/states.ts';
import { tiersView } from '../../src/commands/views/tiers.ts';
import type { ControlId, Mention, View } from '../../src/commands/views/view.ts';
import * as warm from '../../src/commands/views/warm.ts';
import * as writes from '../../src/commands/views/writes.ts';
import type { FoundWrites } from '../../src/commands/writes-lookup.ts';
import { configNotices, parseConfig } from '../../src/config/config.ts';
import type { WriteBehindStats } from '../../src/write-behind/types.ts';
import { expectDiscordTakes, markdownOf, outsideCode } from './spoken.ts';
import {
  cacheStats,
  diskStats,
  figures,
  NO_FIGURES,
  NOW,
  POLICIES,
  policy,
  topKey,
  warmReport,
  warmTask,
} from './stats-data.ts';

const en = formatFor('en-US');
const de = formatFor('de');
const mention: Mention = (command) => `</${command}:1>`;
const id: ControlId = (action) => `cacheadmin:1:cache-stats:${action}:abcdefghijkl`;

/** The markdown a reader sees, in the default style. */
function said(view: View): string {
  return markdownOf(render(view, 'components'));
}

function infoModel(over: Partial<InfoModel> = {}): InfoModel {
  return {
    config: { ...parseConfig({}), source: { path: '/home/somebody/bot/config.json', readAt: NOW } },
    policies: POLICIES,
    stats: cacheStats(),
    warmers: [
      {
        warmer: 'startup',
        schedule: 'at start',
        lastRun: warmReport({ failed: 0 }),
        nextAt: null,
        dropped: 0,
        runs: 1,
      },
      {
        warmer: 'periodic',
        schedule: 'every 6 h ± 10 min',
        lastRun: null,
        nextAt: NOW + 3_600_000,
        dropped: 0,
        runs: 0,
      },
    ],
    configNotices: [],
    layers: [{ layer: 'memory', state: 'ok', detail: '45.2 MB of 100 MB' }],
    process: {
      heapUsedBytes: 92e6,
      heapLimitBytes: 4e9,
      residentBytes: 200e6,
      loopBusyRatio: 0.032,
      loopDelayP99Ms: 6,
      node: '24.21.0',
      discordJs: '14.28.1',
      plugin: '0.1.0',
      startedAt: NOW,
      guilds: 12,
      users: 3_401,
    },
    ...over,
  };
}

describe('/cache-stats, overview', () => {
  const shown = said(overviewView({ stats: cacheStats(), nextWarmAt: NOW }, en, mention));

  it('has the headings Performance, Memory Usage and Top Cached Entries', () => {
    for (const heading of [
      '📊 Cache Statistics',
      '🎯 Performance',
      '💾 Memory Usage',
      '🔥 Top Cached Entries',
    ]) {
      expect(shown).toContain(heading);
    }
  });

  it('tells hit rate, hits, misses and sets, and the last hour beside the whole', () => {
    expect(shown).toContain('**Hit Rate:** 85.3% — good · last hour 91.0% (▲ 5.7 points)');
    expect(shown).toContain('**Total Hits:** 1,234');
    expect(shown).toContain('**Total Misses:** 213 (loads 190 · joined 21 · failed 2)');
    expect(shown).toContain('**Total Sets:** 456 (fills 190 · writes 266)');
  });

  it('tells load times, and the database time and queries saved', () => {
    expect(shown).toContain('p50 0.4 ms · p99 104 ms · slowest 131 ms');
    expect(shown).toContain('**Database Time Saved:** ≈ 41 s · **Queries Saved:** 1,255');
  });

  it('tells what is used, the maximum, the usage with a bar, and removals by reason', () => {
    expect(shown).toContain('**Used:** ≈ 45.2 MB');
    expect(shown).toContain('**Max:** 100 MB');
    expect(shown).toContain('**Usage:** 45.2% ▰▰▰▰▰▱▱▱▱▱');
    expect(shown).toContain('**Entries:** 156');
    expect(shown).toContain('evicted 0 · expired 37 · invalidated 61 · replaced 104');
  });

  it('tells of old values served, timeouts, unchanged reloads and saved cost where there are any', () => {
    expect(shown).not.toMatch(/stale|Timed out|unchanged|Cost/);
    const total = figures({
      stale: { revalidating: 8, 'backing-off': 0, failed: 3, slow: 1 },
      timeouts: 2,
      unchanged: 40,
      savedCost: 1.25,
    });
    const text = said(overviewView({ stats: cacheStats({ total }), nextWarmAt: NOW }, en, mention));
    expect(text).toContain(
      'Served stale 12 (8 while reloading, 3 after a failure, 1 since the load was slow) · timed out 2 · unchanged reloads 40 · cost saved 1.25',
    );
  });

  it('lists the most used entries with their hits', () => {
    expect(shown).toContain('1. `products::gaming` — 234 hits · 12 kB · fresh for 11 h');
    expect(shown).toContain('3. `config::vip_tiers` — 45 hits · 2.1 kB · fresh for 23 h');
  });

  it('tells of an entry that is stale, and still served', () => {
    const stats = cacheStats({ topKeys: [topKey('products::vr', { freshForMs: -5 })] });
    expect(said(overviewView({ stats, nextWarmAt: NOW }, en, mention))).toContain('12 kB · stale');
  });

  it('says since when, as a time in the zone of the reader', () => {
    expect(shown).toContain(`Since start <t:${(NOW - 86_400_000) / 1_000}:R>`);
  });

  it('writes numbers as a German reader does', () => {
    const german = said(overviewView({ stats: cacheStats(), nextWarmAt: null }, de, mention)).replaceAll(
      '\u00a0',
      ' ',
    );
    expect(german).toContain('**Hit Rate:** 85,3 %');
    expect(german).toContain('**Total Hits:** 1.234');
    expect(german).toContain('≈ 45,2 MB');
  });

  it('shows a dash where nothing was looked up yet, and how to fill the cache', () => {
    const empty = cacheStats({ total: NO_FIGURES, topKeys: [], windows: [] });
    const text = said(overviewView({ stats: empty, nextWarmAt: null }, en, mention));
    expect(text).toContain('**Hit Rate:** —');
    expect(text).not.toMatch(/NaN|0\.0% {1,2}\(/);
    expect(text).toContain('The cache is empty.');
    expect(text).toContain('</cache-warm:1>');
  });

  it('says that a rate of few lookups is of few lookups', () => {
    const few = cacheStats({ total: figures({ lookups: 12, hits: 8, misses: 4, hitRate: 8 / 12 }) });
    const text = said(overviewView({ stats: few, nextWarmAt: null }, en, mention));
    expect(text).toContain('**Hit Rate:** 66.7% (only 12 lookups so far)');
    expect(text).not.toContain('good');
  });

  it('shows one tier alone when asked', () => {
    const text = said(overviewView({ stats: cacheStats(), tier: 'user', nextWarmAt: null }, en, mention));
    expect(text).toContain('User tier');
    expect(text).toContain('user::123456::profile');
    expect(text).not.toContain('products::gaming');
  });

  it('says that the cache is off, and how many reads went to the database', () => {
    const text = said(overviewView({ stats: cacheStats({ enabled: false }), nextWarmAt: null }, en, mention));
    expect(text).toContain('**The cache is off**');
    expect(text).toContain('Database reads so far: 190');
  });

  it('names the last failed load', () => {
    const stats = cacheStats({ lastFailure: { key: 'products::vr', message: 'SQLITE_BUSY', at: NOW } });
    expect(said(overviewView({ stats, nextWarmAt: null }, en, mention))).toMatch(
      /2 load failures, last .*: `products::vr` — `SQLITE_BUSY`/,
    );
  });
});

describe('/cache-stats, tiers', () => {
  const ttlMs = () => 3_600_000;
  const tier = (over: Partial<Figures>): CacheStats =>
    cacheStats({ tiers: [{ ...figures(over), tier: 'user', label: 'User' }] });

  it('gives each tier a verdict that its figures explain', () => {
    const verdict = (over: Partial<Figures>) => said(tiersView({ stats: tier(over), ttlMs }, en, id));
    expect(verdict({ savedMs: 9_000 })).toContain('User — pays off');
    expect(verdict({ lookups: 0, hitRate: null })).toContain('User — not used yet');
    expect(verdict({ lookups: 40 })).toContain('User — rarely read');
    expect(verdict({ savedMs: 100, weightBytes: 40 * 1_048_576, hitRate: 0.61 })).toContain(
      'User — costs more memory than it saves time',
    );
    expect(verdict({ savedMs: 200, weightBytes: 1_000, hitRate: 0.5 })).toContain(
      'User — saves little so far',
    );
  });

  it('tells hit rate, saved time, entries, size and ttl of each', () => {
    const text = said(tiersView({ stats: cacheStats(), ttlMs }, en, id));
    expect(text).toContain('hit rate **85.3%** of 1,447 lookups · saved ≈ 41 s');
    expect(text).toContain('156 entries · ≈ 45.2 MB · ttl 1 h');
  });

  it('tells what is beyond hits and loads of each, where it is not zero', () => {
    const beyond = {
      stale: { revalidating: 0, 'backing-off': 5, failed: 0, slow: 0 },
      timeouts: 1,
      savedCost: 2_400,
    };
    expect(said(tiersView({ stats: tier(beyond), ttlMs }, en, id))).toContain(
      '-# served stale 5 (5 while backing off) · timed out 1 · cost saved 2,400',
    );
    expect(said(tiersView({ stats: tier({}), ttlMs }, en, id))).not.toContain('served stale');
  });

  it('is short about what is not used yet', () => {
    const text = said(
      tiersView({ stats: cacheStats({ tiers: [{ ...NO_FIGURES, tier: 'x', label: 'X' }] }), ttlMs }, en, id),
    );
    expect(text).toContain('### X — not used yet\nnothing was looked up or kept · ttl 1 h');
    expect(text).not.toContain('hit rate');
  });

  const many = (count: number): CacheStats =>
    cacheStats({
      tiers: Array.from({ length: count }, (_, i) => ({ ...figures(), tier: `t${i}`, label: `Tier ${i}` })),
    });

  it('shows eight tiers a page, each whole in both styles, and where it is among how many', () => {
    const body = (page: number, style: 'components' | 'embeds' = 'components') =>
      render(tiersView({ stats: many(20), ttlMs, page }, en, id), style);
    for (const style of ['components', 'embeds'] as const) {
      for (const page of [0, 1, 2]) {
        const text = markdownOf(body(page, style));
        expect(text.match(/hit rate \*\*/g)).toHaveLength(page === 2 ? 4 : 8);
        expect(text).not.toContain('more');
      }
    }
    expect(markdownOf(body(2))).toContain('Tier 19 — pays off');
    expect(markdownOf(body(99))).toContain('Tier 19 — pays off');
    expect(JSON.stringify(body(1))).toContain('"2/3"');
    expect(markdownOf(body(1))).toContain('20 tiers');
  });

  it('has no pages where one holds all', () => {
    expect(JSON.stringify(render(tiersView({ stats: many(8), ttlMs }, en, id), 'components'))).not.toContain(
      '▶',
    );
  });
});

describe('/cache-stats, one key', () => {
  const report: EntryReport = {
    key: 'character::1',
    namespace: 'character',
    tier: 'character',
    createdAt: NOW,
    staleAt: NOW + 300_000,
    expiresAt: NOW + 3_900_000,
    ttlReason: undefined,
    uncompressedBytes: undefined,
    hits: 3,
    weightBytes: 4_096,
    loadMs: 12,
    shape: 'object (7 fields)',
    tags: [],
    dependsOn: [],
  };
  const inspected = (over: Partial<EntryReport>, now = NOW) =>
    said(
      inspectionView(
        { report: { ...report, ...over }, tierLabel: 'Character', now, reloads: undefined, hasBack: false },
        en,
        id,
      ),
    );

  it('tells when it goes stale and when it is gone, or since when it is stale', () => {
    const [stale, gone] = [report.staleAt, report.expiresAt].map((at) => `<t:${at / 1_000}:R>`);
    expect(inspected({})).toContain(`**Goes stale:** ${stale} · **Expires:** ${gone}`);
    expect(inspected({})).toContain('**State:** fresh');
    expect(inspected({}, NOW + 300_000)).toContain(`**Stale since:** ${stale} · **Expires:** ${gone}`);
    expect(inspected({}, NOW + 300_000)).toContain('**State:** stale');
  });

  it('tells one instant where the two are one', () => {
    const text = inspected({ expiresAt: report.staleAt });
    expect(text).toContain(`· **Expires:** <t:${report.staleAt / 1_000}:R>`);
    expect(text).not.toContain('tale:');
  });

  it('tells why its ttl is what it is, and its size before compression', () => {
    const text = inspected({ ttlReason: 'adaptive: unchanged at 3 reloads', uncompressedBytes: 16_384 });
    expect(text).toContain('**Ttl:** `adaptive: unchanged at 3 reloads`');
    expect(text).toContain('**Size:** ≈ 4 kB (16 kB before compression)');
    expect(inspected({})).not.toContain('**Ttl:**');
  });

  describe('/cache-info', () => {
    const character = policy({
      tier: 'character',
      label: 'Character',
      ttlMs: 300_000,
      graceMs: 3_600_000,
      namespaces: ['character'],
    });
    const explained = (over: Partial<EntryReport>, tier: Partial<TierPolicy> = {}, now = NOW) =>
      said(
        lifetimeView({ report: { ...report, ...over }, policy: { ...character, ...tier }, now }, en, mention),
      );

    it('explains the tier, the ttl with its place in config.json, and the policies', () => {
      const text = explained({});
      expect(text).toContain('**Tier:** Character — by its namespace `character`');
      expect(text).toContain('**Ttl of the tier:** 300 s (5 min) (`cache.tiers.character.ttl`)');
      expect(text).toContain('**Ttl of this entry:** 300 s (5 min) — as the tier says');
      expect(text).toContain('fresh for another 5 min');
      expect(text).toContain('**Grace** — when a load fails, the old value is served for up to 1 h');
    });

    it('tells a ttl of a minute and more in whole seconds, as jitter leaves thousandths', () => {
      const text = explained({ staleAt: report.createdAt + 290_441 }, { jitterRatio: 0.05 });
      expect(text).toContain('**Ttl of this entry:** 290 s (4.8 min) — as the tier says, less the jitter');
    });

    it.each([
      [
        'an adaptive ttl',
        { ttlReason: 'adaptive: unchanged at 3 reloads' },
        '— `adaptive: unchanged at 3 reloads`',
      ],
      ['jitter', { staleAt: NOW + 290_000 }, '— as the tier says, less the jitter of up to 5.0%'],
      ['a loader or a call', { staleAt: NOW + 5_000 }, '— its call or its loader says so'],
      ['"no such row"', { staleAt: NOW + 30_000, shape: 'null' }, '— as the tier says for "no such row"'],
      [
        'an endless one',
        { staleAt: Number.POSITIVE_INFINITY },
        'without end — its call or its loader says so',
      ],
    ])('explains a ttl that comes from %s', (_, over, words) => {
      expect(explained(over)).toContain(words);
    });

    it('says where a built-in tier has its ttl, and why a key is in it', () => {
      const text = explained({}, { tier: 'query', namespaces: ['query'] });
      expect(text).toContain('`cache.ttl_query`');
      expect(text).toContain('no tier names the namespace `character`, or its call says so');
    });

    it('says since when it is stale', () => {
      const text = explained({}, {}, NOW + 400_000);
      expect(text).toContain('**State:** stale\n');
      expect(text).toContain('**Stale since:** <t:');
    });
  });
});

describe('/cache-stats, keys', () => {
  const rows: KeyRow[] = Array.from({ length: 156 }, (_, i) => ({
    key: `products::p${i}`,
    tier: 'reference',
    hits: 156 - i,
    weightBytes: i,
    freshForMs: 1_000,
    createdAt: NOW + i,
  }));

  it('shows ten a page, and where it is among how many', () => {
    const body = render(keysView({ rows, order: 'hits', page: 0, resident: 156 }, en, id), 'components');
    const text = markdownOf(body);
    expect(text.match(/^\d+\. /gm)).toHaveLength(10);
    expect(JSON.stringify(body)).toContain('"1/16"');
  });

  it('orders by size, age and expiry, too', () => {
    const text = said(keysView({ rows, order: 'size', page: 0, resident: 156 }, en, id));
    expect(text).toContain('1. `products::p155`');
  });

  it('brings a page beyond the end back to the last one', () => {
    expect(said(keysView({ rows, order: 'hits', page: 99, resident: 156 }, en, id))).toContain(
      '156. `products::p155`',
    );
  });
});

describe('/cache-clear', () => {
  const preview = {
    entries: 42,
    weightBytes: 1.3 * 1_048_576,
    loads: 0,
    stored: 0,
    examples: ['products::gaming', 'products::software', 'products::vr'],
    tiers: [
      { tier: 'reference', entries: 40, weightBytes: 1 },
      { tier: 'query', entries: 2, weightBytes: 1 },
    ],
  };
  const question = (target: ClearTarget) =>
    clear.previewView(
      {
        target,
        preview,
        tierLabel: (name) => POLICIES.find((policy) => policy.tier === name)?.label ?? name,
        reloadMs: 300,
        expiresAt: NOW,
        canWarm: true,
      },
      en,
      id,
    );

  it('tells what would go before it asks, and names the count on the button', () => {
    const body = render(question({ kind: 'pattern', text: 'products:*' }), 'components');
    const text = markdownOf(body);
    expect(text).toContain('Pattern `products:*` → **42 entries**, ≈ 1.3 MB');
    expect(text).toContain('Reference (40) · Query (2)');
    expect(text).toContain('… and 39 more');
    expect(text).toContain('The database is not changed.');
    expect(JSON.stringify(body)).toMatch(/"Cancel".*"Clear 42 entries"/);
  });

  it('offers to warm after clearing everything', () => {
    const body = JSON.stringify(render(question({ kind: 'all', text: 'all' }), 'components'));
    expect(body).toContain('Clear the whole cache?');
    expect(body).toContain('Clear and warm');
  });

  it('tells how much went, how long it took, and which loads were discarded', () => {
    const removal = { entries: 42, weightBytes: 1_363_149, loads: 2 };
    const model = { target: 'products:*', removal, stored: 0, ms: 3, reference: 'CA-7F3K', warm: undefined };
    const text = said(clear.clearedView(model, en));
    expect(text).toContain('**Cleared 42 entries** (≈ 1.3 MB) — `products:*` — in 3 ms.');
    expect(text).toContain('2 loads in flight were discarded, not stored.');
    expect(text).toContain('CA-7F3K');
  });

  it('suggests the nearest where nothing matches', () => {
    const text = said(clear.nothingMatchesView('prodcts:*', { text: 'products:*', entries: 42 }, en));
    expect(text).toContain('Nothing matches `prodcts:*`.');
    expect(text).toContain('Did you mean `products:*` (42 entries)?');
    expect(text).toContain('Nothing was changed.');
  });
});

describe('/cache-warm', () => {
  it('shows each task with a bar while it runs', () => {
    const report = warmReport({
      state: 'running',
      tasks: [
        warmTask({ state: 'running', warmed: 28 }),
        warmTask({ task: 'discounts', state: 'waiting', warmed: 0 }),
      ],
    });
    const text = said(warm.warmingView({ report, scopeText: 'reference', joined: false }, en, id));
    expect(text).toContain('**`products`** ▰▰▰▰▰▰▰▱▱▱ 28 / 40 · 900 ms');
    expect(text).toContain('**`discounts`** — waiting');
  });

  it('says who began a run that it joined', () => {
    const report = warmReport({ state: 'running', trigger: 'periodic' });
    const text = said(warm.warmingView({ report, scopeText: 'reference', joined: true }, en, id));
    expect(text).toContain('by the periodic run: you have joined that run.');
  });

  it('ends with what was warmed, how long it took and what failed', () => {
    const model = { report: warmReport(), scopeText: 'reference', joined: false, reference: 'CA-9QX2' };
    const body = render(warm.warmedView(model, en, mention, id), 'components');
    const text = markdownOf(body);
    expect(text).toContain('**Warmed 40 of 54 keys** in 1.8 s; 12 were fresh and left alone.');
    expect(text).toContain('`products::vr` — `SQLITE_BUSY: database is locked`');
    expect(JSON.stringify(body)).toContain('Try again');
  });

  it('says of a single key that failed that it failed, and no more', () => {
    const failures = [{ key: 'query::top', message: 'too slow' }];
    const task = warmTask({ state: 'failed', total: 1, warmed: 0, skipped: 0, failures, ms: 2_500 });
    const model = { report: warmReport({ tasks: [task] }), scopeText: 'all', joined: false };
    const text = markdownOf(
      render(warm.warmedView({ ...model, reference: 'CA-9QX2' }, en, mention, id), 'components'),
    );
    expect(text).toContain('**`products`** — failed · 2.5 s\n');
  });
});

describe('/cache-info', () => {
  const text = said(infoView(infoModel(), en, mention));

  it('tells configuration, ttls and what each tier holds', () => {
    expect(text).toContain('**max_size_mb** 100');
    expect(text).toContain('**Reference** — ttl 43,200 s (12 h) · 156 entries, ≈ 45.2 MB');
    expect(text).toContain('`config.json`, read <t:');
  });

  it('tells warmers, layers, versions, heap and event-loop delay', () => {
    expect(text).toContain('memory (ok, 45.2 MB of 100 MB)');
    expect(text).toMatch(/\*\*Warmers:\*\* Startup last <t:\d+:R> · Periodic next <t:\d+:R>/);
    expect(text).toContain('event loop 3.2% busy, delay p99 6 ms · Cachecord 0.1.0');
    const page = (name: string) => said(infoView(infoModel({ page: name }), en, mention));
    expect(page('warmers')).toMatch(
      /\*\*Startup\*\* — at start · last <t:\d+:R>: 40 keys in 1\.8 s, 12 fresh already/,
    );
    expect(page('warmers')).toContain('**Periodic** — every 6 h ± 10 min · not run yet · next <t:');
    expect(page('process')).toContain('Node 24.21.0 · discord.js 14.28.1 · Cachecord 0.1.0');
    expect(page('process')).toContain('event loop 3.2% busy, delay p99 6 ms');
  });

  it('tells how the change feed began, how far it is, and what it could not follow', () => {
    const feed = {
      ...({ beginning: 'resumed', position: 1_042, readers: 2 } as const),
      ...{ changes: 31, invalidations: 17, widened: 0, gaps: 0 },
    };
    const told = (over: Partial<typeof feed>) =>
      said(
        infoView(infoModel({ page: 'feed', stats: cacheStats({ feed: { ...feed, ...over } }) }), en, mention),
      );
    expect(told({})).toContain('**Began:** where the last process stopped');
    expect(told({})).toContain('31 changes, 17 invalidations · at position 1,042 · 2 readers');
    expect(told({})).not.toContain('large write');
    expect(told({ widened: 1, gaps: 2 })).toContain('1 large write not followed row by row');
    expect(told({ gaps: 2 })).toContain('The whole cache was cleared 2 times');
    expect(text).not.toContain('Change feed');
    const stats = cacheStats({ feed });
    const feedBeside = ['⚠️ **Shard 1** — began with a gap.'];
    const beside = { disk: [], files: undefined, feed: feedBeside, writes: [], journals: 0 };
    expect(said(infoView(infoModel({ stats, beside }), en, mention))).toContain('**Shard 1** — began with');
  });

  it("says that it is not about discord.js's caches, and how patterns are written", () => {
    expect(text).toContain("not discord.js's caches (12 guilds, 3,401 users)");
    expect(said(infoView(infoModel({ page: 'patterns' }), en, mention))).toContain('`products:*` a prefix');
  });

  const everything: TierPolicy = policy({
    tier: 'character',
    label: 'Character',
    description: '',
    ttlMs: 300_000,
    namespaces: ['character'],
    graceMs: 3_600_000,
    graceBackoffMs: 20_000,
    staleWhileRevalidateMs: 60_000,
    softTimeoutMs: 250,
    hardTimeoutMs: 10_000,
    refreshAheadRatio: 0.8,
    earlyRefreshBeta: 1,
    adaptiveTtl: { minMs: 60_000, maxMs: 7_200_000 },
    compressAboveBytes: 16_384,
    maxEntryBytes: 262_144,
    skipEmpty: true,
    when: () => true,
    persist: 'periodic',
    cost: () => 1,
  });
  const withTier = (over: Partial<InfoModel>) =>
    said(infoView(infoModel({ policies: [...POLICIES, everything], ...over }), en, mention));

  it("shows the author's own tiers with the policies that are on by name", () => {
    expect(withTier({})).toContain(
      '-# Policies of Character: adaptive ttl, refresh-ahead, early refresh, stale-while-revalidate, grace, soft timeout, hard timeout, compression, size limit, skips empty, condition, cost',
    );
    expect(withTier({})).toContain('**Character** — ttl 300 s (5 min) · empty\n');
  });

  it('says what all tiers have once', () => {
    const policies = POLICIES.map((one) => ({ ...one, graceMs: 1_000 }));
    expect(said(infoView(infoModel({ policies }), en, mention)).match(/grace/gi)).toHaveLength(1);
  });

  it('is short while all is well, however much there is', () => {
    const stats = cacheStats({ disk: diskStats() });
    expect(said(infoView(infoModel({ stats }), en, mention)).length).toBeLessThan(1_200);
  });

  it('offers a page for each part there is, and for each tier', () => {
    const body = JSON.stringify(render(infoView(infoModel(), en, mention, id), 'components'));
    for (const value of ['overview', 'warmers', 'process', 'patterns', 'tier:user']) {
      expect(body).toContain(`"value":"${value}"`);
    }
    expect(body).not.toContain('"value":"disk"');
  });

  it('tells every policy of one tier in plain words, and where to change it', () => {
    const text = withTier({ tier: 'character' });
    for (const words of [
      'doubles when a reload finds it unchanged and halves when it has changed, from 1 min to 2 h.',
      'a read after 80.0% of the ttl (4 min) starts a load behind.',
      '(strength 1).',
      'for 1 min after the ttl the old value is served at once, while one load runs behind.',
      'served for up to 1 h after the ttl; its source is asked again after 20 s.',
      'a load slower than 250 ms is answered with the old value; it goes on and fills.',
      'a load slower than 10 s is ended.',
      'values over 16 kB are kept compressed.',
      'values over 256 kB are served and not kept.',
      'empty values are served and not kept.',
      "the bot's code decides which values are kept.",
      'entries would be written to disk every so often, and there is no disk layer.',
      'what hits save is added up.',
      'its ttl is `cache.tiers.character.ttl`, its policies are in `cache.tiers.character`',
    ]) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain('… and');
    expect(policiesOn(everything, en, false)).toHaveLength(13);
  });

  it('says so where no policy is on', () => {
    expect(withTier({ tier: 'query' })).toContain(
      'None is on: at the end of its ttl an entry is loaded anew.',
    );
    expect(withTier({ tier: 'query' })).toContain('`cache.ttl_query`');
  });

  it('shows all of twenty tiers in both styles', () => {
    const policies = [
      ...POLICIES,
      ...Array.from({ length: 16 }, (_, i) => policy({ tier: `t${i}`, label: `Mine ${i}`, description: '' })),
    ];
    for (const style of ['components', 'embeds'] as const) {
      const body = markdownOf(render(infoView(infoModel({ policies }), en, mention), style));
      for (const { label } of policies) expect(body).toContain(`**${label}** — ttl`);
    }
  });

  it('keeps the paths of the host to itself', () => {
    expect(text).not.toContain('/home');
  });

  it('gives notice of a user ttl that is longer than that of reference data', () => {
    const config = parseConfig({ cache: { ttl_user: 90_000 } });
    const text = said(infoView(infoModel({ config, configNotices: configNotices(config) }), en, mention));
    expect(text).toContain('`ttl_user` is longer than `ttl_reference`');
  });
});

describe('states', () => {
  it('tells strangers nothing but that it is not for them', () => {
    const text = said(states.notAllowed());
    expect(text).toContain("You can't use this.");
    expect(text).not.toMatch(/\d/);
  });

  it('tells owners the first line of a cause, without paths and secrets', () => {
    const cause =
      'connect redis://admin:hunter2@cache.local:6379 in /srv/bot/src/db.ts failed\n    at Object.<anonymous>';
    const text = said(states.failure('CA-7F3K', cause));
    expect(text).toContain('CA-7F3K');
    expect(text).toContain('connect redis://[credentials]@cache.local:6379 in [path] failed');
    expect(text).not.toMatch(/hunter2|srv|anonymous/);
  });

  it('tells others the reference alone', () => {
    expect(said(states.failure('CA-7F3K'))).not.toContain('Cause');
  });
});

// Keys that try to break out: markup, mentions, code, directions, lines, length, lone surrogates.
const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '@everyone',
    '<@123456789012345678>',
    '`` ` ```',
    '**bold** __x__ ||spoiler|| [a](https://example.com)',
    '\u202egnp.exe\u2066',
    'a\nb\r\n# heading\n> quote',
    '</cache-clear:1>',
    '<t:0:R>',
    '\ud800',
    '\\`',
    '',
    ' ',
    'x'.repeat(10_000),
    '`'.repeat(10_000),
    '😀'.repeat(5_000),
  ),
);
const hostileNumber = fc.oneof(
  fc.double(),
  fc.nat(),
  fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e308, Number.MAX_SAFE_INTEGER),
);

const hostileFigures: fc.Arbitrary<Figures> = fc
  .tuple(fc.array(hostileNumber, { minLength: 20, maxLength: 20 }), fc.boolean(), fc.boolean())
  .map(([numbers, hasTimes, hasRate]) => {
    const n = (i: number) => numbers[i] ?? 0;
    return figures({
      lookups: n(0),
      hits: n(1),
      diskHits: n(6),
      misses: n(2),
      hitRate: hasRate ? n(3) : null,
      joined: n(4),
      loads: n(5),
      failures: n(6),
      sets: n(7),
      fills: n(8),
      writes: n(9),
      entries: n(10),
      weightBytes: n(11),
      savedMs: n(12),
      loadTimes: hasTimes ? { count: n(13), meanMs: n(14), p50Ms: n(15), p99Ms: n(16), maxMs: n(17) } : null,
      refusals: { invalidated: n(18), 'too-large': n(19), unsafe: n(0), 'not-wanted': n(1) },
      removals: { evicted: n(2), expired: n(3), invalidated: n(4), replaced: n(5) },
      timeouts: n(6),
      unchanged: n(7),
      stale: { revalidating: n(8), 'backing-off': n(9), failed: n(10), slow: n(11) },
      savedCost: n(12),
    });
  });

/** A tier with every policy on, at whatever numbers. */
function hostilePolicy(tier: string, text: string, n: number): TierPolicy {
  return policy({
    tier,
    label: `Label of ${tier}`,
    description: tier.endsWith('1') ? '' : 'A description. '.repeat(10),
    ttlMs: n,
    negativeTtlMs: n,
    jitterRatio: n,
    namespaces: Array.from({ length: 30 }, () => text),
    graceMs: n,
    graceBackoffMs: n,
    staleWhileRevalidateMs: n,
    softTimeoutMs: n,
    hardTimeoutMs: n,
    refreshAheadRatio: n,
    earlyRefreshBeta: n,
    adaptiveTtl: { minMs: n, maxMs: n },
    compressAboveBytes: n,
    maxEntryBytes: n,
    skipEmpty: true,
    when: () => true,
    persist: 'on_change',
    cost: () => n,
  });
}

const hostileStats: fc.Arbitrary<CacheStats> = fc
  .record({
    enabled: fc.boolean(),
    total: hostileFigures,
    tierFigures: fc.array(hostileFigures, { maxLength: 40 }),
    texts: fc.array(hostileText, { minLength: 40, maxLength: 40 }),
    at: hostileNumber,
    maxWeightBytes: hostileNumber,
    loading: hostileNumber,
  })
  .map(({ enabled, total, tierFigures, texts, at, maxWeightBytes, loading }) =>
    cacheStats({
      enabled,
      sinceAt: at,
      maxWeightBytes,
      total,
      loading,
      tiers: tierFigures.map((row, i) => ({ ...row, tier: `tier${i}`, label: `Tier ${i}` })),
      namespaces: texts.map((namespace, i) => ({
        ...total,
        namespace,
        tier: `tier${i % 3}`,
        entries: i + 1,
      })),
      topKeys: texts.map((key, i) =>
        topKey(key, {
          hits: total.hits,
          weightBytes: i % 3 === 0 ? undefined : total.weightBytes,
          freshForMs: at,
        }),
      ),
      lastFailure: { key: texts[0] ?? '', message: texts[1] ?? '', at },
      disk: diskStats({
        path: texts[2] ?? '',
        state: (['ready', 'failing', 'off'] as const)[texts.length % 3] ?? 'ready',
        problem: texts[3],
        setAside: texts[4],
        found: loading,
        outdated: loading,
        restored: loading,
        unproven: total.hits,
        entries: total.entries,
        bytes: total.weightBytes,
        maxBytes: maxWeightBytes,
        hits: total.hits,
        expired: total.hits,
        damaged: total.hits,
        evicted: total.hits,
        failures: total.hits,
        refused: total.hits,
      }),
    }),
  );

/** Each page of `/cache-info` of a hundred shards, where nothing is as it should be. */
function infoPages(
  stats: CacheStats,
  policies: readonly TierPolicy[],
  texts: readonly string[],
  count: number,
): View[] {
  const counts = { changes: count, invalidations: count, widened: 3, gaps: 3, readers: count };
  const feed = { beginning: 'gap', position: count, ...counts } as const;
  const pending = writeFigures(texts, count);
  const rows = Array.from({ length: 100 }, (_, shard): ShardReply<ShardInfo> => {
    if (shard % 3 === 0) return { shard, ok: false, problem: `is not running (${shard})` };
    const [heapUsedBytes, residentBytes] = [count, count];
    const process = { heapUsedBytes, residentBytes, startedAt: count, guilds: count };
    const held = { entries: count, weightBytes: count, maxWeightBytes: count };
    return { shard, ok: true, value: { ...held, ...process, disk: stats.disk, feed, writes: pending } };
  });
  const trouble = Array.from({ length: 60 }, (_, shard) => `⚠️ **Shard ${shard}** — ${'x'.repeat(80)}`);
  const beside = {
    disk: trouble,
    files: '2 files for 60 shards.',
    feed: trouble,
    writes: trouble,
    journals: 60,
  };
  const model = infoModel({ stats: { ...stats, feed }, policies, writeBehind: pending, beside });
  return ['overview', 'disk', 'feed', 'writes', 'warmers', 'process', 'patterns'].map((page) =>
    withInfoRows(infoView({ ...model, page }, de, mention, id), rows, 1, en),
  );
}

function writeFigures(texts: readonly string[], count: number): WriteBehindStats {
  const counts = { waiting: count, inFlight: count, held: count, saved: count, coalesced: count };
  const writers = texts.map((name, i) => ({
    ...{ name, ...counts, retried: count, refused: count, dead: count, oldestAt: count },
    isClaimed: i % 2 === 0,
    lastFailure: { message: name, at: count },
  }));
  const sums = { waiting: count, dead: count, saved: count, oldestAt: count };
  return { journal: texts[0] ?? '', survives: 'kill', writers, ...sums };
}

/** What `/cache-writes` says of a hundred shards. */
function writesViews(texts: readonly string[], count: number): View[] {
  const [key = '', name = ''] = texts;
  const letters = texts.map((error, i) => {
    const letter = { id: Number.MAX_SAFE_INTEGER - i, name, key, error };
    return { ...letter, attempts: count, deadAt: count, shard: 100_000 + i };
  });
  const figures = writeFigures(texts, count);
  const found = { figures, count, letters, selection: 'all', isByNumber: false } as const;
  const rows = Array.from({ length: 100 }, (_, shard): ShardReply<FoundWrites | null> => {
    if (shard % 3 === 0) return { shard, ok: false, problem: 'is not running' };
    return { shard, ok: true, value: shard % 3 === 1 ? found : null };
  });
  const view = writes.writesView({ figures, letters, journals: 100 }, de, mention);
  return [
    withWritesRows(view, rows, en),
    writes.writesView(
      { figures: { ...figures, writers: [], dead: 0 }, letters: [], journals: 1 },
      en,
      mention,
    ),
    withActedRows(
      writes.retriedView(count, key, 'CA-7F3K', en, mention),
      rows.map((row) => (row.ok ? { ...row, value: count } : row)),
      'being saved again',
      en,
    ),
    writes.dropQuestionView({ target: key, count, letters, expiresAt: count }, en, id),
    writes.droppedView(count, key, 'CA-7F3K', en),
    writes.notDroppedView('Cancelled.'),
    writes.whichShardView(letters),
    writes.noSuchWriteView(key, texts),
  ];
}

/** Every view there is, over the same hostile statistics. */
function everyView(stats: CacheStats, texts: readonly string[], count: number): View[] {
  const [key = '', other = ''] = texts;
  const rows = stats.topKeys.map((row) => ({ ...row, createdAt: stats.sinceAt }));
  const report: EntryReport = {
    key,
    namespace: other,
    tier: 'user',
    createdAt: count,
    staleAt: count > 0 ? Number.POSITIVE_INFINITY : stats.sinceAt,
    expiresAt: Number.POSITIVE_INFINITY,
    ttlReason: other,
    uncompressedBytes: count,
    hits: count,
    weightBytes: count,
    loadMs: count,
    shape: 'object (7 fields)',
    tags: texts,
    dependsOn: texts,
  };
  const removal = { entries: count, weightBytes: count, loads: count };
  const preview = {
    ...removal,
    stored: count,
    examples: texts,
    tiers: stats.tiers.map((row) => ({ tier: row.tier, entries: count, weightBytes: count })),
  };
  const run = warmReport({
    total: count,
    ms: count,
    startedAt: count,
    tasks: texts.map((task) =>
      warmTask({
        task,
        state: 'running',
        total: count,
        ms: count,
        failures: texts.map((one) => ({ key: one, message: one })),
      }),
    ),
  });
  const warming = { report: run, scopeText: 'everything', joined: true };
  const question = (target: ClearTarget) =>
    clear.previewView(
      {
        target,
        preview,
        tierLabel: (tier) => tier,
        reloadMs: count,
        expiresAt: count,
        canWarm: true,
        before: count,
      },
      en,
      id,
    );
  const options = texts.map((text, i) => ({ label: text.slice(0, 90) || '—', value: String(i) }));
  const policies = stats.tiers.map(({ tier }) => hostilePolicy(tier, key, count));
  const overview = overviewView({ stats, nextWarmAt: count }, en, mention);
  return [
    overview,
    overviewView({ stats, nextWarmAt: count, tier: 'tier0' }, de, mention),
    tiersView({ stats, ttlMs: () => count, page: count }, en, id),
    keysView({ rows, order: 'expiry', page: count, resident: count }, en, id),
    inspectionView({ report, tierLabel: 'User', now: count, reloads: 'this user', hasBack: true }, en, id),
    storedView(
      {
        report: { ...report, bytes: count, isProven: count > 0, tags: texts, dependsOn: texts },
        tierLabel: 'User',
        now: stats.at,
        hasBack: true,
      },
      de,
      id,
    ),
    keysView(
      {
        rows: rows.map((row) => ({ ...row, isOnDiskAlone: true })),
        order: 'size',
        page: 0,
        resident: 0,
        stored: count,
      },
      de,
      id,
    ),
    absentView(key, other, id),
    absentView(key, other),
    lifetimeView({ report, policy: hostilePolicy('character', key, count), now: stats.at }, de, mention),
    lifetimeView({ report, policy: policy({ namespaces: [other] }), now: count }, en, mention),
    states.noSuchTier(key, other, texts),
    question({ kind: 'all', text: 'all' }),
    question({ kind: 'pattern', text: key }),
    question({ kind: 'tag', text: key, tag: key }),
    clear.previewOnlyView(
      { target: { kind: 'key', text: key }, preview, tierLabel: (tier) => tier, reloadMs: count },
      en,
    ),
    clear.clearedView(
      {
        target: key,
        removal,
        stored: count,
        ms: count,
        reference: 'CA-7F3K',
        warm: { id: id('x'), label: 'Warm' },
      },
      en,
    ),
    clear.nothingMatchesView(key, { text: other, entries: count }, en, id),
    clear.badPatternView(key, 'A pattern cannot be empty.', mention),
    clear.chooseView(options, count, id),
    clear.alreadyEmptyView(),
    clear.notConfirmedView(),
    clear.cancelledView(),
    warm.warmingView(warming, en, id),
    warm.continuesView(warming, '300000000000000009', de),
    warm.warmedView({ ...warming, reference: 'CA-7F3K' }, en, mention, id),
    warm.noSuchScopeView(key, texts),
    warm.chooseUserView(id),
    infoView(infoModel({ stats }), en, mention),
    infoView(infoModel({ stats, tier: 'user' }), de, mention),
    infoView(infoModel({ stats, policies }), en, mention),
    infoView(infoModel({ stats, policies, tier: 'tier1' }), en, mention),
    ...infoPages(stats, policies, texts, count),
    ...writesViews(texts, count),
    states.notAllowed(),
    states.tooOften(count),
    states.failure('CA-7F3K', key),
    states.oldPanel(mention, 'cache-stats'),
    states.notYours(mention, 'cache-stats'),
    states.alreadyDone('42 entries cleared.'),
    states.disabledCache(),
    states.stopped(),
    states.expired(overview, mention, 'cache-stats'),
  ];
}

describe('every view', () => {
  it("fits Discord's limits and schema in both styles, whatever keys and numbers there are", {
    timeout: 60_000,
  }, () => {
    fc.assert(
      fc.property(
        hostileStats,
        fc.array(hostileText, { minLength: 1, maxLength: 25 }),
        hostileNumber,
        (stats, texts, count) => {
          for (const view of everyView(stats, texts, count)) {
            expectDiscordTakes(render(view, 'components'));
            expectDiscordTakes(render(view, 'embeds'));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('shows keys as text: nothing of a key renders as markup or mention', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(hostileText, (tail) => {
        // A mark that no view writes itself, at both ends, so that the middle cannot have been cut away with it.
        const key = `ZQX${tail}ZQX`;
        const stats = cacheStats({
          topKeys: [topKey(key)],
          lastFailure: { key, message: key, at: NOW },
          namespaces: [
            { ...figures(), namespace: key, tier: 'user' },
            { ...figures(), namespace: `${key}2`, tier: 'user' },
          ],
        });
        for (const view of everyView(stats, [key], 3)) {
          for (const style of ['components', 'embeds'] as const) {
            const markdown = markdownOf(render(view, style));
            expect(outsideCode(markdown)).not.toContain('ZQX');
            expect(outsideCode(markdown)).not.toMatch(/@everyone|<@\d|\|\||\]\(/);
            expect(markdown).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('says what was left out', () => {
    const lines = Array.from({ length: 400 }, (_, i) => `${i}. ${'x'.repeat(50)}`);
    const body = render({ tone: 'normal', title: 'Many', blocks: [{ lines }] }, 'components');
    const text = markdownOf(body);
    const more = Number(/… and (\d+) more/.exec(text)?.[1]);
    expect(more + (text.match(/^\d+\. x/gm)?.length ?? 0)).toBe(400);
  });
});
