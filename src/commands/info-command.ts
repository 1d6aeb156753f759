/**
 * `/cache-info`: how the cache is set up and how it is, an overview with a page for each part. Reads memory, and of the
 * disk a few rows at most, so it answers at once.
 */
import { getHeapStatistics } from 'node:v8';
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  version as discordJsVersion,
} from 'discord.js';
import type { Cache } from '../cache/cache.ts';
import type { CacheStats } from '../cache/statistics/stats.ts';
import { type Config, configNotices } from '../config/config.ts';
import type { WriteBehindStats } from '../write-behind/types.ts';
import { type Answerable, answer, defer, deferUpdate, edit, update } from './answer.ts';
import { tierLabel } from './clear-figures.ts';
import type { AdminCommand, CommandServices } from './command.ts';
import { keyChoices, keyNamed, Offered, respond } from './completion.ts';
import { LoopDelay } from './loop-delay.ts';
import { onRecord } from './on-record.ts';
import { openPress, pickedValue } from './press.ts';
import { PANEL_LIFE_MS, type Session, Sessions } from './sessions.ts';
import { inOrder } from './shards/everywhere.ts';
import { ShardDesk } from './shards/shard-desk.ts';
import { nearestKey } from './target.ts';
import { completeTier, noSuchTierView, tierNamed, tierOption } from './tier-option.ts';
import { diskProblem } from './views/disk.ts';
import { type Format, formatFor } from './views/format.ts';
import { type InfoBeside, infoView, type LayerHealth, type ProcessFigures } from './views/info.ts';
import { readPage } from './views/info-pages.ts';
import { diskOfAll, feedOfAll, type InfoRows, writesOfAll } from './views/info-shards.ts';
import { absentView, storedView } from './views/inspection.ts';
import { lifetimeView } from './views/lifetime.ts';
import { ofOneShard, withInfoRows } from './views/shards.ts';
import { expired } from './views/states.ts';
import type { View } from './views/view.ts';

export function infoCommand(config: Config): AdminCommand {
  const loopDelay = new LoopDelay();
  const offered = new Offered<string>();
  const sessions = new Sessions<Panel>('cache-info');
  return {
    name: 'cache-info',
    data: {
      name: 'cache-info',
      description: 'See how the cache is configured, what it holds and how it is doing',
      type: ApplicationCommandType.ChatInput,
      default_member_permissions: '0',
      options: [
        tierOption('tier', 'Show one class of data in full', config.cache.tiers),
        {
          type: ApplicationCommandOptionType.String,
          name: 'key',
          description: 'Explain how long one key lives, and why',
          autocomplete: true,
        },
      ],
    },
    isCostly: () => false,
    async execute(interaction, services) {
      const { shards } = services;
      // Other shards may take longer than Discord waits.
      if (shards !== undefined && !(await defer(interaction, services))) return;
      loopDelay.start();
      const format = formatFor(interaction.locale);
      const typed = interaction.options.getString('key');
      const key = typed === null ? undefined : keyNamed(typed, offered);
      const wanted = interaction.options.getString('tier');
      onRecord(interaction, services, 'cache-info', {
        action: 'view',
        target: key ?? wanted ?? 'all tiers',
        outcome: 'shown',
      });
      if (key !== undefined) {
        const view = keyView(key, format, services);
        await answer(interaction, ofOneShard(view, shards), services);
        return;
      }
      const tier = wanted === null ? undefined : tierNamed(services.cache.tiers, wanted)?.tier;
      if (wanted !== null && tier === undefined) {
        await answer(interaction, noSuchTierView(wanted, services), services);
        return;
      }
      const session = sessions.open({
        clock: services.cache.clock,
        userId: interaction.user.id,
        lifeMs: PANEL_LIFE_MS,
        state: { ...(tier === undefined ? {} : { tier }), shown: undefined },
        onExpire: ({ state }) => {
          // `edit` logs what fails and never rejects.
          if (state.shown)
            void edit(interaction, expired(state.shown, services.mention, 'cache-info'), services);
        },
      });
      await answer(interaction, await panelView(interaction, session, services, loopDelay), services);
    },
    async component(interaction, parts, services) {
      const press = await openPress('cache-info', sessions, interaction, parts, services);
      if (press === undefined) return;
      const { session } = press;
      session.state = { ...readPage(pickedValue(press.interaction)), shown: undefined };
      if (services.shards !== undefined && !(await deferUpdate(press.interaction, services))) return;
      const view = await panelView(press.interaction, session, services, loopDelay);
      await update(press.interaction, view, services);
    },
    autocomplete(interaction, services) {
      const { name, value } = interaction.options.getFocused(true);
      const choices =
        name === 'tier'
          ? completeTier(services.cache.tiers, value)
          : keyChoices(services.cache, value, offered);
      return respond(interaction, choices, services);
    },
    stop() {
      loopDelay.stop();
      sessions.stop();
    },
  };
}

/** What a panel shows at the moment: a page, a tier, or the overview. */
interface Panel {
  readonly page?: string;
  readonly tier?: string;
  shown: View | undefined;
}

/** The page that the panel is at. Takes up to five seconds where other shards are asked. */
async function panelView(
  interaction: Answerable,
  session: Session<Panel>,
  services: CommandServices,
  loopDelay: LoopDelay,
): Promise<View> {
  const { cache, warmers, shards } = services;
  const { page, tier } = session.state;
  const format = formatFor(interaction.locale);
  const own = new ShardDesk(services, () => interaction.client.guilds.cache.size).info();
  const rows = shards && inOrder(shards, own, await shards.ask('info', {}));
  const { stats, writeBehind, beside } = figuresOf(cache.stats(0), services, rows, format);
  const view = infoView(
    {
      config: services.config,
      policies: cache.tiers,
      stats,
      warmers: warmers.status(),
      layers: layersOf(cache, stats, format),
      configNotices: configNotices(services.config),
      process: processFigures(interaction, services, loopDelay),
      ...(writeBehind === undefined ? {} : { writeBehind }),
      ...(beside === undefined ? {} : { beside }),
      ...(tier === undefined ? {} : { tier }),
      ...(page === undefined ? {} : { page }),
    },
    format,
    services.mention,
    session.id,
  );
  const isBrief = tier !== undefined || !['overview', 'process'].includes(page ?? 'overview');
  session.state.shown = withInfoRows(view, rows, shards?.own ?? 0, format, isBrief);
  return session.state.shown;
}

/** How long a key lives, and why; or that it is not there. */
function keyView(key: string, format: Format, { cache, mention }: CommandServices): View {
  const now = cache.clock.epochAt(cache.clock.now());
  const stored = cache.stored?.inspect(key);
  const report = cache.inspect(key);
  const policy = report && cache.tiers.find(({ tier }) => tier === report.tier);
  if (report !== undefined && policy !== undefined) {
    const isStored = cache.stored && stored !== undefined;
    return lifetimeView({ report, policy, now, isStored }, format, mention);
  }
  if (stored === undefined) return absentView(key, nearestKey(cache, key));
  return storedView({ report: stored, tierLabel: tierLabel(cache, stored.tier), now }, format);
}

/** Disk, feed and write-behind are of all shards, where there are several; the rest is of this process. */
function figuresOf(
  own: CacheStats,
  { writeBehind }: CommandServices,
  rows: InfoRows | undefined,
  format: Format,
): {
  readonly stats: CacheStats;
  readonly writeBehind?: WriteBehindStats | undefined;
  readonly beside?: InfoBeside;
} {
  if (rows === undefined) return { stats: own, writeBehind: writeBehind?.stats() };
  const disk = diskOfAll(rows);
  const feed = feedOfAll(rows, format);
  const writes = writesOfAll(rows, format);
  return {
    stats: { ...own, disk: disk?.disk ?? null, feed: feed?.feed ?? null },
    writeBehind: writes?.figures,
    beside: {
      disk: disk?.beside ?? [],
      files: disk?.files,
      feed: feed?.beside ?? [],
      writes: writes?.beside ?? [],
      journals: writes?.journals ?? 0,
    },
  };
}

/** The layers there are; farther ones join here. */
function layersOf(cache: Cache, { total, disk }: CacheStats, format: Format): LayerHealth[] {
  const problem = disk === null ? undefined : diskProblem(disk);
  return [
    {
      layer: 'memory',
      state: cache.enabled ? 'ok' : 'off',
      detail: `${format.bytes(total.weightBytes)} of ${format.bytes(cache.maxWeightBytes)}`,
    },
    ...(disk === null
      ? []
      : [
          {
            layer: 'disk',
            state: problem === undefined ? ('ok' as const) : ('degraded' as const),
            detail: problem ?? `${format.bytes(disk.bytes)} of ${format.bytes(disk.maxBytes)}`,
          },
        ]),
  ];
}

function processFigures(
  interaction: Answerable,
  services: CommandServices,
  loopDelay: LoopDelay,
): ProcessFigures {
  const memory = process.memoryUsage();
  return {
    heapUsedBytes: memory.heapUsed,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    residentBytes: memory.rss,
    loopBusyRatio: performance.eventLoopUtilization().utilization,
    loopDelayP99Ms: loopDelay.p99Ms(),
    node: process.versions.node,
    discordJs: discordJsVersion,
    plugin: services.version,
    startedAt: services.startedAt,
    guilds: interaction.client.guilds.cache.size,
    users: interaction.client.users.cache.size,
  };
}
