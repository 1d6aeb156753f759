/**
 * Who may use the commands (I11). A cache belongs to the bot and Discord's permissions belong to a guild, so the rules
 * of the configuration decide, in the admin guilds alone, whatever Discord would allow. What is not known allows nobody.
 */
import {
  type BaseInteraction,
  PermissionFlagsBits,
  type RESTGetCurrentApplicationResult,
  TeamMemberMembershipState,
  TeamMemberRole,
} from 'discord.js';
import { BurstLog } from '../cache/burst-log.ts';
import type { Clock } from '../cache/clock.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../logger.ts';

export type AccessRules = Pick<
  Config['admin'],
  'guildIds' | 'userIds' | 'roleIds' | 'allowGuildAdministrators'
>;

/** Who asks, and where. */
export interface Asker {
  readonly userId: string;
  /** `null` outside of guilds. */
  readonly guildId: string | null;
  /** The person's roles in that guild, without `@everyone`. */
  readonly roleIds: readonly string[];
  readonly isAdministrator: boolean;
}

/** Teams change rarely; a person who left one is out within the hour. */
const OWNERS_FRESH_MS = 3_600_000;
/** While Discord does not answer, what it said last is believed this long. */
const OWNERS_TRUSTED_MS = 3 * OWNERS_FRESH_MS;
/** Below the three seconds in which an interaction must be answered. */
const FETCH_LIMIT_MS = 1_500;
/** After a failure strangers cannot make us ask again before this has passed. */
const RETRY_AFTER_MS = 10_000;

/** Whether the rules allow this person here. */
export function isAllowed(asker: Asker, rules: AccessRules, ownerIds: ReadonlySet<string>): boolean {
  return isInAdminGuild(asker, rules) && (isAllowedByRules(asker, rules) || ownerIds.has(asker.userId));
}

function isInAdminGuild({ guildId }: Asker, rules: AccessRules): boolean {
  return guildId !== null && rules.guildIds.includes(guildId);
}

function isAllowedByRules(asker: Asker, rules: AccessRules): boolean {
  return (
    rules.userIds.includes(asker.userId) ||
    asker.roleIds.some((id) => rules.roleIds.includes(id)) ||
    (rules.allowGuildAdministrators && asker.isAdministrator)
  );
}

/** The application's owner, or of its team all who have joined and may do more than read. */
export function ownersOf(
  application: Pick<RESTGetCurrentApplicationResult, 'owner' | 'team'>,
): ReadonlySet<string> {
  const { owner, team } = application;
  if (team === null || team === undefined) return new Set(owner?.id === undefined ? [] : [owner.id]);
  const members = team.members.filter(
    ({ role, membership_state }) =>
      membership_state === TeamMemberMembershipState.Accepted &&
      (role === TeamMemberRole.Admin || role === TeamMemberRole.Developer),
  );
  return new Set([team.owner_user_id, ...members.map(({ user }) => user.id)]);
}

/** Reads who asks from what Discord sent with the interaction. */
export function askerOf(interaction: BaseInteraction): Asker {
  const { guildId, member, user } = interaction;
  const roles = member?.roles ?? [];
  const roleIds = Array.isArray(roles) ? roles : [...roles.cache.keys()];
  return {
    userId: user.id,
    guildId,
    roleIds: roleIds.filter((id) => id !== guildId),
    isAdministrator: interaction.memberPermissions?.has(PermissionFlagsBits.Administrator) ?? false,
  };
}

export interface AccessOptions {
  readonly rules: AccessRules;
  readonly clock: Clock;
  readonly logger: Logger;
  fetchOwners(): Promise<ReadonlySet<string>>;
}

/** The allow-list at work: the rules, and the owners as Discord told them last. */
export class Access {
  readonly #rules: AccessRules;
  readonly #clock: Clock;
  readonly #log: BurstLog;
  readonly #fetchOwners: () => Promise<ReadonlySet<string>>;
  #ownerIds: ReadonlySet<string> = new Set();
  #knownAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #fetch: Promise<void> | undefined;

  constructor({ rules, clock, logger, fetchOwners }: AccessOptions) {
    this.#rules = rules;
    this.#clock = clock;
    this.#log = new BurstLog(clock, logger);
    this.#fetchOwners = fetchOwners;
  }

  /** Never rejects: where Discord does not tell the owners, they are nobody. */
  async allows(asker: Asker): Promise<boolean> {
    if (!isInAdminGuild(asker, this.#rules)) return false;
    const known = this.refresh();
    if (isAllowedByRules(asker, this.#rules)) return true;
    await known;
    return isAllowed(asker, this.#rules, this.#owners());
  }

  /** Whether this person is of the owners as known now, or listed. */
  isOwner(userId: string): boolean {
    return this.#owners().has(userId) || this.#rules.userIds.includes(userId);
  }

  /** Asks Discord who the owners are, unless that is known or was tried just now. Never rejects. */
  async refresh(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#knownAt < OWNERS_FRESH_MS || now - this.#failedAt < RETRY_AFTER_MS) return;
    this.#fetch ??= this.#ask().finally(() => {
      this.#fetch = undefined;
    });
    let cancel = () => {};
    const limit = new Promise<void>((resolve) => {
      cancel = this.#clock.after(FETCH_LIMIT_MS, resolve);
    });
    await Promise.race([this.#fetch, limit]);
    cancel();
  }

  async #ask(): Promise<void> {
    try {
      this.#ownerIds = await this.#fetchOwners();
      this.#knownAt = this.#clock.now();
    } catch (error) {
      this.#failedAt = this.#clock.now();
      this.#log.warn(
        'owners',
        'Discord did not tell who owns the application; until then its owners are kept out.',
        {
          error,
        },
      );
    }
  }

  #owners(): ReadonlySet<string> {
    return this.#clock.now() - this.#knownAt < OWNERS_TRUSTED_MS ? this.#ownerIds : NOBODY;
  }
}

const NOBODY: ReadonlySet<string> = new Set();
