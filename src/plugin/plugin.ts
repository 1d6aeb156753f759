/**
 * The composition root for a host bot: its client and a configuration in, the cache with its warmers and the admin
 * commands out. It touches no prototype and none of the host's commands, and `stop` undoes all it did.
 */
import {
  type Client,
  type ClientEvents,
  Events,
  type Interaction,
  type RESTGetCurrentApplicationResult,
  Routes,
  ShardClientUtil,
} from 'discord.js';
import { hasMethods, invalidArgument, kindOf } from '../cache/arguments.ts';
import type { Cache } from '../cache/cache.ts';
import type { Clock } from '../cache/clock.ts';
import { createCache } from '../cache/create-cache.ts';
import { CacheError } from '../cache/errors.ts';
import type { InvalidationTarget } from '../cache/keys/target.ts';
import { Access, ownersOf } from '../commands/access.ts';
import { Audit } from '../commands/audit.ts';
import { adminCommands } from '../commands/commands.ts';
import { Cooldown } from '../commands/cooldown.ts';
import { Dispatcher } from '../commands/dispatcher.ts';
import { registerAndTell } from '../commands/registration/log.ts';
import {
  type CommandData,
  Registration,
  type RegistrationPlan,
  type RegistrationReport,
} from '../commands/registration/registration.ts';
import { CommandWatch } from '../commands/registration/watch.ts';
import { broadcastLink } from '../commands/shards/broadcast-link.ts';
import { answers, missing } from '../commands/shards/everywhere.ts';
import { ForgetElsewhere } from '../commands/shards/forget-elsewhere.ts';
import { ShardDesk } from '../commands/shards/shard-desk.ts';
import { type ShardQuestions, Shards } from '../commands/shards/shards.ts';
import { assertConfig, type Config, configNotices, parseConfig } from '../config/config.ts';
import { addReceipts, assertId, type ForgetReceipt, forget } from '../forget.ts';
import { consoleLogger } from '../logger/console-logger.ts';
import { guardedLogger, type Logger } from '../logger.ts';
import { scopeNotices } from '../warmers/scopes.ts';
import type { Warmers } from '../warmers/types.ts';
import { createWarmers } from '../warmers/warmers.ts';
import type { WriteBehind } from '../write-behind/types.ts';
import type { Cachecord, CachecordOptions, HostCommand, StartOptions } from './cachecord.ts';
import { assertAlone, marked } from './claim.ts';
import type { DiscordClient, DiscordInteraction } from './discord.ts';
import { assertDiscordVersion } from './discord-version.ts';
import { assertCachecordOptions, assertClient, assertForgotten, assertStartOptions } from './options.ts';
import { ownVersion } from './own-version.ts';
import { calmAfterEnd, Requests } from './requests.ts';

/**
 * The definitions for the host's deploy script. Pure: neither a client nor a database.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for what is no configuration
 * @param options `writeBehind: true` where the plugin is given one, or `/cache-writes` would be missing
 */
export function cacheCommandData(
  config: Config,
  options: { readonly writeBehind?: boolean } = {},
): readonly CommandData[] {
  assertConfig(config, 'cacheCommandData(config)');
  return adminCommands(config, options).map(({ data }) => data);
}

/**
 * Puts the cache, its warmers and the admin commands beside the host's own. Nothing runs before `start`. Without a
 * configuration its defaults hold, and the commands are registered nowhere.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for arguments of the wrong kind, with what to write
 */
export function createCachecord(client: DiscordClient, options: CachecordOptions = {}): Cachecord {
  assertClient(client);
  assertCachecordOptions(options);
  assertDiscordVersion(client);
  return new Plugin(client as Client, options); // the type says what every build of discord.js has
}

/** All of `stop` has five seconds; the warmers take two of them at most, and so does what is still to be saved. */
const FLUSH_LIMIT_MS = 2_000;
const DRAIN_LIMIT_MS = 2_000;
/** What has only to notice that its request was ended takes next to none. */
const UNWIND_LIMIT_MS = 200;

/** How long after the login `start` may still come, as in bots that call it in a listener of their own. */
const START_EXPECTED_MS = 10_000;

class Plugin implements Cachecord {
  readonly cache: Cache;
  readonly warmers: Warmers;
  readonly commands: readonly HostCommand[];
  readonly #writeBehind: WriteBehind | undefined;
  readonly #client: Client;
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #ownsCache: boolean;
  readonly #requests: Requests;
  /** Knows that requests are ended by `stop`. */
  readonly #calm: Logger;
  readonly #audit: Audit;
  readonly #access: Access;
  readonly #registration: Registration;
  readonly #dispatcher: Dispatcher;
  readonly #shards: Shards | undefined;
  readonly #elsewhere: ForgetElsewhere | undefined;
  readonly #desk: ShardDesk;
  /** What `stop` has to take back, such as listeners and timers. */
  readonly #undo: (() => void)[] = [];
  #listen: NonNullable<StartOptions['listen']> = 'none';
  #background: Promise<unknown> = Promise.resolve();
  /** Ends the wait for `start`. */
  #startExpected: () => void = () => undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(client: Client, options: CachecordOptions) {
    const { config = parseConfig({}), warmTasks = [] } = options;
    const logger = guardedLogger(options.logger ?? consoleLogger);
    this.#client = client;
    this.#config = config;
    this.#logger = logger;
    this.#ownsCache = options.cache === undefined;
    this.cache =
      options.cache ??
      createCache({
        ...config.cache,
        logger,
        clock: options.clock,
        valueTypes: options.valueTypes,
      });
    const { writeBehind } = options;
    this.#writeBehind = typeof writeBehind === 'function' ? writeBehind(this.cache) : writeBehind;
    const clock = options.clock ?? this.cache.clock;
    this.#clock = clock;
    this.warmers = createWarmers({
      tasks: typeof warmTasks === 'function' ? warmTasks(this.cache) : warmTasks,
      config: config.warmers,
      warmth: this.cache.warmth,
      clock,
      logger,
    });
    const admin = adminCommands(config, { writeBehind: this.#writeBehind !== undefined });
    const { auditChannelId } = config.admin;
    const requests = new Requests(client);
    this.#requests = requests;
    const calm = calmAfterEnd(logger, requests);
    this.#calm = calm;
    this.#audit = new Audit({
      clock,
      logger: calm,
      sink: options.auditSink,
      post:
        auditChannelId === null
          ? undefined
          : (content) =>
              requests.post(Routes.channelMessages(auditChannelId), {
                body: { content, allowed_mentions: { parse: [] } },
              }),
    });
    this.#access = new Access({
      rules: config.admin,
      clock,
      logger: calm,
      fetchOwners: async () => ownersOf(await this.#application()),
    });
    const link = options.shards ?? broadcastLink(client);
    this.#registration = new Registration({
      rest: requests,
      guildIds: config.admin.guildIds,
      wanted: admin.map(({ data }) => data),
      logger: calm,
      store: options.commandStore,
      isOwn: link && ((guildId) => link.ids.includes(ShardClientUtil.shardIdForGuildId(guildId, link.count))),
      applicationId: async () => client.application?.id ?? (await this.#application()).id,
    });
    const startedAt = clock.epochAt(clock.now());
    this.#shards = link && new Shards({ link, clock, logger, version: ownVersion() });
    this.#elsewhere = this.#shards && new ForgetElsewhere(this.#shards, clock, logger);
    this.#desk = new ShardDesk(
      {
        cache: this.cache,
        warmers: this.warmers,
        logger,
        startedAt,
        ...(this.#writeBehind === undefined ? {} : { writeBehind: this.#writeBehind }),
      },
      () => client.guilds.cache.size,
    );
    this.#dispatcher = new Dispatcher({
      commands: admin,
      services: {
        cache: this.cache,
        warmers: this.warmers,
        config,
        audit: this.#audit,
        logger,
        version: options.version ?? ownVersion(),
        startedAt,
        ...(this.#shards === undefined ? {} : { shards: this.#shards }),
        ...(this.#writeBehind === undefined ? {} : { writeBehind: this.#writeBehind }),
      },
      access: this.#access,
      cooldown: new Cooldown(clock, config.admin.cooldownMs),
      registration: this.#registration,
    });
    this.commands = admin.map(({ data }) => this.#hostCommand(data));
    this.#expectStart();
  }

  async handle(interaction: DiscordInteraction): Promise<boolean> {
    if (!hasMethods(interaction, 'isChatInputCommand')) {
      throw invalidArgument(
        'handle(interaction)',
        `interaction is ${kindOf(interaction)}, expected what the event interactionCreate brings`,
      );
    }
    return this.#dispatcher.handle(interaction as Interaction);
  }

  start(options: StartOptions = {}): Promise<void> {
    return this.#unlessStopped(() => this.#startOnce(options));
  }

  #startOnce(options: StartOptions): Promise<void> {
    if (this.#started !== undefined) return this.#started;
    try {
      assertStartOptions(options);
      assertAlone(this.#client);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#startExpected();
    this.#started = this.#start(options);
    return this.#started;
  }

  #unlessStopped<T>(run: () => Promise<T>): Promise<T> {
    if (this.#stopped === undefined) return run();
    return Promise.reject(new CacheError('ERR_CLOSED', 'Cachecord was stopped: make a new one to go on.'));
  }

  /** Warns of a forgotten `start`, since without it nothing else would say why the commands are missing. */
  #expectStart(): void {
    const wait = () => {
      this.#startExpected = this.#clock.after(START_EXPECTED_MS, () =>
        this.#logger.warn(
          'cachecord.start() was not called, so Cachecord adds no commands, warms nothing and answers nobody: write `await cachecord.start()` before `client.login(…)`.',
        ),
      );
    };
    if (this.#client.isReady()) {
      wait();
    } else {
      this.#client.once(Events.ClientReady, wait);
      this.#startExpected = () => void this.#client.off(Events.ClientReady, wait);
    }
  }

  register(): Promise<RegistrationReport> {
    return this.#unlessStopped(() => this.#registration.register());
  }

  plan(): Promise<RegistrationPlan> {
    return this.#unlessStopped(() => this.#registration.plan());
  }

  unregister(): Promise<void> {
    return this.#unlessStopped(async () => {
      const { problems } = await this.#registration.unregister();
      for (const problem of problems) this.#calm.warn(problem);
    });
  }

  forgetUser(id: string, also?: readonly InvalidationTarget[]): Promise<ForgetReceipt> {
    return this.#forget('user', id, also);
  }

  forgetGuild(id: string, also?: readonly InvalidationTarget[]): Promise<ForgetReceipt> {
    return this.#forget('guild', id, also);
  }

  async #forget(
    kind: ForgetReceipt['kind'],
    id: string,
    also?: readonly InvalidationTarget[],
  ): Promise<ForgetReceipt> {
    assertForgotten(kind, id, also);
    assertId(kind, id);
    const [own, replies] = await Promise.all([
      this.#forgetHere({ kind, id, also: also ?? [] }),
      this.#elsewhere?.ask({ kind, id, also: also ?? [] }) ?? [],
    ]);
    const silentShards = missing(replies);
    const receipt = { ...addReceipts(own, answers(replies)), silentShards };
    const { entries, stored, topKeys, hotKeys, writes, isUnfinished } = receipt;
    this.#logger.info(`What the cache held of a ${kind} was forgotten.`, {
      entries,
      stored,
      topKeys,
      hotKeys,
      writes,
      isUnfinished,
    });
    if (isUnfinished) {
      this.#logger.warn(
        `A file did not give up all that was held of a ${kind}: it is not used any more, and removed as soon as the file lets.`,
      );
    }
    return receipt;
  }

  #forgetHere({ kind, id, also }: ShardQuestions['forget']['ask']): Promise<ForgetReceipt> {
    if (kind === 'user') this.warmers.userForgotten(id);
    return forget(this.cache, kind, id, also, { writeBehind: this.#writeBehind });
  }

  /** discord.js tells of an outage by another event. */
  #left(guildId: string): void {
    this.forgetGuild(guildId).catch((error: unknown) => {
      this.#logger.error('What the cache held of a guild that was left could not be forgotten.', { error });
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #start({ listen = 'all', register = true }: StartOptions): Promise<void> {
    for (const notice of configNotices(this.#config)) this.#logger.warn(notice);
    for (const notice of scopeNotices(this.warmers.scopes, this.cache.tiers)) this.#logger.warn(notice);
    this.#listen = listen;
    // Before the host's listeners, which may answer what they do not know.
    const seen = (interaction: Interaction) => this.#seen(interaction);
    this.#client.prependListener(Events.InteractionCreate, seen);
    this.#undo.push(() => this.#client.off(Events.InteractionCreate, seen));
    this.#on(
      Events.GuildDelete,
      marked(({ id }) => this.#left(id)),
    );
    this.#on(Events.Error, (error) => this.#clientFailed(error));
    const serving = this.#shards?.serve((question, from) =>
      question.topic === 'forget' ? this.#forgetHere(question) : this.#desk.answer(question, from),
    );
    if (serving !== undefined) this.#undo.push(serving);
    if (this.#client.isReady()) this.#ready(register);
    else {
      const ready = () => this.#ready(register);
      this.#client.once(Events.ClientReady, ready);
      this.#undo.push(() => this.#client.off(Events.ClientReady, ready));
    }
    if (this.cache.enabled) await this.warmers.start();
  }

  async #stop(): Promise<void> {
    this.#startExpected();
    for (const undo of this.#undo.splice(0)) undo();
    this.#elsewhere?.stop();
    const idle = Promise.all([this.#dispatcher.stop().then(() => this.#audit.flush()), this.#background]);
    await Promise.all([this.warmers.stop(), this.#atMost(FLUSH_LIMIT_MS, idle)]);
    this.#requests.end();
    // What waited for them says so to a logger that is still there.
    await this.#atMost(UNWIND_LIMIT_MS, Promise.all([this.#audit.flush(), this.#background]));
    await this.#writeBehind?.stop({ deadlineMs: DRAIN_LIMIT_MS });
    if (this.#ownsCache) await this.cache.stop();
  }

  /** The one listener for interactions. Nothing in it is awaited by the client. */
  #seen(interaction: Interaction): void {
    if (this.cache.enabled && !interaction.user.bot) this.warmers.userSeen(interaction.user.id);
    if (this.#listen === 'none') return;
    // In a host with a dispatcher of its own, commands come through it; few dispatchers know autocomplete or buttons.
    if (this.#listen === 'components' && interaction.isChatInputCommand()) return;
    void this.#dispatcher.take(interaction);
  }

  /** Without any listener for it, an error of the client ends the process. Where the host listens, it is told already. */
  #clientFailed(error: Error): void {
    if (this.#client.listenerCount(Events.Error) > 1) return;
    this.#logger.error('The Discord client reported an error.', { error });
  }

  #ready(register: boolean): void {
    const hasGuilds = this.#config.admin.guildIds.length > 0;
    this.#background = Promise.all([
      this.#access.refresh(),
      register ? registerAndTell(this.#registration, this.#calm) : undefined,
    ]);
    if (!hasGuilds) return;
    const { rest } = this.#client;
    const watch = new CommandWatch({
      registration: this.#registration,
      logger: this.#calm,
      clock: this.#clock,
      rest: hasMethods(rest, 'on', 'off') ? rest : undefined,
      restores: register,
    });
    this.#undo.push(watch.start());
  }

  #hostCommand(data: CommandData): HostCommand {
    const take = async (interaction: DiscordInteraction) => void (await this.handle(interaction));
    // Not enumerable, so that the object is plain JSON to whoever copies or validates it.
    const toJSON = { value: () => data, enumerable: false };
    return {
      data: Object.defineProperty({ ...data }, 'toJSON', toJSON) as HostCommand['data'], // has it from here on
      execute: take,
      autocomplete: take,
    };
  }

  async #application(): Promise<RESTGetCurrentApplicationResult> {
    // As Discord documents it.
    return (await this.#requests.get(Routes.currentApplication())) as RESTGetCurrentApplicationResult;
  }

  #on<Name extends keyof ClientEvents>(name: Name, listener: (...values: ClientEvents[Name]) => void): void {
    this.#client.on(name, listener);
    this.#undo.push(() => this.#client.off(name, listener));
  }

  async #atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
    let cancel = () => {};
    const limit = new Promise<void>((resolve) => {
      cancel = this.#clock.after(limitMs, resolve);
    });
    await Promise.race([work, limit]);
    cancel();
  }
}
