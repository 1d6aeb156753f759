/**
 * `/cache-clear`: tells what a pattern covers, asks before it removes more than a handful, and removes exactly what was
 * agreed to: the set is counted again at the press, and asked about anew when it has grown.
 */
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
  type MessageComponentInteraction,
} from 'discord.js';
import type { Preview } from '../cache/index/preview.ts';
import { type Answerable, answer, defer, edit, update } from './answer.ts';
import { chooseOptions, previewModel } from './clear-figures.ts';
import { clearAndTell } from './clearing.ts';
import type { AdminCommand, CommandServices } from './command.ts';
import { Offered, respond, targetChoices, targetValue } from './completion.ts';
import { storedNamespaces } from './known-keys.ts';
import { onRecord } from './on-record.ts';
import { openPress, pickedValue } from './press.ts';
import { CONFIRM_LIFE_MS, PANEL_LIFE_MS, type Session, Sessions } from './sessions.ts';
import { missing, previewEverywhere, type ShardRows, statsEverywhere } from './shards/everywhere.ts';
import { type ClearTarget, readTarget, suggestTarget, targetOnRecord } from './target.ts';
import { type TakenTurn, takeTurn } from './turn.ts';
import {
  alreadyEmptyView,
  badPatternView,
  cancelledView,
  chooseView,
  coveredEntries,
  notConfirmedView,
  nothingMatchesView,
  previewOnlyView,
  previewView,
} from './views/clear.ts';
import { formatFor } from './views/format.ts';
import { withPreviewRows } from './views/shards.ts';
import { alreadyDone, disabledCache } from './views/states.ts';
import { disabled, type View } from './views/view.ts';
import type { WarmPanels } from './warm-command.ts';

interface Question {
  /** `undefined` while it is still to be chosen. */
  readonly target: ClearTarget | undefined;
  /** Only what would be cleared is told, also of what is picked later. */
  readonly isPreview: boolean;
  /** Given back when nothing is cleared. */
  readonly turn?: TakenTurn;
  /** What was told; what is removed must not be much more. */
  readonly entries: number;
  /** The shards that did not answer, when it is about trying them again. */
  readonly silent?: readonly number[];
  shown: View | undefined;
}

/** A set that has grown by more than this since it was shown is asked about anew. */
const GROWTH_RATIO = 1.1;

export function clearCommand(warmPanels: WarmPanels): AdminCommand {
  const command = new ClearCommand(warmPanels);
  return {
    name: 'cache-clear',
    data: {
      name: 'cache-clear',
      description: 'Remove entries from the cache; the database is not changed',
      type: ApplicationCommandType.ChatInput,
      default_member_permissions: '0',
      options: [
        {
          type: ApplicationCommandOptionType.String,
          name: 'pattern',
          description: 'all, a key, or a pattern such as products:* or user::123456::*',
          autocomplete: true,
        },
        {
          type: ApplicationCommandOptionType.Boolean,
          name: 'preview',
          description: 'Only tell what would be removed',
        },
      ],
    },
    isCostly: (interaction) =>
      interaction.options.getString('pattern') !== null && interaction.options.getBoolean('preview') !== true,
    execute: (interaction, services) => command.execute(interaction, services),
    autocomplete: (interaction, services) => command.complete(interaction, services),
    async component(interaction, parts, services) {
      const press = await openPress('cache-clear', command.questions, interaction, parts, services);
      if (press !== undefined) await command.act(press.interaction, press.action, press.session, services);
    },
    stop: () => command.questions.stop(),
  };
}

/** What a press finds while another one is acted upon. */
const BEING_WORKED_ON = 'This question is being worked on.';

class ClearCommand {
  readonly questions = new Sessions<Question>('cache-clear');
  readonly #offered = new Offered<ClearTarget>();
  readonly #warmPanels: WarmPanels;

  constructor(warmPanels: WarmPanels) {
    this.#warmPanels = warmPanels;
  }

  complete(...[interaction, services]: Parameters<NonNullable<AdminCommand['autocomplete']>>): Promise<void> {
    const format = formatFor(interaction.locale);
    const typed = interaction.options.getFocused();
    return respond(interaction, targetChoices(services.cache, typed, this.#offered, format), services);
  }

  async execute(interaction: ChatInputCommandInteraction, services: CommandServices): Promise<void> {
    // Without it nobody would see what is asked, or what was removed.
    if (!(await defer(interaction, services))) return;
    const pattern = interaction.options.getString('pattern');
    if (!services.cache.enabled) {
      await edit(interaction, disabledCache(), services);
      return;
    }
    const isPreview = interaction.options.getBoolean('preview') === true;
    if (pattern === null || pattern.trim() === '') return this.#choose(interaction, services, isPreview);
    await this.#considerText(interaction, pattern, services, isPreview);
  }

  /** What was typed, or the value of a choice. */
  async #considerText(
    interaction: Answerable,
    text: string,
    services: CommandServices,
    isPreview: boolean,
  ): Promise<void> {
    const picked = this.#offered.resolve(text);
    const reading = picked === undefined ? readTarget(text, services.cache) : undefined;
    const target = picked ?? (reading?.ok === true ? reading.target : undefined);
    if (target !== undefined) await this.#consider(interaction, target, services, isPreview);
    else if (reading?.ok === false) {
      await edit(interaction, badPatternView(text, reading.problem, services.mention), services);
    }
  }

  async act(
    interaction: MessageComponentInteraction,
    action: string,
    session: Session<Question>,
    services: CommandServices,
  ): Promise<void> {
    const { clock } = services.cache;
    // From here on a second press gets a word, and acts on nothing, also one that came in together with the first.
    const isFirst = this.questions.end(session, clock, BEING_WORKED_ON);
    if (!isFirst) {
      await answer(interaction, alreadyDone(BEING_WORKED_ON), services);
      return;
    }
    const { target, shown, isPreview } = session.state;
    if (action === 'cancel') {
      session.state.turn?.giveBack?.();
      this.questions.end(session, clock, 'Cancelled. Nothing was cleared.');
      await update(interaction, cancelledView(), services);
      return;
    }
    if (shown !== undefined) await update(interaction, disabled(shown), services);
    if (target === undefined) {
      this.questions.end(session, clock, 'You have chosen already.');
      await this.#considerText(interaction, pickedValue(interaction), services, isPreview);
      return;
    }
    if (action === 'suggested') {
      this.questions.end(session, clock, 'The suggestion was taken already.');
      await this.#consider(interaction, target, services, isPreview);
      return;
    }
    if (action === 'retry') {
      const outcome = await this.#clear(interaction, target, services, {
        stored: 0,
        whom: session.state.silent,
      });
      this.questions.end(session, clock, outcome);
      return;
    }
    const { preview: now, rows } = await previewEverywhere(services, target);
    if (coveredEntries(now) > session.state.entries * GROWTH_RATIO) {
      this.questions.end(session, clock, 'More entries matched by then, so it asked again.');
      const { entries, turn } = session.state;
      await this.#ask(interaction, target, { preview: now, rows }, services, { before: entries, turn });
      return;
    }
    const outcome = await this.#clear(interaction, target, services, {
      stored: now.stored,
      thenWarm: action === 'confirm-warm',
    });
    this.questions.end(session, clock, outcome);
  }

  async #choose(interaction: Answerable, services: CommandServices, isPreview: boolean): Promise<void> {
    const { stats } = await statsEverywhere(services, 0);
    const valueFor = (target: ClearTarget) => targetValue(target, services.cache, this.#offered);
    const options = chooseOptions(stats, storedNamespaces(services.cache), interaction.locale, valueFor);
    if (options.length === 0) {
      await edit(interaction, alreadyEmptyView(), services);
      return;
    }
    const state = { target: undefined, isPreview, entries: 0, shown: undefined };
    const session = this.#open(interaction, state, services);
    session.state.shown = chooseView(options, session.expiresAt, session.id, isPreview);
    await edit(interaction, session.state.shown, services);
  }

  /** Clears at once, asks, or says that there is nothing. */
  async #consider(
    interaction: Answerable,
    target: ClearTarget,
    services: CommandServices,
    isPreview: boolean,
  ): Promise<void> {
    const found = await previewEverywhere(services, target);
    const { preview, rows } = found;
    // A shard that does not answer may hold what is meant.
    if (coveredEntries(preview) === 0 && preview.loads === 0 && missing(rows).length === 0) {
      onRecord(interaction, services, 'cache-clear', {
        action: 'clear',
        target: targetOnRecord(target),
        outcome: 'nothing matched',
      });
      await this.#nothing(interaction, target, services, isPreview);
      return;
    }
    if (isPreview) {
      const outcome = `preview: ${coveredEntries(preview)} entries`;
      onRecord(interaction, services, 'cache-clear', {
        action: 'view',
        target: targetOnRecord(target),
        outcome,
      });
      const model = previewModel(target, preview, services);
      const format = formatFor(interaction.locale);
      await edit(interaction, withPreviewRows(previewOnlyView(model, format), rows, format), services);
      return;
    }
    const turn = await takeTurn(interaction, 'cache-clear', services);
    if (turn === undefined) return;
    // What a shard holds that does not answer is not known.
    const mustAsk =
      target.kind !== 'key' &&
      (target.kind === 'all' ||
        coveredEntries(preview) > services.config.admin.confirmAbove ||
        missing(rows).length > 0);
    if (mustAsk) await this.#ask(interaction, target, found, services, { turn });
    else await this.#clear(interaction, target, services, { stored: preview.stored });
  }

  /** Says that nothing is covered, and offers what was probably meant. */
  async #nothing(
    interaction: Answerable,
    target: ClearTarget,
    services: CommandServices,
    isPreview: boolean,
  ): Promise<void> {
    if (target.kind === 'all') {
      await edit(interaction, alreadyEmptyView(), services);
      return;
    }
    const format = formatFor(interaction.locale);
    const found = await suggestTarget(services.cache, target.text);
    if (found === undefined) {
      await edit(interaction, nothingMatchesView(target.text, undefined, format), services);
      return;
    }
    const state = { target: found.target, isPreview, entries: 0, shown: undefined };
    const session = this.#open(interaction, state, services);
    const suggestion = { text: found.target.text, entries: found.entries };
    session.state.shown = nothingMatchesView(target.text, suggestion, format, session.id);
    await edit(interaction, session.state.shown, services);
  }

  async #ask(
    interaction: Answerable,
    target: ClearTarget,
    { preview, rows }: { readonly preview: Preview; readonly rows: ShardRows<Preview> },
    services: CommandServices,
    { before, turn }: { readonly before?: number; readonly turn: TakenTurn | undefined },
  ): Promise<void> {
    const format = formatFor(interaction.locale);
    const state = { target, isPreview: false, entries: coveredEntries(preview), shown: undefined };
    const session = this.#open(interaction, turn === undefined ? state : { ...state, turn }, services);
    const model = {
      ...previewModel(target, preview, services),
      expiresAt: session.expiresAt,
      canWarm: services.warmers.scopes.length > 0,
      ...(before === undefined ? {} : { before }),
    };
    session.state.shown = withPreviewRows(previewView(model, format, session.id), rows, format);
    await edit(interaction, session.state.shown, services);
  }

  #open(interaction: Answerable, state: Question, services: CommandServices): Session<Question> {
    return this.questions.open({
      clock: services.cache.clock,
      userId: interaction.user.id,
      lifeMs: CONFIRM_LIFE_MS,
      state,
      onExpire: () => {
        state.turn?.giveBack?.();
        // `edit` logs what fails and never rejects.
        void edit(interaction, notConfirmedView(), services);
      },
    });
  }

  #clear(
    interaction: Answerable,
    target: ClearTarget,
    services: CommandServices,
    how: {
      readonly stored: number;
      readonly thenWarm?: boolean;
      readonly whom?: readonly number[] | undefined;
    },
  ): Promise<string> {
    const withRetry = (view: View, silent: readonly number[]) =>
      this.#withRetry(view, interaction, target, silent, services);
    const clearing = { thenWarm: false, ...how, target, warmPanels: this.#warmPanels, withRetry };
    return clearAndTell(interaction, clearing, services);
  }

  /** The same with a button for the shards that did not answer. */
  #withRetry(
    view: View,
    { user }: Answerable,
    target: ClearTarget,
    silent: readonly number[],
    services: CommandServices,
  ): View {
    const { clock } = services.cache;
    const state: Question = { target, isPreview: false, entries: 0, silent, shown: undefined };
    const session = this.questions.open({ clock, userId: user.id, lifeMs: PANEL_LIFE_MS, state });
    const which = silent.length === 1 ? `shard ${silent[0]}` : `${silent.length} shards`;
    const label = `Try ${which} again`;
    const shown: View = {
      ...view,
      rows: [...(view.rows ?? []), [{ id: session.id('retry'), label, style: 'primary' }]],
    };
    session.state.shown = shown;
    return shown;
  }
}
