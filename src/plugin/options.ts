/** What `createCachecord` takes, checked where it enters: each complaint names the argument and what to write. */
import {
  assertCache,
  assertClock,
  assertLogger,
  assertType,
  hasMethods,
  invalidArgument,
  isCache,
  kindOf,
} from '../cache/arguments.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import { assertConfig, isConfig } from '../config/config.ts';
import { nearestName } from '../nearest-name.ts';
import { assertTasks } from '../warmers/warmers.ts';
import type { CachecordOptions, StartOptions } from './cachecord.ts';

const USAGE = 'createCachecord(client, options)';

const OPTIONS: OptionNames<CachecordOptions> = {
  config: true,
  warmTasks: true,
  cache: true,
  valueTypes: true,
  writeBehind: true,
  logger: true,
  clock: true,
  auditSink: true,
  commandStore: true,
  shards: true,
  version: true,
};

const START_OPTIONS: OptionNames<StartOptions> = { listen: true, register: true };
const LISTEN: readonly unknown[] = [undefined, 'all', 'components', 'none'];

/** Names of settings that are looked for here, and stand in the configuration. */
const SETTINGS = /^(?:admin|guild|owner|user_?ids?|role_?ids?|warmers|ttl|max_?size|disk_?path)/i;

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no client of discord.js */
export function assertClient(client: unknown): void {
  if (hasMethods(client, 'on', 'once', 'off') && typeof Reflect.get(Object(client), 'rest') === 'object')
    return;
  const hint = isConfig(client)
    ? '. The client comes first'
    : ': new Client({ intents: [GatewayIntentBits.Guilds] })';
  throw invalidArgument(USAGE, `client is ${kindOf(client)}, expected the client of discord.js${hint}`);
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for options that do not exist, or are of another kind */
export function assertCachecordOptions(options: CachecordOptions): void {
  if (isConfig(options)) {
    throw invalidArgument(
      USAGE,
      'options is a configuration: write createCachecord(client, { config: loadConfig() })',
    );
  }
  if (isCache(options)) {
    throw invalidArgument(USAGE, 'options is a cache: write createCachecord(client, { cache })');
  }
  if (typeof options === 'object' && options !== null) assertNoSettings(options);
  assertKnown('createCachecord', options, OPTIONS);
  const { config, cache, warmTasks, commandStore, shards, writeBehind } = options;
  if (config !== undefined) assertConfig(config, USAGE);
  if (cache !== undefined) assertCache(cache, `${USAGE}: options.cache`);
  if (cache !== undefined && options.valueTypes !== undefined) {
    throw invalidArgument(
      USAGE,
      'valueTypes and a cache are given: give valueTypes to the createCache that makes the cache',
    );
  }
  if (warmTasks !== undefined && typeof warmTasks !== 'function') assertTasks(warmTasks, USAGE, 'warmTasks');
  assertLogger(options.logger, USAGE);
  assertClock(options.clock, USAGE);
  assertType(options.auditSink, 'function', USAGE, 'auditSink');
  assertType(options.version, 'string', USAGE, 'version');
  if (
    writeBehind !== undefined &&
    typeof writeBehind !== 'function' &&
    !hasMethods(writeBehind, 'writeBehind')
  ) {
    throw invalidArgument(
      USAGE,
      `writeBehind is ${kindOf(writeBehind)}, expected what createWriteBehind(db, cache) gives, or a function of the cache that makes it`,
    );
  }
  if (commandStore !== undefined && !hasMethods(commandStore, 'all', 'keep', 'forget')) {
    throw invalidArgument(
      USAGE,
      `commandStore is ${kindOf(commandStore)}, expected an object with the functions all, keep and forget`,
    );
  }
  if (shards !== undefined && typeof shards !== 'object') {
    throw invalidArgument(USAGE, `shards is ${kindOf(shards)}, expected a ShardLink`);
  }
}

function assertNoSettings(options: object): void {
  for (const name of Object.keys(options)) {
    if (name in OPTIONS || !SETTINGS.test(name)) continue;
    throw invalidArgument(
      USAGE,
      `there is no option "${name}". Settings stand in the configuration: { config: parseConfig({ admin: { guild_ids: ['…'] } }) }, or loadConfig() for a file`,
    );
  }
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no id, and for targets that are no list */
export function assertForgotten(kind: 'user' | 'guild', id: unknown, also: unknown): void {
  const usage = `${kind === 'user' ? 'forgetUser' : 'forgetGuild'}(id, also)`;
  if (typeof id !== 'string') {
    const hint = hasId(id)
      ? `: write ${kind}.id`
      : typeof id === 'number'
        ? ', since a number loses its last digits'
        : '';
    throw invalidArgument(usage, `id is ${kindOf(id)}, expected the id as a text${hint}`);
  }
  if (also === undefined || Array.isArray(also)) return;
  throw invalidArgument(usage, `also is ${kindOf(also)}, expected a list of keys, patterns and tags`);
}

function hasId(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'id' in value;
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for options that are misspelled, or say what cannot be */
export function assertStartOptions(options: StartOptions): void {
  const usage = 'start(options)';
  if (typeof options === 'string') {
    throw invalidArgument(usage, `options is a text, expected an object: write { listen: '${options}' }`);
  }
  if (typeof options !== 'object' || options === null) assertKnown('start', options, START_OPTIONS);
  // As TypeScript does, an object of the host's that has more than these is taken; a misspelled one of these is not.
  for (const name of Object.keys(options)) {
    const meant = name in START_OPTIONS ? undefined : nearestName(name, Object.keys(START_OPTIONS));
    if (meant !== undefined)
      throw invalidArgument(usage, `there is no option "${name}" (did you mean ${meant}?)`);
  }
  if (!LISTEN.includes(options.listen)) {
    throw invalidArgument(
      usage,
      `listen is ${kindOf(options.listen)}, expected 'all', 'components' or 'none'`,
    );
  }
  assertType(options.register, 'boolean', usage, 'register');
}
