/**
 * Registration beside the host's own commands. A scope is read, compared, and only what differs is upserted, one by
 * one; the list is never replaced. Removed is only what is known to be ours: by an id that Discord gave us, or because
 * it equals our definition in every part.
 */
import {
  type APIApplicationCommand,
  ApplicationCommandType,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
  Routes,
} from 'discord-api-types/v10';
import { errorText } from '../../cache/error-text.ts';
import { NAME_A_GUILD } from '../../config/config.ts';
import type { Logger } from '../../logger.ts';
import { discordFailure } from '../discord-failure.ts';
import { type CommandStore, KeptCommands, memoryCommandStore } from './command-store.ts';
import { type Differences, differences } from './differences.ts';
import { type FormerGuild, tidyFormer } from './former.ts';
import { explainRefusal } from './refusals.ts';

export type CommandData = RESTPostAPIChatInputApplicationCommandsJSONBody;

/** What has to be done, or was done, by names. */
export interface GuildRegistration {
  readonly guildId: string;
  readonly create: readonly string[];
  readonly update: readonly string[];
  readonly unchanged: readonly string[];
}

export interface RegistrationPlan {
  readonly guilds: readonly GuildRegistration[];
  /** Guilds that are admin guilds no longer, and what of ours is to leave them. */
  readonly former: readonly FormerGuild[];
  /** Why something is not registered, and what to do about it. A sentence or two each. */
  readonly problems: readonly string[];
}

/** What was done. The names under `create` and `update` were created and updated, those under `remove` removed. */
export type RegistrationReport = RegistrationPlan;

/** What was taken off a guild, by names. */
export interface GuildRemoval extends FormerGuild {
  /** What has a name of ours and is not known to be ours: another version's, or the host's own. */
  readonly left: readonly string[];
}

export interface RemovalReport {
  readonly guilds: readonly GuildRemoval[];
  /** Why something was not removed, and what to do about it. */
  readonly problems: readonly string[];
}

/** What registration needs of the `REST` of `@discordjs/rest`, of which a client's `rest` is one. Every copy of it fits. */
export interface RegistrationRest {
  get(route: `/${string}`, options?: { query?: URLSearchParams }): Promise<unknown>;
  post(route: `/${string}`, options: { body: unknown }): Promise<unknown>;
  delete(route: `/${string}`): Promise<unknown>;
}

export interface RegistrationOptions {
  readonly rest: RegistrationRest;
  readonly guildIds: readonly string[];
  readonly wanted: readonly CommandData[];
  readonly logger: Logger;
  /** Remembers which commands are ours. @default for as long as the process lives */
  readonly store?: CommandStore | undefined;
  /** Which guilds are this process's affair; the others are another one's. @default all */
  readonly isOwn?: ((guildId: string) => boolean) | undefined;
  applicationId(): Promise<string>;
}

/** What to do when no admin guild is named. */
export const NO_GUILDS = `The cache commands are registered nowhere, because no admin guild is named: ${NAME_A_GUILD}`;

/** What is done about the differences in a guild; tells what became of them. */
type Act = (
  application: string,
  guildId: string,
  found: Differences,
) => Promise<Omit<Differences, 'equal'> & { readonly problems: readonly string[] }>;

const lookOnly: Act = async (_application, _guildId, found) => ({ ...found, problems: [] });

export class Registration {
  readonly #rest: RegistrationRest;
  /** All that are configured; those that are our affair are `#guildIds`. */
  readonly #adminGuildIds: readonly string[];
  readonly #guildIds: readonly string[];
  readonly #isOwn: (guildId: string) => boolean;
  readonly #kept: KeptCommands;
  readonly #wanted: readonly CommandData[];
  readonly #applicationId: () => Promise<string>;
  /** What Discord calls our commands, by guild and name. */
  readonly #ids = new Map<string, Map<string, string>>();
  /** Ids of commands that we made, or that are ours in every part. */
  readonly #ours = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: RegistrationOptions) {
    const { rest, guildIds, wanted, logger, store = memoryCommandStore(), applicationId } = options;
    this.#rest = rest;
    this.#isOwn = options.isOwn ?? (() => true);
    this.#adminGuildIds = guildIds;
    this.#guildIds = guildIds.filter(this.#isOwn);
    this.#kept = new KeptCommands(store, logger);
    this.#wanted = wanted;
    this.#applicationId = applicationId;
  }

  /** The id of a command of ours in a guild, when it is known. */
  idOf(guildId: string | null, name: string): string | undefined {
    return guildId === null ? undefined : this.#ids.get(guildId)?.get(name);
  }

  /** Discord names the id with every use of a command. */
  learn(guildId: string | null, name: string, id: string): void {
    if (guildId === null) return;
    const ids = this.#ids.get(guildId) ?? new Map<string, string>();
    this.#ids.set(guildId, ids.set(name, id));
  }

  /** What `register` would do; reads only. */
  plan(): Promise<RegistrationPlan> {
    return this.#inTurn(() => this.#all(lookOnly, false));
  }

  /**
   * Creates and updates what differs, and takes what is known to be ours off guilds that are no longer named. A failure
   * in one guild spoils nothing in another, and is a problem told.
   */
  register(): Promise<RegistrationReport> {
    const upsert: Act = async (application, guildId, found) => {
      const done = { create: [] as CommandData[], update: [] as CommandData[] };
      const problems: string[] = [];
      for (const kind of ['create', 'update'] as const) {
        for (const command of found[kind]) {
          const problem = await this.#upsert(application, guildId, command);
          if (problem === undefined) done[kind].push(command);
          else problems.push(problem);
        }
      }
      return { ...done, unchanged: found.unchanged, problems };
    };
    return this.#inTurn(() => this.#all(upsert, true));
  }

  /** Removes our commands, and nothing that is not known to be ours. */
  unregister(): Promise<RemovalReport> {
    return this.#inTurn(async () => {
      const application = await this.#applicationId();
      const { former, problems } = await this.#former(application, true);
      const report = {
        guilds: former.map((guild): GuildRemoval => ({ ...guild, left: [] })),
        problems: [...problems],
      };
      for (const guildId of this.#guildIds) {
        try {
          const { problems: refused, ...removal } = await this.#removeFrom(application, guildId);
          report.guilds.push(removal);
          report.problems.push(...refused);
          this.#ids.delete(guildId);
        } catch (error) {
          report.problems.push(explainRefusal(error, guildId, application));
        }
      }
      return report;
    });
  }

  async #removeFrom(application: string, guildId: string): Promise<GuildRemoval & { problems: string[] }> {
    const existing = await this.#list(application, guildId);
    const ours = existing.filter(({ id }) => this.#ours.has(id));
    const remove: string[] = [];
    const problems: string[] = [];
    for (const { id, name, version } of ours) {
      try {
        await this.#rest.delete(Routes.applicationGuildCommand(application, guildId, id));
        await this.#kept.forget({ applicationId: application, guildId, id, name, version });
        remove.push(name);
      } catch (error) {
        problems.push(`/${name}: ${explainRefusal(error, guildId, application)}`);
      }
    }
    const others = existing.filter(({ id }) => !this.#ours.has(id));
    return { guildId, remove, left: namesOf(differences(others, this.#wanted).update), problems };
  }

  /**
   * Our names that Discord does not have, by guild. Guilds that can't be read are left out.
   * @param options.registeredOnly leaves out what was never there, such as what Discord has refused
   */
  async missing(options: {
    readonly registeredOnly: boolean;
  }): Promise<readonly { readonly guildId: string; readonly names: readonly string[] }[]> {
    const { guilds } = await this.#inTurn(async () =>
      this.#everywhere(await this.#applicationId(), lookOnly),
    );
    return guilds
      .map(({ guildId, create }) => ({
        guildId,
        names: create.filter((name) => !options.registeredOnly || this.idOf(guildId, name) !== undefined),
      }))
      .filter(({ names }) => names.length > 0);
  }

  /** Every guild, and what goes beyond them. */
  async #all(act: Act, removes: boolean): Promise<RegistrationPlan> {
    const application = await this.#applicationId();
    const { former, problems } = await this.#former(application, removes);
    if (this.#adminGuildIds.length === 0) return { guilds: [], former, problems: [NO_GUILDS, ...problems] };
    if (this.#guildIds.length === 0) return { guilds: [], former, problems };
    const twice = await this.#twice(application);
    const there = await this.#everywhere(application, act);
    return { guilds: there.guilds, former, problems: [...twice, ...problems, ...there.problems] };
  }

  #former(application: string, removes: boolean) {
    return tidyFormer({
      rest: this.#rest,
      kept: this.#kept,
      application,
      isFormer: (guildId) => this.#isOwn(guildId) && !this.#adminGuildIds.includes(guildId),
      removes,
    });
  }

  async #everywhere(application: string, act: Act): Promise<Omit<RegistrationPlan, 'former'>> {
    const guilds: GuildRegistration[] = [];
    const problems: string[] = [];
    for (const guildId of this.#guildIds) {
      try {
        const existing = await this.#list(application, guildId);
        const result = await act(application, guildId, differences(existing, this.#wanted));
        const { create, update, unchanged } = result;
        guilds.push({
          guildId,
          create: namesOf(create),
          update: namesOf(update),
          unchanged: namesOf(unchanged),
        });
        problems.push(...result.problems);
      } catch (error) {
        problems.push(explainRefusal(error, guildId, application));
      }
    }
    return { guilds, problems };
  }

  /** Discord shows a command twice that is in the guild's list and in the global one. */
  async #twice(application: string): Promise<string[]> {
    try {
      const query = new URLSearchParams({ with_localizations: 'true' });
      const answer = await this.#rest.get(Routes.applicationCommands(application), { query });
      // As Discord documents it.
      const { equal } = differences(answer as readonly APIApplicationCommand[], this.#wanted);
      if (equal.length === 0) return [];
      const names = namesOf(equal).map((name) => `/${name}`);
      return [
        `${names.join(', ')} would show twice, and in every server: the bot's global list has them, too. ` +
          "Take them out of the list that the bot's own script deploys globally.",
      ];
    } catch (error) {
      return [`The global list of commands could not be read: ${discordFailure(error) ?? errorText(error)}`];
    }
  }

  /** One at a time, so that two calls do not both create the same command. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run);
    this.#queue = result.catch(() => undefined); // the caller has the failure
    return result;
  }

  /** The guild's commands; the ids of those that are ours are kept. */
  async #list(application: string, guildId: string): Promise<readonly APIApplicationCommand[]> {
    const query = new URLSearchParams({ with_localizations: 'true' });
    const answer = await this.#rest.get(Routes.applicationGuildCommands(application, guildId), { query });
    const existing = answer as readonly APIApplicationCommand[]; // as Discord documents it
    for (const command of differences(existing, this.#wanted).equal)
      await this.#own(application, guildId, command);
    return existing;
  }

  async #own(
    applicationId: string,
    guildId: string,
    { id, name, version }: APIApplicationCommand,
  ): Promise<void> {
    this.#ours.add(id);
    this.learn(guildId, name, id);
    await this.#kept.keep({ applicationId, guildId, id, name, version });
  }

  /** @returns the problem, if there was one */
  async #upsert(application: string, guildId: string, command: CommandData): Promise<string | undefined> {
    try {
      const answer = await this.#rest.post(Routes.applicationGuildCommands(application, guildId), {
        body: { ...command, type: ApplicationCommandType.ChatInput },
      });
      await this.#own(application, guildId, answer as APIApplicationCommand); // as Discord documents it
      return undefined;
    } catch (error) {
      return `/${command.name}: ${explainRefusal(error, guildId, application)}`;
    }
  }
}

function namesOf(commands: readonly { readonly name: string }[]): string[] {
  return commands.map(({ name }) => name);
}
