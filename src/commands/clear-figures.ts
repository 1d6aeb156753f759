/** What `/cache-clear` tells beside the preview itself: the cost of reading again, the warmer for it, and the choices. */
import type { Cache } from '../cache/cache.ts';
import type { Preview } from '../cache/index/preview.ts';
import type { CacheStats } from '../cache/statistics/stats.ts';
import { OTHER_NAMESPACES } from '../cache/tiers/tier-book.ts';
import type { CommandServices } from './command.ts';
import type { storedNamespaces } from './known-keys.ts';
import { type ClearTarget, tierTarget } from './target.ts';
import type { PreviewModel } from './views/clear.ts';
import { entriesText, formatFor } from './views/format.ts';
import { plainText } from './views/key-text.ts';
import type { SelectOption } from './views/view.ts';

/** What a preview shows. */
export function previewModel(target: ClearTarget, preview: Preview, services: CommandServices): PreviewModel {
  return {
    target,
    preview,
    tierLabel: (tier: string) => tierLabel(services.cache, tier),
    reloadMs: reloadMs(services.cache, preview),
  };
}

/** A tier's name for people. */
export function tierLabel(cache: Cache, tier: string): string {
  return cache.tiers.find((policy) => policy.tier === tier)?.label ?? tier;
}

/** What reading everything again would take, by the mean load time of each tier. */
function reloadMs(cache: Cache, preview: Preview): number | undefined {
  const { tiers } = cache.stats(0);
  let sum = 0;
  for (const row of preview.tiers) {
    sum += row.entries * (tiers.find((tier) => tier.tier === row.tier)?.loadTimes?.meanMs ?? 0);
  }
  return sum > 0 ? sum : undefined;
}

/** The warmer that brings back what a target covers. */
export function warmScopeFor(target: ClearTarget, services: CommandServices): string | undefined {
  const { scopes } = services.warmers;
  const shared = scopes.filter((scope) => scope !== 'user');
  if (target.kind === 'all') return shared.length > 0 ? 'all' : undefined;
  if (target.kind === 'tag') return undefined;
  const namespace = target.text.split(/[:*]/, 1)[0];
  const tier =
    target.kind === 'tier'
      ? target.tier
      : services.cache.tiers.find((policy) => policy.namespaces.some((one) => one === namespace))?.tier;
  return shared.find((scope) => scope === tier);
}

/** What is not in memory; how much of it there is, the question that follows counts. */
const ON_DISK = 'on disk';

/** For the select of a bare `/cache-clear`: everything, tiers, namespaces, with what each holds. */
export function chooseOptions(
  stats: CacheStats,
  stored: ReturnType<typeof storedNamespaces>,
  locale: string,
  valueFor: (target: ClearTarget) => string,
): SelectOption[] {
  const format = formatFor(locale);
  const held = (row: { readonly entries: number; readonly weightBytes: number }) =>
    `${entriesText(format, row.entries)}, ≈ ${format.bytes(row.weightBytes)}`;
  const onDisk = stats.disk?.entries ?? 0;
  if (stats.total.entries === 0 && onDisk === 0) return [];
  const storedTiers = new Set(stored.map(({ tier }) => tier));
  const tiers = stats.tiers.filter((row) => row.entries > 0 || storedTiers.has(row.tier));
  const namespaces = stats.namespaces
    .filter((row) => row.entries > 0 && row.namespace !== OTHER_NAMESPACES)
    .sort((a, b) => b.entries - a.entries);
  const options: SelectOption[] = [
    ...tiers.map((row) => ({
      label: `${row.label} tier`,
      value: valueFor(tierTarget(row)),
      description: row.entries === 0 ? ON_DISK : held(row),
    })),
    ...namespaces.map((row) => ({
      label: plainText(`${row.namespace}::*`, 90),
      value: valueFor({ kind: 'pattern', text: `${row.namespace}::*` }),
      description: held(row),
    })),
    ...stored.map(({ namespace }) => ({
      label: plainText(`${namespace}::*`, 90),
      value: valueFor({ kind: 'pattern', text: `${namespace}::*` }),
      description: ON_DISK,
    })),
  ];
  // Of several with one value the first is kept, which knows what memory holds.
  const unique = [...new Map(options.toReversed().map((option) => [option.value, option])).values()];
  const beside = onDisk === 0 ? '' : `, ${format.count(onDisk)} on disk`;
  const all = `${held(stats.total)}${beside} (asks again)`;
  return [...unique.toReversed().slice(0, 24), { label: 'Everything', value: 'all', description: all }];
}
