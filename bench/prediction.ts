/**
 * Warming by the hour of the day, on a bot whose hours differ: of 5,000 keys, 80 are each hour's own favourites (drawn by
 * Zipf's law, s = 1), and a fifth of all reads go to any key at all. Five days are replayed on a hand-turned clock; on the
 * sixth is measured how many reads hit in the first five minutes of each hour, with prediction and without, and how much
 * of what was warmed was read before it left (the precision). Entries are fresh for half an hour, as tier `query` is.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCache } from '../src/cache/create-cache.ts';
import { cachedSync } from '../src/cache/wrappers/wrappers.ts';
import { parseConfig } from '../src/config/config.ts';
import { seededRandom } from '../src/db/random.ts';
import { silentLogger } from '../src/logger.ts';
import { createWarmers } from '../src/warmers/warmers.ts';
import { handClock } from '../test/support/hand-clock.ts';
import { type Row, report } from './measure.ts';
import { zipf } from './shop-day.ts';

const MINUTE_MS = 60_000;
const DAYS = 6;
const KEYS = 5_000;
const FAVOURITES = 80;
const READS_A_MINUTE = 40;
const ANY_SHARE = 0.2;

interface Outcome {
  readonly hitRate: number;
  readonly loads: number;
  readonly precision: number | null;
  readonly warmed: number;
}

async function replay(isPredictive: boolean, path: string): Promise<Outcome> {
  const random = seededRandom(11);
  const next = () => random.next();
  const favourite = zipf(FAVOURITES, 1, next);
  const clock = handClock(new Date(2026, 0, 5).getTime());
  const config = parseConfig({
    cache: { disk_path: path, persist_interval: 300 },
    warmers: { predictive: isPredictive },
  });
  const cache = createCache({ ...config.cache, clock, logger: silentLogger });
  const read = cachedSync(cache, (id: number) => ({ id, text: `page ${id}` }), { key: 'query::page::{0}' });
  const warmers = createWarmers({
    tasks: [],
    config: config.warmers,
    warmth: cache.warmth,
    clock,
    logger: silentLogger,
    random: next,
  });
  await warmers.start();
  const measured = { lookups: 0, hits: 0, loads: 0 };
  for (let minute = 0; minute < DAYS * 24 * 60; minute++) {
    const ms = minute * MINUTE_MS - clock.now();
    // In the minutes before an hour a run may begin and end; in the others the timers may go off in one go.
    if (minute % 60 > 50) await clock.advanceAsync(ms);
    else clock.advance(ms);
    await clock.settle();
    const hour = Math.floor(minute / 60) % 24;
    const before = cache.stats(0).total;
    for (let i = 0; i < READS_A_MINUTE; i++) {
      // Another place to begin for each hour, so that the favourites of two hours seldom meet.
      const isAny = next() < ANY_SHARE;
      read(isAny ? Math.floor(next() * KEYS) : (hour * 199 + favourite() * 7) % KEYS);
    }
    if (minute < (DAYS - 1) * 24 * 60 || minute % 60 >= 5) continue;
    const { lookups, hits, loads } = cache.stats(0).total;
    measured.lookups += lookups - before.lookups;
    measured.hits += hits - before.hits;
    measured.loads += loads - before.loads;
  }
  const figures = cache.stats(0).warmth?.predicted;
  await warmers.stop();
  await cache.stop();
  return {
    hitRate: measured.hits / measured.lookups,
    loads: measured.loads,
    precision: figures?.precision ?? null,
    warmed: figures?.warmed ?? 0,
  };
}

const percent = (share: number | null) => (share === null ? '–' : `${(share * 100).toFixed(1)} %`);

const folder = mkdtempSync(join(tmpdir(), 'cachecord-bench-'));
const without = await replay(false, join(folder, 'without.db'));
const predicted = await replay(true, join(folder, 'with.db'));
const rows: Row[] = [
  {
    what: `hit rate without prediction (${without.loads} loads)`,
    measured: percent(without.hitRate),
    goal: 'the measure',
    holds: true,
  },
  {
    what: `hit rate with prediction (${predicted.loads} loads)`,
    measured: percent(predicted.hitRate),
    goal: '> without',
    holds: predicted.hitRate > without.hitRate,
  },
  {
    what: `precision: of ${predicted.warmed} entries warmed in six days, read before they left`,
    measured: percent(predicted.precision),
    goal: '≥ 50.0 %',
    holds: (predicted.precision ?? 0) >= 0.5,
  },
];
report('The first five minutes of each hour, with prediction and without', rows);
rmSync(folder, { recursive: true, force: true });
process.exit(0);
