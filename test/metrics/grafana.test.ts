/** The dashboard that ships asks for nothing that the exporter does not give. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { DISK_METRICS } from '../../src/metrics/disk-figures.ts';
import { FEED_METRICS } from '../../src/metrics/feed-figures.ts';
import { FIGURE_METRICS } from '../../src/metrics/figures.ts';
import { cacheMetrics } from '../../src/metrics/prometheus.ts';
import { feedOf } from '../cache/layers/support.ts';
import { bench } from '../cache/support.ts';
import { parseExposition } from './exposition.ts';
import { parsePromql, type Selector } from './promql.ts';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const dashboard = JSON.parse(readFileSync('docs/grafana/cachecord.json', 'utf8')) as Dashboard; // ours
const targets = dashboard.panels.flatMap(({ title, targets: all }) =>
  all.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);
const variables = dashboard.templating.list.map(({ name }) => name);

/** What Prometheus itself adds to every series. */
const OF_THE_TARGET = ['instance', 'job'];

/** The labels of each series, by its full name. */
const exported = new Map<string, ReadonlySet<string>>();

const FEED = {
  ...({ beginning: 'new', position: 1, readers: 1 } as const),
  ...{ changes: 0, invalidations: 0, widened: 0, gaps: 0 },
};

beforeAll(async () => {
  const registry = new Registry();
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-grafana-'));
  const { cache } = bench({ disk: { path: join(folder, 'cache.db') } });
  cache.provenBy(feedOf({ stats: () => FEED }));
  cacheMetrics(cache, registry).stop();
  await cache.getOrLoad('query::x', () => 1);
  for (const { series } of parseExposition(await registry.metrics()).values()) {
    for (const { name, labels } of series) {
      exported.set(name, new Set([...(exported.get(name) ?? []), ...Object.keys(labels)]));
    }
  }
  await cache.stop();
  rmSync(folder, { recursive: true, force: true });
});

function assertExported({ metric, labels }: Selector): void {
  const known = exported.get(metric);
  if (known === undefined) throw new Error(`${metric} is not exported.`);
  for (const label of labels) {
    if (!known.has(label) && !OF_THE_TARGET.includes(label)) throw new Error(`${metric} has no ${label}.`);
  }
}

describe('the dashboard', () => {
  it.each(targets)('asks in "$title" for what is exported: $expr', ({ expr, legendFormat }) => {
    const { selectors, groups, resultLabels } = parsePromql(expr);
    expect(selectors.length).toBeGreaterThan(0);
    for (const selector of selectors) assertExported(selector);
    for (const { by, of } of groups) for (const { metric } of of) assertExported({ metric, labels: by });
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      expect(resultLabels).toContain(label);
  });

  it('uses no variable that it does not define, and none in vain', () => {
    const used =
      JSON.stringify(dashboard)
        .match(/\$\{?(\w+)/g)
        ?.map((text) => text.replace(/\W/g, '')) ?? [];
    const own = new Set(used.filter((name) => !name.startsWith('__')));
    expect([...own].sort()).toEqual([...variables].sort());
  });

  it('offers for its variables what is exported', () => {
    for (const { definition } of dashboard.templating.list) {
      if (definition === undefined) continue;
      const [, expr = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition) ?? [];
      for (const { metric, labels } of parsePromql(expr).selectors) {
        assertExported({ metric, labels: [...labels, label] });
      }
    }
  });

  it('shows every kind of figure that tells how a cache does', () => {
    const shown = new Set(
      targets.flatMap(({ expr }) => parsePromql(expr).selectors.map(({ metric }) => metric)),
    );
    const told = [
      'hits',
      'lookups',
      'joined',
      'loads',
      'failures',
      'timeouts',
      'stale',
      'refusals',
      'removals',
    ] as const;
    const more = ['entries', 'weightBytes', 'savedMs', 'savedCost'] as const;
    const names = [...told, ...more].map((name) => {
      const metric = FIGURE_METRICS[name];
      return metric === 'histogram' ? '' : metric.name;
    });
    expect(names.filter((name) => !shown.has(name))).toEqual([]);
    expect(shown).toContain('cachecord_load_duration_seconds_bucket');
    expect(shown).toContain('cachecord_event_loop_delay_seconds');
    // How many entries lie there is for /cache-stats to tell.
    const ofDisk = Object.values(DISK_METRICS).filter(({ name }) => !name.endsWith('_entries'));
    expect(ofDisk.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
    // Where the feed stands is for /cache-info to tell.
    const ofFeed = Object.values(FEED_METRICS).filter(({ type }) => type === 'counter');
    expect(ofFeed.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });

  it('lays its panels out side by side, each with an id and a sentence', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { description, gridPos } of panels) {
      expect(description).toMatch(/\.$/);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

describe('the reader of queries', () => {
  it.each([
    ['sum(rate(a_total{b="c"}[5m]))', undefined],
    ['sum by (b) (a', /"\)" is wanted/],
    ['rate(a_total)', /\(range\) is wanted/],
    ['a{b}', /a matcher is wanted/],
    ['sums(a)', /a function we know, not sums/],
    ['sum by (x) (a) / sum by (y) (b)', /the same grouping/],
    ['a b', /the end is wanted/],
    ['a[5m]', /no range/],
    ['a ; b', /Does not fit/],
  ])('takes or refuses %s', (text, message) => {
    if (message === undefined)
      expect(parsePromql(text).selectors).toEqual([{ metric: 'a_total', labels: ['b'] }]);
    else expect(() => parsePromql(text)).toThrow(message);
  });
});
