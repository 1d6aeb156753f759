/**
 * `/cache-info`: how the cache is set up, what each tier holds, and in a line each how its parts do. What they say in full
 * is in `info-pages.ts` and `info-tier.ts`.
 */
import type { CacheStats } from '../../cache/statistics/stats.ts';
import type { TierPolicy } from '../../cache/tiers/tier.ts';
import type { Config } from '../../config/config.ts';
import type { WarmerStatus } from '../../warmers/types.ts';
import type { WriteBehindStats } from '../../write-behind/types.ts';
import { diskLine, NO_DISK, setAsideLine } from './disk.ts';
import { feedLine } from './feed.ts';
import { capitalised, entriesText, type Format, instant, plural } from './format.ts';
import { pageOf, pageSelect, processLine, warmersLine } from './info-pages.ts';
import { heldText, tierInFull } from './info-tier.ts';
import { keyText } from './key-text.ts';
import { ttlText } from './lifetime.ts';
import { policyNames } from './policies.ts';
import { fileName } from './redacted.ts';
import { VERDICT_RULE } from './verdict.ts';
import type { Block, ControlId, Mention, View } from './view.ts';
import { writeBehindLine, writeBehindNotices } from './writes.ts';

/** Where entries lie. Farther layers join this list. */
export interface LayerHealth {
  readonly layer: string;
  readonly state: 'ok' | 'degraded' | 'off';
  /** `45.2 MB of 100 MB`, `unreachable, memory only`. */
  readonly detail: string;
}

export interface ProcessFigures {
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
  readonly residentBytes: number;
  /** The share of its life that the event loop was busy. */
  readonly loopBusyRatio: number;
  /** How long the event loop was held at worst, but for one in a hundred; `null` while it is being measured. */
  readonly loopDelayP99Ms: number | null;
  readonly node: string;
  readonly discordJs: string;
  readonly plugin: string;
  readonly startedAt: number;
  /** The sizes of discord.js's own caches, which are not ours. */
  readonly guilds: number;
  readonly users: number;
}

export interface InfoModel {
  readonly config: Pick<Config, 'cache' | 'cacheSection' | 'source' | 'admin' | 'warmers'>;
  readonly policies: readonly TierPolicy[];
  readonly stats: CacheStats;
  readonly warmers: readonly WarmerStatus[];
  readonly layers: readonly LayerHealth[];
  readonly process: ProcessFigures;
  /** What is legal in the configuration but hardly meant. */
  readonly configNotices: readonly string[];
  /** Where there is one. */
  readonly writeBehind?: WriteBehindStats;
  /** Of a bot in several processes: the figures of disk, feed and write-behind are of all, and these lines tell what differs. */
  readonly beside?: InfoBeside;
  readonly tier?: string;
  /** @default the overview */
  readonly page?: string;
}

/** What differs from shard to shard. */
export interface InfoBeside {
  readonly disk: readonly string[];
  /** How many files there are; `undefined` without a disk layer. */
  readonly files: string | undefined;
  readonly feed: readonly string[];
  readonly writes: readonly string[];
  readonly journals: number;
}

/** @param id makes the `custom_id` of the select of pages; without it there is none */
export function infoView(model: InfoModel, format: Format, mention: Mention, id?: ControlId): View {
  const { stats, process } = model;
  const shown = contentOf(model, format, mention);
  const isDegraded = !stats.enabled || model.layers.some((layer) => layer.state === 'degraded');
  return {
    ...shown,
    tone: isDegraded || shown.tone === 'degraded' ? 'degraded' : 'normal',
    subtitle: `${stats.enabled ? 'Running' : 'Off: every read goes to the database · running'} since ${instant(process.startedAt)}`,
    ...(id === undefined ? {} : { rows: [pageSelect(model, id)] }),
  };
}

const TITLE = 'ℹ️ Cache Configuration';

/** A tier, a page, or the overview. */
function contentOf(model: InfoModel, format: Format, mention: Mention): View {
  const policy = model.policies.find((one) => one.tier === model.tier);
  if (policy !== undefined) {
    const blocks = tierInFull(model, policy, format);
    return { tone: 'normal', title: `${TITLE} — ${policy.label}`, blocks, notes: [VERDICT_RULE] };
  }
  const page = pageOf(model);
  if (page !== undefined) {
    return { tone: 'normal', title: TITLE, blocks: page.blocks(model, format, mention) };
  }
  const notices = noticesOf(model, format);
  const { guilds, users } = model.process;
  return {
    tone: notices.length > 0 ? 'degraded' : 'normal',
    title: TITLE,
    blocks: [
      ...(notices.length === 0 ? [] : [{ heading: '⚠️ Notices', lines: notices }]),
      configurationBlock(model, format),
      ...tierBlocks(model, format),
      statusBlock(model, format, mention),
    ],
    notes: [
      `Clear with ${mention('cache-clear')}, fill with ${mention('cache-warm')}, look with ${mention('cache-stats')}.`,
      `This is the bot's own data cache, not discord.js's caches (${plural(format, guilds, 'guild')}, ${plural(format, users, 'user')}).`,
    ],
  };
}

function configurationBlock(model: InfoModel, format: Format): Block {
  const { config, layers } = model;
  const section = config.cacheSection;
  const source =
    config.source === null
      ? 'given by the bot'
      : `${keyText(fileName(config.source.path), 40)}, read ${instant(config.source.readAt)}`;
  return {
    lines: [
      `**Enabled:** ${model.stats.enabled ? 'yes' : 'no'} · **Layers:** ${layers.map(layerText).join(' · ')}`,
      `**max_size_mb** ${format.exact(section.max_size_mb)} · **cleanup_interval** ${format.exact(section.cleanup_interval)} s (${format.duration(config.cache.cleanupIntervalMs)}) · **Configuration:** ${source}`,
      ...(model.stats.disk === null ? [NO_DISK] : []),
    ],
  };
}

/** What is wrong with one is told by the notices. */
function layerText({ layer, state, detail }: LayerHealth): string {
  return state === 'degraded' ? `${layer} (degraded)` : `${layer} (${state}, ${detail})`;
}

/** So many a block: an embed's field takes some 1,000 characters, and what is left out leaves from the end of a block. */
const TIERS_A_BLOCK = 6;

/** All tiers in short. */
function tierBlocks(model: InfoModel, format: Format): Block[] {
  const blocks: Block[] = [];
  for (let first = 0; first < model.policies.length; first += TIERS_A_BLOCK) {
    blocks.push({
      ...(first === 0 ? { heading: '🗂️ Tiers' } : {}),
      lines: model.policies
        .slice(first, first + TIERS_A_BLOCK)
        .flatMap((policy) => tierLines(model, policy, format)),
    });
  }
  const policies = policyLines(model.policies, format);
  return policies.length === 0 ? blocks : [...blocks, { lines: policies }];
}

const POLICY_GROUPS = 4;

/** `Policies of all tiers: grace, refresh-ahead`: each set of policies once, with the tiers that have it. */
function policyLines(policies: readonly TierPolicy[], format: Format): string[] {
  const groups = [...Map.groupBy(policies, (policy) => policyNames(policy, format))].filter(
    ([names]) => names !== '',
  );
  const lines = groups.slice(0, POLICY_GROUPS).map(([names, same]) => {
    const labels = same.slice(0, TIERS_A_BLOCK).map(({ label }) => label);
    const more = same.length > labels.length ? `, … (${format.count(same.length)})` : '';
    const who = same.length === policies.length ? 'all tiers' : labels.join(', ') + more;
    return `-# Policies of ${who}: ${names}`;
  });
  return groups.length > POLICY_GROUPS
    ? [...lines, '-# Further policies are on the pages of the tiers.']
    : lines;
}

function tierLines(model: InfoModel, policy: TierPolicy, format: Format): string[] {
  const lines = [
    `**${policy.label}** — ttl ${ttlText(policy.ttlMs, format)} · ${heldText(model.stats, policy, format)}`,
  ];
  if (policy.description !== '') lines.push(`-# ${capitalised(policy.description)}`);
  return lines;
}

/** One line for each part, trouble beneath it; the pages tell the rest. */
function statusBlock(model: InfoModel, format: Format, mention: Mention): Block {
  const { stats, writeBehind, beside } = model;
  const setAside = stats.disk?.setAside;
  return {
    heading: '🧭 Status',
    lines: [
      ...(stats.disk === null ? [] : [diskLine(stats.disk, format)]),
      ...(setAside === undefined ? [] : [setAsideLine(setAside)]),
      ...(beside?.disk ?? []),
      ...(stats.feed === null ? [] : [feedLine(stats.feed, format)]),
      ...(beside?.feed ?? []),
      ...(writeBehind === undefined ? [] : [writeBehindLine(writeBehind, format, mention)]),
      ...(beside?.writes ?? []),
      warmersLine(model.warmers, format),
      processLine(model.process, format),
    ],
  };
}

/** What an operator should know without asking. */
export function noticesOf(
  model: Pick<InfoModel, 'configNotices' | 'stats' | 'layers' | 'warmers' | 'writeBehind'>,
  format: Format,
): string[] {
  const notices: string[] = [...model.configNotices];
  if (model.writeBehind !== undefined) notices.push(...writeBehindNotices(model.writeBehind, format));
  const usage =
    model.stats.maxWeightBytes > 0 ? model.stats.total.weightBytes / model.stats.maxWeightBytes : 0;
  const { evicted } = model.stats.total.removals;
  if (usage > 0.9 && evicted > 0) {
    notices.push(
      `The cache is ${format.percent(usage)} full and has evicted ${entriesText(format, evicted)}: a larger \`max_size_mb\` may serve more hits.`,
    );
  }
  const tooLarge = model.stats.total.refusals['too-large'];
  if (tooLarge > 0) notices.push(`${plural(format, tooLarge, 'value')} too large to be kept.`);
  for (const layer of model.layers) {
    if (layer.state === 'degraded') notices.push(`Layer ${layer.layer} is degraded: ${layer.detail}.`);
  }
  for (const warmer of model.warmers) {
    if ((warmer.lastRun?.failed ?? 0) > 0) {
      notices.push(
        `The last ${warmer.warmer} warming had ${plural(format, warmer.lastRun?.failed ?? 0, 'failure')}.`,
      );
    }
  }
  return notices;
}
