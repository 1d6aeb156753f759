/** One tier in `/cache-info`: its times, what it holds, and every policy that is on in plain words. */
import type { CacheStats } from '../../cache/statistics/stats.ts';
import type { TierPolicy } from '../../cache/tiers/tier.ts';
import { capitalised, entriesText, type Format, NOTHING, plural } from './format.ts';
import type { InfoModel } from './info.ts';
import { keyText } from './key-text.ts';
import { ttlPath, ttlText } from './lifetime.ts';
import { policiesOn } from './policies.ts';
import { verdictOf, verdictText } from './verdict.ts';
import type { Block } from './view.ts';

export function tierInFull(model: InfoModel, policy: TierPolicy, format: Format): Block[] {
  const row = model.stats.tiers.find((one) => one.tier === policy.tier);
  const policies = policiesOn(policy, format, model.stats.disk !== null);
  const lines = [
    `**${policy.label}** — ttl ${ttlText(policy.ttlMs, format)} · ${heldText(model.stats, policy, format)}`,
    ...(policy.description === '' ? [] : [`-# ${capitalised(policy.description)}`]),
    `"No such row" is kept ${ttlText(policy.negativeTtlMs, format)} · each ttl is shortened by up to ${format.percent(policy.jitterRatio)}, so that entries do not all end at once`,
    `**Namespaces:** ${policy.namespaces.length === 0 ? NOTHING : policy.namespaces.map((name) => keyText(name, 32)).join(' ')}`,
    `**In config.json:** its ttl is ${keyText(ttlPath(policy.tier), 64)}, its policies are in ${keyText(`cache.tiers.${policy.tier}`, 64)}`,
  ];
  if (row !== undefined) {
    lines.push(
      `**Verdict:** ${verdictText(verdictOf(row))} · hit rate ${format.percent(row.hitRate)} of ${plural(format, row.lookups, 'lookup')}`,
    );
  }
  return [
    { heading: '🗂️ Tier', lines },
    {
      heading: '🧭 Policies',
      lines:
        policies.length === 0
          ? ['None is on: at the end of its ttl an entry is loaded anew.']
          : policies.map(({ name, text }) => `**${name}** — ${text}`),
    },
  ];
}

/** `12 entries, ≈ 4.1 kB` */
export function heldText({ tiers }: CacheStats, { tier }: TierPolicy, format: Format): string {
  const row = tiers.find((one) => one.tier === tier);
  return row === undefined || row.entries === 0
    ? 'empty'
    : `${entriesText(format, row.entries)}, ≈ ${format.bytes(row.weightBytes)}`;
}
