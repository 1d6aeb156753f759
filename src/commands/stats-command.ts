/**
 * `/cache-stats`: one panel with the pages overview, tiers and keys, and the inspection of one key. Reads memory only,
 * so it answers at once. Which figures a page shows is in `stats-pages.ts`, what it says in `views/`.
 */
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
  type MessageComponentInteraction,
} from 'discord.js';
import type { Config } from '../config/config.ts';
import { shownError, withoutSecrets } from '../logger/secrets.ts';
import { type Answerable, answer, defer, deferUpdate, edit, update } from './answer.ts';
import type { AdminCommand, CommandServices } from './command.ts';
import { keyChoices, keyNamed, Offered, respond } from './completion.ts';
import { onRecord } from './on-record.ts';
import { openPress, pickedValue } from './press.ts';
import { reloadOf } from './reload.ts';
import { PANEL_LIFE_MS, type Session, Sessions } from './sessions.ts';
import { clearEverywhere, previewEverywhere, shardsOnRecord, statsEverywhere } from './shards/everywhere.ts';
import { PAGE_LABELS, PAGES, type Panel, show } from './stats-pages.ts';
import { nearestKey } from './target.ts';
import { completeTier, noSuchTierView, tierNamed, tierOption } from './tier-option.ts';
import { clearedOutcome, clearedView } from './views/clear.ts';
import { formatFor } from './views/format.ts';
import { KEY_ORDERS } from './views/keys.ts';
import { fileName } from './views/redacted.ts';
import { withClearedRows } from './views/shards.ts';
import { alreadyDone, expired } from './views/states.ts';
import { type ControlRow, disabled, type View } from './views/view.ts';

export function statsCommand(config: Config): AdminCommand {
  const sessions = new Sessions<Panel>('cache-stats');
  const offered = new Offered<string>();
  return {
    name: 'cache-stats',
    data: {
      name: 'cache-stats',
      description: "See how well the bot's cache works and what it holds",
      type: ApplicationCommandType.ChatInput,
      default_member_permissions: '0',
      options: [
        {
          type: ApplicationCommandOptionType.String,
          name: 'view',
          description: 'Which page to begin with',
          choices: PAGES.map((page) => ({ name: PAGE_LABELS[page], value: page })),
        },
        tierOption('tier', 'Show one class of data only', config.cache.tiers),
        {
          type: ApplicationCommandOptionType.String,
          name: 'key',
          description: 'Look at one cached key',
          autocomplete: true,
        },
      ],
    },
    isCostly: () => false,
    execute: (interaction, services) => execute(interaction, services, sessions, offered),
    autocomplete(interaction, services) {
      const { name, value } = interaction.options.getFocused(true);
      const choices =
        name === 'tier'
          ? completeTier(services.cache.tiers, value)
          : keyChoices(services.cache, value, offered);
      return respond(interaction, choices, services);
    },
    async component(interaction, parts, services) {
      const press = await openPress('cache-stats', sessions, interaction, parts, services);
      if (press !== undefined) await act(press.interaction, press.action, press.session, services);
    },
    stop: () => sessions.stop(),
  };
}

async function execute(
  interaction: ChatInputCommandInteraction,
  services: CommandServices,
  sessions: Sessions<Panel>,
  offered: Offered<string>,
): Promise<void> {
  // Other shards may take longer than Discord waits; memory never does.
  if (services.shards !== undefined && !(await defer(interaction, services))) return;
  const view = interaction.options.getString('view');
  const key = interaction.options.getString('key');
  const page = PAGES.find((one) => one === view) ?? 'overview';
  const wanted = interaction.options.getString('tier');
  const tier = wanted === null ? undefined : tierNamed(services.cache.tiers, wanted);
  if (wanted !== null && tier === undefined) {
    await answer(interaction, noSuchTierView(wanted, services), services);
    return;
  }
  const session = sessions.open({
    clock: services.cache.clock,
    userId: interaction.user.id,
    lifeMs: PANEL_LIFE_MS,
    state: {
      page,
      tier: tier?.tier,
      order: 'hits',
      keyPage: 0,
      tierPage: 0,
      listed: [],
      cleared: undefined,
      key: key === null ? undefined : keyNamed(key, offered),
      hasBack: false,
      shard: undefined,
      shown: undefined,
    },
    onExpire: ({ state }) => {
      // `edit` logs what fails and never rejects.
      if (state.shown)
        void edit(interaction, expired(state.shown, services.mention, 'cache-stats'), services);
    },
  });
  const target = session.state.key ?? page;
  onRecord(interaction, services, 'cache-stats', { action: 'view', target, outcome: 'shown' });
  await answer(interaction, await show(session, interaction.locale, services), services);
}

async function act(
  interaction: MessageComponentInteraction,
  action: string,
  session: Session<Panel>,
  services: CommandServices,
): Promise<void> {
  const { state } = session;
  const picked = pickedValue(interaction);
  switch (action) {
    case 'export':
      return exportStats(interaction, services);
    case 'clear':
      return clearKey(interaction, session, services);
    case 'reload':
      return reloadKey(interaction, session, services);
    case 'view':
      state.page = PAGES.find((page) => page === picked) ?? state.page;
      break;
    case 'order':
      state.order = KEY_ORDERS.find((one) => one.order === picked)?.order ?? state.order;
      state.keyPage = 0;
      break;
    case 'previous':
      state[state.page === 'tiers' ? 'tierPage' : 'keyPage']--;
      break;
    case 'next':
      state[state.page === 'tiers' ? 'tierPage' : 'keyPage']++;
      break;
    case 'inspect':
      state.hasBack = true;
      inspect(interaction, session, state.listed[Number(picked)], services);
      break;
    case 'closest': {
      const key = state.key === undefined ? undefined : nearestKey(services.cache, state.key);
      inspect(interaction, session, key, services);
      break;
    }
    case 'back':
      state.key = undefined;
      state.cleared = undefined;
      break;
    case 'shard':
      state.shard = /^\d+$/.test(picked) ? Number(picked) : undefined;
      break;
    // 'refresh' shows the same page again.
  }
  if (services.shards !== undefined && !(await deferUpdate(interaction, services))) return;
  await update(interaction, await show(session, interaction.locale, services), services);
}

/** Looking into a key is on record, however it was come by. */
function inspect(
  interaction: MessageComponentInteraction,
  { state }: Session<Panel>,
  key: string | undefined,
  services: CommandServices,
): void {
  state.key = key;
  state.cleared = undefined;
  if (key === undefined) return;
  onRecord(interaction, services, 'cache-stats', { action: 'view', target: key, outcome: 'shown' });
}

/** The figures as a file, for a spreadsheet or a bug report. */
async function exportStats(
  interaction: MessageComponentInteraction,
  services: CommandServices,
): Promise<void> {
  if (services.shards !== undefined && !(await defer(interaction, services))) return;
  const { stats, rows } = await statsEverywhere(services, 100);
  const entry = onRecord(interaction, services, 'cache-stats', {
    action: 'export',
    target: 'statistics',
    outcome: 'sent as JSON',
  });
  const figures = rows === undefined ? stats : { ...stats, shards: rows };
  const view: View = {
    tone: 'normal',
    title: '📊 Cache Statistics — JSON',
    blocks: [{ lines: ['Every figure of this moment. It names keys: share it with care.'] }],
    notes: [`Reference ${entry.reference}`],
    file: { name: 'cache-stats.json', text: `${JSON.stringify(figures, shareable, 2)}\n` },
  };
  await answer(interaction, view, services);
}

/** Figures whose texts are of errors, and those that are places on the host. */
const ERRORS = ['message', 'problem', 'error'];
const PATHS = ['path', 'setAside'];

/** A file travels: no secret and no path of the host is in it. JSON has no Infinity: what never expires says so. */
function shareable(name: string, value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY) return 'never';
  if (typeof value !== 'string') return value;
  if (ERRORS.includes(name)) return shownError(value);
  return PATHS.includes(name) ? fileName(value) : withoutSecrets(value);
}

async function clearKey(
  interaction: MessageComponentInteraction,
  session: Session<Panel>,
  services: CommandServices,
): Promise<void> {
  const { key, cleared: before } = session.state;
  // Pressed together with another button, or twice: the first press has settled it.
  if (key === undefined || before !== undefined) {
    await answer(interaction, alreadyDone(before ?? 'You went back. Nothing was cleared.'), services);
    return;
  }
  session.state.cleared = 'This entry is being cleared.';
  if (services.shards !== undefined && !(await deferUpdate(interaction, services))) {
    session.state.cleared = undefined;
    return;
  }
  const target = { kind: 'key', text: key } as const;
  const { stored } = (await previewEverywhere(services, target)).preview;
  const { removal, ms, rows } = await clearEverywhere(services, target);
  const format = formatFor(interaction.locale);
  const { clock } = services.cache;
  const outcome = { entries: removal.entries, stored };
  session.state.cleared = clearedOutcome(outcome, clock.epochAt(clock.now()), format);
  const { reference } = onRecord(interaction, services, 'cache-stats', {
    action: 'clear',
    target: key,
    outcome: `${removal.entries} entries, ${removal.weightBytes} bytes${shardsOnRecord(rows)}`,
  });
  const cleared = clearedView(
    { target: key, isKey: true, removal, stored, ms, reference, warm: undefined },
    format,
  );
  const view = withClearedRows(cleared, rows, format);
  const back: ControlRow = [{ id: session.id('back'), label: 'Back to the statistics', style: 'secondary' }];
  session.state.shown = { ...view, rows: [back] };
  await update(interaction, session.state.shown, services);
}

async function reloadKey(
  interaction: MessageComponentInteraction,
  session: Session<Panel>,
  services: CommandServices,
): Promise<void> {
  const { key, shown } = session.state;
  const report = key === undefined ? undefined : services.cache.inspect(key);
  const reload = report === undefined ? undefined : reloadOf(report, services);
  if (key !== undefined && reload !== undefined) {
    // Greyed out while it runs, so that it is pressed once.
    if (shown !== undefined) await update(interaction, disabled(shown), services);
    const run = services.warmers.run({ ...reload.request, trigger: 'command', force: true });
    const done = await run.done;
    onRecord(interaction, services, 'cache-stats', {
      action: 'reload',
      target: key,
      outcome: `${done.warmed} warmed, ${done.failed} failed`,
    });
  }
  session.state.cleared = undefined;
  await showAgain(interaction, session, services);
}

async function showAgain(
  interaction: Answerable,
  session: Session<Panel>,
  services: CommandServices,
): Promise<void> {
  const view = await show(session, interaction.locale, services);
  if (interaction.isMessageComponent()) await update(interaction, view, services);
}
