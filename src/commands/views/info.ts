/** `/cache-info`: how the cache is set up, what each tier holds, what the warmers and the process do. */
import type { CacheStats, TierPolicy } from '../../cache/types.ts';
import type { Config } from '../../config.ts';
import type { WarmerStatus } from '../../warmers/types.ts';
import type { WriteBehindFigures } from '../../write-behind/types.ts';
import { diskBlock, NO_DISK } from './disk.ts';
import { feedBlock } from './feed.ts';
import { capitalised, entriesText, type Format, instant, NOTHING, plural } from './format.ts';
import { keyText } from './key-text.ts';
import { ttlPath, ttlText } from './lifetime.ts';
import { policiesOn, policyNames } from './policies.ts';
import { fileName } from './redacted.ts';
import { VERDICT_RULE, verdictOf, verdictText } from './verdict.ts';
import type { Block, Mention, View } from './view.ts';
import { precisionText } from './warmed.ts';
import { writeBehindBlock, writeBehindNotices } from './writes.ts';

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
  readonly writeBehind?: WriteBehindFigures;
  /** Of a bot in several processes: the figures of disk, feed and write-behind are of all, and these lines tell what differs. */
  readonly beside?: InfoBeside;
  readonly tier?: string;
}

export interface InfoBeside {
  readonly disk: readonly string[];
  readonly feed: readonly string[];
  readonly writes: readonly string[];
  readonly journals: number;
}

export function infoView(model: InfoModel, format: Format, mention: Mention): View {
  const policy = model.policies.find((one) => one.tier === model.tier);
  const isDegraded = !model.stats.enabled || model.layers.some((layer) => layer.state === 'degraded');
  const notices = policy === undefined ? noticesOf(model, format) : [];
  return {
    tone: isDegraded || notices.length > 0 ? 'degraded' : 'normal',
    title: policy === undefined ? 'ℹ️ Cache Configuration' : `ℹ️ Cache Configuration — ${policy.label}`,
    subtitle: `${model.stats.enabled ? 'On' : 'Off: every read goes to the database'} · running since ${instant(model.process.startedAt)}`,
    blocks: [
      ...(notices.length === 0 ? [] : [{ heading: '⚠️ Notices', lines: notices }]),
      ...(policy === undefined ? [configurationBlock(model, format), ...diskBlocks(model, format)] : []),
      ...(policy === undefined ? tierBlocks(model, format) : tierInFull(model, policy, format)),
      ...(policy === undefined
        ? [
            ...(model.stats.feed === null ? [] : [feedBlock(model.stats.feed, format, model.beside?.feed)]),
            ...(model.writeBehind === undefined
              ? []
              : [writeBehindBlock(model.writeBehind, format, model.beside?.journals, model.beside?.writes)]),
            warmersBlock(model.warmers, format),
            processBlock(model.process, format),
          ]
        : []),
      patternBlock(mention),
    ],
    notes: [
      VERDICT_RULE,
      `This is the bot's own data cache, not discord.js's caches (${plural(format, model.process.guilds, 'guild')}, ${plural(format, model.process.users, 'user')}).`,
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
      `**max_size_mb** ${format.exact(section.max_size_mb)} · **cleanup_interval** ${format.exact(section.cleanup_interval)} s (${format.duration(config.cache.cleanupIntervalMs)})`,
      `**Clears ask** above ${entriesText(format, config.admin.confirmAbove)} · **Configuration:** ${source}`,
      ...(model.stats.disk === null ? [NO_DISK] : []),
    ],
  };
}

/** What is wrong with one is told by the notices. */
function layerText({ layer, state, detail }: LayerHealth): string {
  return state === 'degraded' ? `${layer} (degraded)` : `${layer} (${state}, ${detail})`;
}

function diskBlocks({ stats: { disk }, policies, config, beside }: InfoModel, format: Format): Block[] {
  if (disk === null) return [];
  return [diskBlock({ disk, policies, intervalMs: config.cache.disk?.intervalMs }, format, beside?.disk)];
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
  return blocks;
}

function tierLines(model: InfoModel, policy: TierPolicy, format: Format): string[] {
  const policies = policyNames(policy, format);
  const extra = policies === '' ? '' : ` · ${policies}`;
  const lines = [
    `**${policy.label}** — ttl ${ttlText(policy.ttlMs, format)} · ${heldText(model.stats, policy, format)}${extra}`,
  ];
  if (policy.description !== '') lines.push(`-# ${capitalised(policy.description)}`);
  return lines;
}

function heldText({ tiers }: CacheStats, { tier }: TierPolicy, format: Format): string {
  const row = tiers.find((one) => one.tier === tier);
  return row === undefined || row.entries === 0
    ? 'empty'
    : `${entriesText(format, row.entries)}, ≈ ${format.bytes(row.weightBytes)}`;
}

/** One tier, with every policy that is on in plain words. */
function tierInFull(model: InfoModel, policy: TierPolicy, format: Format): Block[] {
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

const WARMER_LABELS: Readonly<Record<WarmerStatus['warmer'], string>> = {
  startup: 'Startup',
  periodic: 'Periodic',
  user: 'User',
  hot_keys: 'Hot keys',
  prediction: 'Prediction',
};

function warmersBlock(warmers: readonly WarmerStatus[], format: Format): Block {
  if (warmers.length === 0) return { heading: '🔥 Warmers', lines: ['None.'] };
  return {
    heading: '🔥 Warmers',
    lines: warmers.map((warmer) => {
      const parts = [warmer.schedule];
      const last = warmer.lastRun;
      if (last !== null) {
        const fresh = last.skipped > 0 ? `, ${format.count(last.skipped)} fresh already` : '';
        const failed = last.failed > 0 ? `, ${format.count(last.failed)} failed` : '';
        const what =
          last.state === 'running' ? 'running since' : last.state === 'stopped' ? 'stopped, begun' : 'last';
        parts.push(
          `${what} ${instant(last.startedAt)}: ${plural(format, last.warmed, 'key')} in ${format.duration(last.ms)}${fresh}${failed}`,
        );
      } else parts.push('not run yet');
      if (warmer.runs > 1) parts.push(`${plural(format, warmer.runs, 'run')}`);
      if (warmer.dropped > 0) parts.push(`${format.count(warmer.dropped)} skipped (busy)`);
      if (warmer.nextAt !== null) parts.push(`next ${instant(warmer.nextAt)}`);
      const precision = precisionText(warmer.precision, format);
      if (precision !== undefined) parts.push(precision);
      return `**${WARMER_LABELS[warmer.warmer]}** — ${parts.join(' · ')}`;
    }),
  };
}

function processBlock(figures: ProcessFigures, format: Format): Block {
  const delay =
    figures.loopDelayP99Ms === null ? '' : `, delay p99 ${format.duration(figures.loopDelayP99Ms)}`;
  return {
    heading: '🧭 Process',
    lines: [
      `Heap ${format.bytes(figures.heapUsedBytes)} of ${format.bytes(figures.heapLimitBytes)} · resident ${format.bytes(figures.residentBytes)} · event loop ${format.percent(figures.loopBusyRatio)} busy${delay}`,
      `Up since ${instant(figures.startedAt)} · Node ${figures.node} · discord.js ${figures.discordJs} · Cachecord ${figures.plugin}`,
    ],
  };
}

function patternBlock(mention: Mention): Block {
  return {
    heading: '✏️ Patterns',
    lines: [
      '`config::vip_tiers` one key · `products:*` a prefix · `user::123456::*` one user · `tier:query` a tier · `tag:…` a tag · `all`',
      `Clear with ${mention('cache-clear')}, fill with ${mention('cache-warm')}, look with ${mention('cache-stats')}.`,
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
