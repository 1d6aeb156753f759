/** `/cache-info key:…`: how long one key lives, and why: its tier, its ttl as it came about, the policies around it. */
import type { EntryReport } from '../../cache/entry-report.ts';
import type { TierPolicy } from '../../cache/tiers/tier.ts';
import { type Format, instant } from './format.ts';
import { isStale, layerText, lifetimeText } from './inspection.ts';
import { keyText } from './key-text.ts';
import { policiesOn } from './policies.ts';
import type { Mention, View } from './view.ts';

export interface LifetimeModel {
  readonly report: EntryReport;
  readonly policy: TierPolicy;
  /** Epoch ms of this look at it. */
  readonly now: number;
  /** Whether it is on disk, too; `undefined` where there is no disk layer. */
  readonly isStored?: boolean | undefined;
}

export function lifetimeView(
  { report, policy, now, isStored }: LifetimeModel,
  format: Format,
  mention: Mention,
): View {
  const policies = policiesOn(policy, format, isStored !== undefined);
  const state = isStale(report, now) ? 'stale' : `fresh for another ${format.duration(report.staleAt - now)}`;
  return {
    tone: 'normal',
    title: 'ℹ️ How long a key lives',
    blocks: [
      { lines: [keyText(report.key, 200)] },
      {
        lines: [
          `**Tier:** ${policy.label} — ${tierReason(report, policy)}`,
          `**Ttl of the tier:** ${ttlText(policy.ttlMs, format)} (${keyText(ttlPath(policy.tier), 64)})`,
          `**Ttl of this entry:** ${ttlText(report.staleAt - report.createdAt, format)} — ${ttlReason(report, policy, format)}`,
          `**State:** ${state}${isStored === undefined ? '' : ` · in ${layerText(isStored)}`}`,
          `**Created:** ${instant(report.createdAt)} · ${lifetimeText(report, now)}`,
        ],
      },
      {
        heading: '🧭 Policies of its tier',
        lines:
          policies.length === 0
            ? ['None is on: at the end of its ttl it is loaded anew.']
            : policies.map(({ name, text }) => `**${name}** — ${text}`),
      },
    ],
    notes: [
      `A call may say otherwise for its own keys. The entry itself: ${mention('cache-stats')} with the option \`key\`.`,
    ],
  };
}

function tierReason({ namespace }: EntryReport, { tier, namespaces }: TierPolicy): string {
  if (namespaces.includes(namespace)) return `by its namespace ${keyText(namespace, 48)}`;
  return tier === 'query'
    ? `no tier names the namespace ${keyText(namespace, 40)}, or its call says so`
    : 'its call says so';
}

const BUILT_IN = new Set(['config', 'reference', 'user', 'query']);

/** Where the ttl stands in config.json. */
export function ttlPath(tier: string): string {
  return BUILT_IN.has(tier) ? `cache.ttl_${tier}` : `cache.tiers.${tier}.ttl`;
}

/** What the engine says of it, else what follows from the tier. */
function ttlReason(report: EntryReport, policy: TierPolicy, format: Format): string {
  if (report.ttlReason !== undefined) return keyText(report.ttlReason, 160);
  const ttlMs = report.staleAt - report.createdAt;
  const isNegative = report.shape === 'null' || report.shape === 'undefined';
  if (isNegative && isFrom(ttlMs, policy.negativeTtlMs, policy)) return 'as the tier says for "no such row"';
  if (!isFrom(ttlMs, policy.ttlMs, policy)) return 'its call or its loader says so';
  return ttlMs >= policy.ttlMs
    ? 'as the tier says'
    : `as the tier says, less the jitter of up to ${format.percent(policy.jitterRatio)}`;
}

/** A ttl that jitter may have shortened; instants are rounded to whole milliseconds. */
function isFrom(ttlMs: number, statedMs: number, { jitterRatio }: TierPolicy): boolean {
  return ttlMs <= statedMs + 1 && ttlMs >= statedMs * (1 - jitterRatio) - 1;
}

export function ttlText(ms: number, format: Format): string {
  if (ms === Number.POSITIVE_INFINITY) return 'without end';
  if (ms === 0) return '0 s (not kept)';
  const inWords = ms < 60_000 ? '' : ` (${format.duration(ms)})`;
  // What jitter has shortened is odd to the millisecond, which nobody wants to read of a minute and more.
  const seconds = ms < 60_000 ? ms / 1_000 : Math.round(ms / 1_000);
  return `${format.exact(seconds)} s${inWords}`;
}
