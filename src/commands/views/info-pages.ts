/** The pages of `/cache-info` behind the overview: each part of the cache in full, and the line that the overview has of it. */
import type { WarmerStatus } from '../../warmers/types.ts';
import { diskBlock, NO_DISK } from './disk.ts';
import { feedBlock } from './feed.ts';
import { entriesText, type Format, instant, plural } from './format.ts';
import type { InfoModel, ProcessFigures } from './info.ts';
import type { Block, ControlId, Mention, Select } from './view.ts';
import { precisionText } from './warmed.ts';
import { writeBehindBlock } from './writes.ts';

export interface InfoPage {
  readonly page: string;
  readonly label: string;
  /** What it tells, for the select. */
  readonly about: string;
  /** Whether there is anything to tell. */
  readonly isThere: (model: InfoModel) => boolean;
  readonly blocks: (model: InfoModel, format: Format, mention: Mention) => Block[];
}

const PAGES: readonly InfoPage[] = [
  {
    page: 'disk',
    label: 'Disk',
    about: 'What a restart brought back, and what is written when',
    isThere: ({ stats }) => stats.disk !== null,
    blocks: ({ stats: { disk }, policies, config, beside }, format) => {
      if (disk === null) return [{ lines: [NO_DISK] }];
      const intervalMs = config.cache.disk?.intervalMs;
      const files = beside?.files === undefined ? [] : [`-# ${beside.files}`];
      return [diskBlock({ disk, policies, intervalMs }, format, beside && [...beside.disk, ...files])];
    },
  },
  {
    page: 'feed',
    label: 'Change feed',
    about: 'How far the cache follows what others write',
    isThere: ({ stats }) => stats.feed !== null,
    blocks: ({ stats: { feed }, beside }, format) =>
      feed === null ? [] : [feedBlock(feed, format, beside?.feed)],
  },
  {
    page: 'writes',
    label: 'Write-behind',
    about: 'What waits to be saved, and what failed',
    isThere: ({ writeBehind }) => writeBehind !== undefined,
    blocks: ({ writeBehind, beside }, format) =>
      writeBehind === undefined
        ? []
        : [writeBehindBlock(writeBehind, format, beside?.journals, beside?.writes)],
  },
  {
    page: 'warmers',
    label: 'Warmers',
    about: 'What is loaded before anyone asks, and when',
    isThere: () => true,
    blocks: ({ warmers }, format) => [warmersBlock(warmers, format)],
  },
  {
    page: 'process',
    label: 'Process',
    about: 'Memory, event loop and versions',
    isThere: () => true,
    blocks: ({ process }, format) => [processBlock(process, format)],
  },
  {
    page: 'patterns',
    label: 'Patterns',
    about: 'How to name what a command is about',
    isThere: () => true,
    blocks: ({ config }, format, mention) => [patternBlock(config.admin.confirmAbove, format, mention)],
  },
];

/** The page that is asked for; `undefined` for the overview. */
export function pageOf(model: InfoModel): InfoPage | undefined {
  return PAGES.find(({ page, isThere }) => page === model.page && isThere(model));
}

const TIER = 'tier:';
/** A select takes 25 options. */
const MAX_OPTIONS = 25;

/** Which page to go to: the overview, the parts there are, and the tiers. */
export function pageSelect(model: InfoModel, id: ControlId): Select {
  const chosen = model.tier === undefined ? (pageOf(model)?.page ?? 'overview') : TIER + model.tier;
  const pages = PAGES.filter(({ isThere }) => isThere(model));
  const options = [
    { label: 'Overview', value: 'overview', description: 'Settings, tiers and status' },
    ...pages.map(({ page, label, about }) => ({ label, value: page, description: about })),
    ...model.policies
      .filter(({ tier }) => tier.length + TIER.length <= 100)
      .map(({ tier, label }) => ({
        label: `${label} tier`,
        value: TIER + tier,
        description: 'Its times, verdict and policies',
      })),
  ];
  return {
    id: id('page'),
    placeholder: 'More about',
    options: options
      .slice(0, MAX_OPTIONS)
      .map((option) => ({ ...option, selected: option.value === chosen })),
  };
}

/** What a value of the select stands for. */
export function readPage(value: string): { readonly page?: string; readonly tier?: string } {
  return value.startsWith(TIER) ? { tier: value.slice(TIER.length) } : { page: value };
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

/** `Startup last 5 min ago · Periodic next in 6 h` */
export function warmersLine(warmers: readonly WarmerStatus[], format: Format): string {
  if (warmers.length === 0) return '**Warmers:** none';
  const each = warmers.map(({ warmer, lastRun, nextAt }) => {
    const failed = lastRun !== null && lastRun.failed > 0 ? `, ${format.count(lastRun.failed)} failed` : '';
    if (lastRun?.state === 'running') return `${WARMER_LABELS[warmer]} runs now${failed}`;
    if (nextAt !== null) return `${WARMER_LABELS[warmer]} next ${instant(nextAt)}${failed}`;
    return `${WARMER_LABELS[warmer]} ${lastRun === null ? 'not run yet' : `last ${instant(lastRun.startedAt)}`}${failed}`;
  });
  return `**Warmers:** ${each.join(' · ')}`;
}

export function processLine(figures: ProcessFigures, format: Format): string {
  return `**Process:** heap ${format.bytes(figures.heapUsedBytes)} · ${loopText(figures, format)} · Cachecord ${figures.plugin}`;
}

function loopText({ loopBusyRatio, loopDelayP99Ms }: ProcessFigures, format: Format): string {
  const delay = loopDelayP99Ms === null ? '' : `, delay p99 ${format.duration(loopDelayP99Ms)}`;
  return `event loop ${format.percent(loopBusyRatio)} busy${delay}`;
}

function processBlock(figures: ProcessFigures, format: Format): Block {
  return {
    heading: '🧭 Process',
    lines: [
      `Heap ${format.bytes(figures.heapUsedBytes)} of ${format.bytes(figures.heapLimitBytes)} · resident ${format.bytes(figures.residentBytes)} · ${loopText(figures, format)}`,
      `Up since ${instant(figures.startedAt)} · Node ${figures.node} · discord.js ${figures.discordJs} · Cachecord ${figures.plugin}`,
    ],
  };
}

function patternBlock(confirmAbove: number, format: Format, mention: Mention): Block {
  return {
    heading: '✏️ Patterns',
    lines: [
      '`config::vip_tiers` one key · `products:*` a prefix · `user::123456::*` one user · `tier:query` a tier · `tag:…` a tag · `all`',
      `${mention('cache-clear')} asks before it clears more than ${entriesText(format, confirmAbove)}.`,
    ],
  };
}
