/**
 * Registration from a shell, without logging in: the same `Registration` that the plugin uses, over a REST client of its
 * own. It ends with 0, or with 1 where something is left for people to do, which is then told in a sentence.
 */
import { existsSync, readFileSync } from 'node:fs';
import { REST } from '@discordjs/rest';
import { type RESTGetCurrentApplicationResult, Routes } from 'discord-api-types/v10';
import { CacheError } from '../cache/errors.ts';
import { discordFailure } from '../commands/discord-failure.ts';
import {
  type CommandData,
  type GuildRegistration,
  Registration,
  type RegistrationRest,
} from '../commands/registration/registration.ts';
import { type Config, loadConfig } from '../config/config.ts';
import { httpUrl } from '../config/http-url.ts';
import { oneLine } from '../logger/log-line.ts';
import { withoutSecrets } from '../logger/secrets.ts';
import type { Logger } from '../logger.ts';
import { type Action, readArguments, UsageError } from './arguments.ts';

/** Discord answers within a second; what is silent for so long is tried once more. */
const ANSWER_LIMIT_MS = 10_000;

/** What is deployed. */
export interface DeployProgram {
  /** How it is called in a shell, such as `npx cachecord`. */
  readonly name: string;
  /** What is done where nothing is said. @default nothing: it must be said */
  readonly action?: Action;
  commands(asked: Asked): readonly CommandData[];
}

export interface Asked {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** Every command that could be ours: what is to be removed. */
  readonly all: boolean;
  /** Whether `/cache-writes` is among them. */
  readonly writeBehind: boolean;
}

export interface Shell {
  /** The words behind the name of the program. */
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  out(line: string): void;
  err(line: string): void;
}

/** @returns the exit code; never rejects */
export async function runDeploy(program: DeployProgram, shell: Shell): Promise<0 | 1> {
  const token = shell.env.DISCORD_TOKEN?.trim() ?? '';
  const clean = (line: string) => withoutSecrets(token === '' ? line : line.replaceAll(token, '[secret]'));
  const out = (line: string) => shell.out(clean(line));
  const err = (line: string) => shell.err(clean(line));
  try {
    const { action, ...asked } = readArguments(shell.argv, program.action);
    if (action === 'help') {
      out(helpOf(program));
      return 0;
    }
    const problems = await carryOut(program, { ...asked, action, token, env: shell.env }, { out, err });
    for (const problem of problems) err(oneLine(problem));
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    err(failureText(error));
    return 1;
  }
}

interface Wish {
  readonly action: Action;
  readonly guildIds: readonly string[];
  readonly config: string | undefined;
  readonly writeBehind: boolean;
  readonly token: string;
  readonly env: NodeJS.ProcessEnv;
}

/** @returns what is left to do */
async function carryOut(
  program: DeployProgram,
  wish: Wish,
  { out, err }: Pick<Shell, 'out' | 'err'>,
): Promise<readonly string[]> {
  const { action, env, token } = wish;
  const logger: Logger = { debug: () => undefined, info: out, warn: err, error: err };
  assertToken(token);
  if (wish.config !== undefined && !existsSync(wish.config)) {
    throw new UsageError(`There is no file ${wish.config}: check what stands behind --config.`);
  }
  const config = loadConfig({ path: wish.config, env, logger });
  const named = config.admin.guildIds;
  const guildIds = wish.guildIds.length > 0 ? wish.guildIds : named;
  if (guildIds.length === 0) {
    throw new UsageError(
      'No guild is named: set `admin.guild_ids` in cachecord.json or ADMIN_GUILD_ID in the environment, or say --guild ID.',
    );
  }
  const rest = restFor(token, httpUrl('DISCORD_API_URL', env.DISCORD_API_URL));
  const all = action === 'remove';
  const registration = new Registration({
    rest,
    guildIds,
    wanted: program.commands({ config, env, all, writeBehind: wish.writeBehind || all }),
    logger,
    applicationId: () => applicationId(rest),
  });
  if (action === 'remove') {
    const { guilds, problems } = await registration.unregister();
    for (const { guildId, remove, left } of guilds) {
      out(`Guild ${guildId}: ${remove.length === 0 ? 'nothing to remove' : `removed ${slashed(remove)}`}.`);
      if (left.length > 0) {
        out(
          `Guild ${guildId}: left ${slashed(left)}, because this version defines it otherwise: it is the bot's own, or of another version of Cachecord.`,
        );
      }
    }
    return problems;
  }
  const { guilds, problems } = await (action === 'plan' ? registration.plan() : registration.register());
  for (const guild of guilds) out(lineOf(guild, action));
  const others = named.length === 0 ? [] : guildIds.filter((id) => !named.includes(id));
  for (const id of others)
    err(`Guild ${id} is no admin guild of the configuration: the commands refuse everybody there.`);
  return problems;
}

function lineOf(
  { guildId, create, update, unchanged }: GuildRegistration,
  action: 'plan' | 'deploy',
): string {
  const [created, updated] = action === 'plan' ? ['would create', 'would update'] : ['created', 'updated'];
  const parts = [
    ...(create.length > 0 ? [`${created} ${slashed(create)}`] : []),
    ...(update.length > 0 ? [`${updated} ${slashed(update)}`] : []),
    ...(unchanged.length > 0 ? [`unchanged ${slashed(unchanged)}`] : []),
  ];
  return `Guild ${guildId}: ${parts.length === 0 ? 'nothing was changed' : parts.join('; ')}.`;
}

function slashed(names: readonly string[]): string {
  return names.map((name) => `/${name}`).join(', ');
}

/** The token comes from the environment alone. */
function assertToken(token: string): void {
  if (token === '') {
    const elsewhere = holdsToken('config.json')
      ? ', and the token in config.json is not read, because secrets come from the environment alone'
      : '';
    throw new UsageError(
      `DISCORD_TOKEN is not set${elsewhere}: set it in the environment, or in a .env file that Node reads with --env-file=.env.`,
    );
  }
  // What no header may hold would be quoted by the error about it.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError(
      'DISCORD_TOKEN is no token, because there are blanks or strange signs in it: copy it anew from the developer portal.',
    );
  }
}

function holdsToken(file: string): boolean {
  try {
    return /"[\w-]*token"\s*:\s*"[^"]/i.test(readFileSync(file, 'utf8'));
  } catch {
    return false; // a file that cannot be read has nothing to tell of
  }
}

function restFor(token: string, api: string | undefined): REST {
  const options = { version: '10', timeout: ANSWER_LIMIT_MS, retries: 1 };
  return new REST(api === undefined ? options : { ...options, api }).setToken(token);
}

/** A token is of one application. */
async function applicationId(rest: RegistrationRest): Promise<string> {
  // As Discord documents it.
  const { id } = (await rest.get(Routes.currentApplication())) as RESTGetCurrentApplicationResult;
  return id;
}

function failureText(error: unknown): string {
  // A configuration has a line for each of its problems.
  if (error instanceof CacheError || error instanceof UsageError) return error.message;
  return oneLine(
    discordFailure(error) ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
  );
}

function helpOf({ name, action }: DeployProgram): string {
  const asked = action === undefined ? 'plan|deploy|remove' : '[plan|deploy|remove]';
  return [
    `${name} ${asked} [--guild ID …] [--config FILE] [--write-behind]`,
    '',
    '  plan            shows what deploy would do, and changes nothing',
    '  deploy          creates and updates the commands that differ, beside all others',
    '  remove          takes them off, and nothing else',
    '',
    '  --guild ID …    these guilds instead of `admin.guild_ids` and ADMIN_GUILD_ID',
    '  --config FILE   instead of cachecord.json or config.json in this folder',
    '  --write-behind  with /cache-writes, for a bot that gives the plugin a write-behind',
    '',
    'The environment holds DISCORD_TOKEN, and may hold ADMIN_GUILD_ID.',
  ].join('\n');
}
