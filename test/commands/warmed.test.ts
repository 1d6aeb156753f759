import { describe, expect, it } from 'vitest';
import type { WarmedFigures, WarmthStats } from '../../src/cache/statistics/stats.ts';
import { mergeStats } from '../../src/commands/shards/merge-stats.ts';
import { formatFor } from '../../src/commands/views/format.ts';
import { infoView } from '../../src/commands/views/info.ts';
import { overviewView } from '../../src/commands/views/overview.ts';
import { render } from '../../src/commands/views/render.ts';
import type { Mention, View } from '../../src/commands/views/view.ts';
import { precisionText } from '../../src/commands/views/warmed.ts';
import { parseConfig } from '../../src/config/config.ts';
import { markdownOf } from './spoken.ts';
import { cacheStats, NOW, POLICIES, warmReport } from './stats-data.ts';

const en = formatFor('en-US');
const mention: Mention = (command) => `</${command}:1>`;
const said = (view: View) => markdownOf(render(view, 'components'));

function warmed(warmedCount: number, used: number, unused: number): WarmedFigures {
  const precision = warmedCount === 0 ? null : used / warmedCount;
  return { warmed: warmedCount, used, unused, precision };
}

function warmth(over: Partial<WarmthStats> = {}): WarmthStats {
  return { recipes: 12, keys: 250, damaged: 0, start: warmed(0, 0, 0), predicted: warmed(0, 0, 0), ...over };
}

describe('what was warmed ahead', () => {
  it('is told with how much of it was used, and how much may still be', () => {
    expect(precisionText(warmed(52, 40, 12), en)).toBe('40 of 52 used (76.9%)');
    expect(precisionText(warmed(52, 40, 2), en)).toBe('40 of 52 used (76.9%), 10 not yet');
    expect(precisionText(warmed(0, 0, 0), en)).toBeUndefined();
    expect(precisionText(undefined, en)).toBeUndefined();
  });

  it('is a line of /cache-stats once something was warmed, for all tiers together', () => {
    const line = 'Warmed Ahead';
    const view = (stats: WarmthStats | null, tier?: string) =>
      said(
        overviewView(
          { stats: cacheStats({ warmth: stats }), nextWarmAt: null, ...(tier === undefined ? {} : { tier }) },
          en,
          mention,
        ),
      );
    expect(view(null)).not.toContain(line);
    expect(view(warmth())).not.toContain(line);
    const stats = warmth({ start: warmed(200, 150, 20), predicted: warmed(80, 60, 20) });
    expect(view(stats)).toContain(
      '**Warmed Ahead:** at the start 150 of 200 used (75.0%), 30 not yet · before their hour 60 of 80 used (75.0%) · 250 keys remembered',
    );
    expect(view(stats, 'user')).not.toContain(line);
  });

  it('stands beside its warmers in /cache-info', () => {
    const text = said(
      infoView(
        {
          config: { ...parseConfig({}), source: null },
          policies: POLICIES,
          stats: cacheStats(),
          warmers: [
            {
              warmer: 'hot_keys',
              schedule: 'once at start',
              lastRun: warmReport({ warmed: 200, failed: 0 }),
              nextAt: null,
              dropped: 0,
              runs: 1,
              precision: warmed(200, 150, 50),
            },
            {
              warmer: 'prediction',
              schedule: 'before each hour',
              lastRun: null,
              nextAt: NOW,
              dropped: 0,
              runs: 0,
              precision: warmed(0, 0, 0),
            },
          ],
          layers: [],
          page: 'warmers',
          configNotices: [],
          process: {
            heapUsedBytes: 1,
            heapLimitBytes: 2,
            residentBytes: 3,
            loopBusyRatio: 0,
            loopDelayP99Ms: null,
            node: '24',
            discordJs: '14',
            plugin: '0',
            startedAt: NOW,
            guilds: 1,
            users: 1,
          },
        },
        en,
        mention,
      ),
    );
    expect(text).toMatch(
      /\*\*Hot keys\*\* — once at start · last .* 200 keys .* · 150 of 200 used \(75.0%\)/,
    );
    expect(text).toMatch(/\*\*Prediction\*\* — before each hour · not run yet · next <t:\d+:R>$/m);
  });

  it('adds up over shards, and its precision is that of all', () => {
    const one = cacheStats({ warmth: warmth({ predicted: warmed(10, 9, 1), damaged: 1 }) });
    const two = cacheStats({ warmth: warmth({ predicted: warmed(90, 21, 60), damaged: 2 }) });
    const without = cacheStats();
    expect(mergeStats([one, without, two]).warmth).toMatchObject({
      damaged: 3,
      start: { warmed: 0, precision: null },
      predicted: { warmed: 100, used: 30, unused: 61, precision: 0.3 },
    });
    expect(mergeStats([without]).warmth).toBeNull();
  });
});
