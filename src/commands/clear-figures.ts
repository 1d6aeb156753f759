/** What `/cache-clear` tells beside the preview itself: the cost of reading again, the warmer for it, and the choices. */
import type { Cache, CacheStats, Preview } from '../cache/types.ts';
import type { CommandServices } from './command.ts';
import type { ClearTarget } from './target.ts';
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
  const namespace = target.text.replace(/^tier:/, '').split(/[:*]/, 1)[0];
  const tier =
    target.kind === 'tier'
      ? namespace
      : services.cache.tiers.find((policy) => policy.namespaces.some((one) => one === namespace))?.tier;
  return shared.find((scope) => scope === tier);
}

/** For the select of a bare `/cache-clear`: everything, tiers, namespaces, with what each holds. */
export function chooseOptions(stats: CacheStats, locale: string): SelectOption[] {
  const format = formatFor(locale);
  const held = (row: { readonly entries: number; readonly weightBytes: number }) =>
    `${entriesText(format, row.entries)}, ≈ ${format.bytes(row.weightBytes)}`;
  const stored = stats.disk?.entries ?? 0;
  if (stats.total.entries === 0 && stored === 0) return [];
  const tiers = stats.tiers.filter((row) => row.entries > 0);
  const namespaces = stats.namespaces
    .filter((row) => row.entries > 0 && row.namespace.length <= 90)
    .sort((a, b) => b.entries - a.entries);
  const options: SelectOption[] = [
    ...tiers.map((row) => ({
      label: `${row.label} tier`,
      value: `tier:${row.tier}`,
      description: held(row),
    })),
    ...namespaces.map((row) => ({
      label: plainText(`${row.namespace}::*`, 90),
      value: `${row.namespace}::*`,
      description: held(row),
    })),
  ];
  const unique = [...new Map(options.map((option) => [option.value, option])).values()].slice(0, 24);
  const onDisk = stored === 0 ? '' : `, ${format.count(stored)} on disk`;
  const all = `${held(stats.total)}${onDisk} (asks again)`;
  return [...unique, { label: 'Everything', value: 'all', description: all }];
}
