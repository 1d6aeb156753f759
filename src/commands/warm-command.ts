/**
 * `/cache-warm`: runs warmers by hand and shows how far they are, edited at most every two seconds, with a button that
 * stops them. A run that is under way is joined. When Discord stops taking edits, the run goes on without them.
 */
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
  type MessageComponentInteraction,
} from 'discord.js';
import type { TierPolicy } from '../cache/tiers/tier.ts';
import type { Config } from '../config/config.ts';
import type { WarmReport } from '../warmers/types.ts';
import { type Answerable, answer, defer, deferUpdate, edit, followUp, update } from './answer.ts';
import type { AdminCommand, CommandServices } from './command.ts';
import { respond } from './completion.ts';
import { onRecord } from './on-record.ts';
import { openPress, pickedValue } from './press.ts';
import { PANEL_LIFE_MS, type Session, Sessions } from './sessions.ts';
import { shardsOnRecord } from './shards/everywhere.ts';
import { type SpreadRun, warmEverywhere } from './shards/warm-everywhere.ts';
import { completeTier, tierNamed, tierOption } from './tier-option.ts';
import { takeTurn } from './turn.ts';
import { formatFor } from './views/format.ts';
import { keyText } from './views/key-text.ts';
import { withWarmRows } from './views/shards.ts';
import { alreadyDone, disabledCache } from './views/states.ts';
import { type ControlId, disabled, type View } from './views/view.ts';
import { chooseUserView, continuesView, noSuchScopeView, warmedView, warmingView } from './views/warm.ts';

/** Discord counts edits against a webhook's limit; people read no faster. */
const EDIT_EVERY_MS = 2_000;
/** A run shorter than this shows its result only. */
const QUICK_MS = 300;
/** A minute less than the token lives. */
const LAST_EDIT_MS = 14 * 60_000;
/** What a press finds that came in together with another one. */
const BEING_STOPPED = 'This run is being stopped.';
const STARTED = 'Warming has been started already.';

export interface WarmWish {
  readonly scope: string;
  readonly userId?: string;
  readonly force?: boolean;
}

interface Panel {
  readonly wish: WarmWish;
  /** `undefined` before it was started. */
  run: SpreadRun | undefined;
  shown: View | undefined;
  /** The greying out that a press of [Stop] sent; what comes after it must not be overtaken by it. */
  greying: Promise<boolean> | undefined;
}

/** How other commands offer to warm. */
export interface WarmPanels {
  /** The `custom_id` of a button that warms when it is pressed. */
  offer(userId: string, wish: WarmWish, services: CommandServices, lifeMs: number): string;
  /** Warms at once, shown in a message beside the answer. */
  runBeside(interaction: Answerable, wish: WarmWish, services: CommandServices): Promise<void>;
}

/** What is no tier's scope, or one that needs a person. */
const OTHER_SCOPES = [
  { name: 'Everything', value: 'all' },
  { name: 'One user', value: 'user' },
];

/** The tiers that are a scope by themselves. */
function warmTiers(tiers: readonly TierPolicy[]): readonly TierPolicy[] {
  return tiers.filter(({ tier }) => OTHER_SCOPES.every(({ value }) => value !== tier));
}

export function warmCommand(config: Config): { readonly command: AdminCommand; readonly panels: WarmPanels } {
  const warm = new WarmCommand();
  const command: AdminCommand = {
    name: 'cache-warm',
    data: {
      name: 'cache-warm',
      description: 'Fill the cache before anyone asks',
      type: ApplicationCommandType.ChatInput,
      default_member_permissions: '0',
      options: [
        tierOption(
          'scope',
          'What to warm (everything but users when left out)',
          warmTiers(config.cache.tiers),
          OTHER_SCOPES,
        ),
        { type: ApplicationCommandOptionType.User, name: 'user', description: 'Whose entries to warm' },
        {
          type: ApplicationCommandOptionType.Boolean,
          name: 'force',
          description: 'Load what is fresh again, too',
        },
      ],
    },
    isCostly: () => true,
    execute: (interaction, services) => warm.execute(interaction, services),
    autocomplete(interaction, services) {
      const typed = interaction.options.getFocused();
      const choices = completeTier(warmTiers(services.cache.tiers), typed, OTHER_SCOPES);
      return respond(interaction, choices, services);
    },
    async component(interaction, parts, services) {
      const press = await openPress('cache-warm', warm.panels, interaction, parts, services);
      if (press !== undefined) await warm.act(press.interaction, press.action, press.session, services);
    },
    stop: () => warm.panels.stop(),
  };
  return { command, panels: warm };
}

class WarmCommand implements WarmPanels {
  readonly panels = new Sessions<Panel>('cache-warm');

  async execute(interaction: ChatInputCommandInteraction, services: CommandServices): Promise<void> {
    const user = interaction.options.getUser('user');
    const scope =
      scopeNamed(interaction.options.getString('scope'), services) ?? (user === null ? 'all' : 'user');
    const force = interaction.options.getBoolean('force') ?? false;
    if (!(await defer(interaction, services))) return;
    if (scope === 'user' && user === null) {
      await this.#chooseUser(interaction, force, services);
      return;
    }
    const wish = { scope, force, ...(scope === 'user' && user !== null ? { userId: user.id } : {}) };
    await this.#run(interaction, wish, services, true);
  }

  async act(
    interaction: MessageComponentInteraction,
    action: string,
    session: Session<Panel>,
    services: CommandServices,
  ): Promise<void> {
    const { wish, run, shown } = session.state;
    const { clock } = services.cache;
    if (action === 'stop') {
      if (!this.panels.end(session, clock, BEING_STOPPED)) {
        await answer(interaction, alreadyDone(BEING_STOPPED), services);
        return;
      }
      if (shown !== undefined) {
        session.state.greying = update(interaction, disabled(shown), services);
        await session.state.greying;
      }
      // The result follows as an edit, once the job in hand has ended.
      run?.stop();
      return;
    }
    // `start` on another command's answer, `again` and `user` on our own: each warms once.
    if (!this.panels.end(session, clock, STARTED)) {
      await answer(interaction, alreadyDone(STARTED), services);
      return;
    }
    if (action === 'user') {
      if (!(await deferUpdate(interaction, services))) return;
      // The command has only asked for whom: what is picked now is its turn.
      await this.#run(interaction, { ...wish, userId: pickedValue(interaction) }, services, true);
      return;
    }
    if (!(await defer(interaction, services))) return;
    await this.#run(interaction, wish, services, false);
  }

  /** Asks whom scope `user` is about; the pick comes back as `user`. */
  async #chooseUser(
    interaction: ChatInputCommandInteraction,
    force: boolean,
    services: CommandServices,
  ): Promise<void> {
    if (!services.cache.enabled) {
      await edit(interaction, disabledCache(), services);
      return;
    }
    const { scopes } = services.warmers;
    if (!scopes.includes('user')) {
      await edit(interaction, noSuchScopeView('user', scopes), services);
      return;
    }
    const wish = { scope: 'user', force };
    const session = this.#open(interaction.user.id, wish, undefined, services, PANEL_LIFE_MS);
    await edit(interaction, chooseUserView(session.id), services);
  }

  offer(userId: string, wish: WarmWish, services: CommandServices, lifeMs: number): string {
    return this.#open(userId, wish, undefined, services, lifeMs).id('start');
  }

  async runBeside(interaction: Answerable, wish: WarmWish, services: CommandServices): Promise<void> {
    const run = this.#start(wish, services);
    if (run === undefined) return;
    const report = await run.done;
    await followUp(interaction, this.#result(interaction, wish, run, report, services), services);
  }

  #start(wish: WarmWish, services: CommandServices): SpreadRun | undefined {
    if (!this.#isKnown(wish, services)) return undefined;
    return warmEverywhere(services.warmers.run({ ...wish, trigger: 'command' }), wish, services);
  }

  #isKnown({ scope }: WarmWish, { warmers: { scopes } }: CommandServices): boolean {
    return scope === 'all' ? scopes.length > 0 : scopes.includes(scope);
  }

  #open(
    userId: string,
    wish: WarmWish,
    run: SpreadRun | undefined,
    services: CommandServices,
    lifeMs: number,
  ): Session<Panel> {
    const state: Panel = { wish, run, shown: undefined, greying: undefined };
    return this.panels.open({ clock: services.cache.clock, userId, lifeMs, state });
  }

  /**
   * Runs and shows it until it ends or Discord takes no more edits.
   * @param needsTurn false for a button on what an earlier turn has shown
   */
  async #run(
    interaction: Answerable,
    wish: WarmWish,
    services: CommandServices,
    needsTurn: boolean,
  ): Promise<void> {
    const { clock, enabled } = services.cache;
    if (!enabled) {
      await edit(interaction, disabledCache(), services);
      return;
    }
    if (!this.#isKnown(wish, services)) {
      await edit(interaction, noSuchScopeView(wish.scope, services.warmers.scopes), services);
      return;
    }
    if (needsTurn && (await takeTurn(interaction, 'cache-warm', services)) === undefined) return;
    const run = this.#start(wish, services);
    if (run === undefined) return;
    const format = formatFor(interaction.locale);
    const session = this.#open(interaction.user.id, wish, run, services, PANEL_LIFE_MS);
    const model = (report: WarmReport) => ({ report, scopeText: scopeText(wish), joined: run.joined });
    const startedAt = clock.now();
    let nextEditMs = QUICK_MS;
    for (;;) {
      if (await endsWithin(run, nextEditMs, services)) break;
      nextEditMs = EDIT_EVERY_MS;
      const isLast = clock.now() - startedAt >= LAST_EDIT_MS;
      const view = isLast
        ? continuesView(model(run.report()), services.config.admin.auditChannelId, format)
        : withWarmRows(warmingView(model(run.report()), format, session.id), run.rows(), format);
      session.state.shown = view;
      const isStopping = this.panels.press(session.nonce, session.userId).kind === 'over';
      await session.state.greying;
      await edit(interaction, isStopping ? disabled(view) : view, services);
      if (isLast) {
        this.#finishUnseen(interaction, wish, run, services);
        return;
      }
    }
    this.panels.end(session, clock, 'This run has ended.');
    const report = await run.done;
    await session.state.greying;
    await edit(interaction, this.#result(interaction, wish, run, report, services), services);
  }

  /** Records how a run ended whose message can no longer be edited. */
  #finishUnseen(interaction: Answerable, wish: WarmWish, run: SpreadRun, services: CommandServices): void {
    // `done` never rejects, and keeping the record never throws.
    void run.done.then((report) => record(interaction, wish, run, report, services));
  }

  #result(
    interaction: Answerable,
    wish: WarmWish,
    run: SpreadRun,
    report: WarmReport,
    services: CommandServices,
  ): View {
    const { reference } = record(interaction, wish, run, report, services);
    // Opened only where the button is shown. What failed is not fresh: it is loaded again and the rest left alone.
    const again: ControlId = (action) =>
      this.#open(interaction.user.id, { ...wish, force: false }, undefined, services, PANEL_LIFE_MS).id(
        action,
      );
    const model = { report, scopeText: scopeText(wish), joined: run.joined, reference };
    const format = formatFor(interaction.locale);
    return withWarmRows(warmedView(model, format, services.mention, again), run.rows(), format);
  }
}

function record(
  interaction: Answerable,
  wish: WarmWish,
  run: SpreadRun,
  report: WarmReport,
  services: CommandServices,
) {
  return onRecord(interaction, services, 'cache-warm', {
    action: 'warm',
    target: wish.userId === undefined ? wish.scope : `${wish.scope} ${wish.userId}`,
    outcome: `${report.state}: ${report.warmed} warmed, ${report.skipped} fresh, ${report.failed} failed, ${Math.round(report.ms)} ms${shardsOnRecord(run.rows())}`,
  });
}

/** The scope that a text names: with completion it may be a tier's label, or anything. */
function scopeNamed(text: string | null, { cache, warmers }: CommandServices): string | undefined {
  if (text === null) return undefined;
  // A choice names a tier by its name, which goes before all that it may look like.
  if (warmers.scopes.includes(text) || warmTiers(cache.tiers).some(({ tier }) => tier === text)) return text;
  const other = OTHER_SCOPES.find(({ name, value }) => [name, value].includes(text.trim()));
  return other?.value ?? tierNamed(cache.tiers, text)?.tier ?? text;
}

function scopeText(wish: WarmWish): string {
  if (wish.userId !== undefined) return `user ${keyText(wish.userId)}`;
  return wish.scope === 'all' ? 'everything' : wish.scope;
}

/** Waits for the run, at most so long; true when it has ended. */
function endsWithin(run: Pick<SpreadRun, 'done'>, ms: number, services: CommandServices): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = services.cache.clock.after(ms, () => resolve(false));
    // `done` never rejects.
    void run.done.then(() => {
      cancel();
      resolve(true);
    });
  });
}
