/** Registration beside the host's own commands: what differs is upserted one by one, and nothing is ever replaced. */

/** What has to be done in one scope. */
export interface RegistrationPlan {
  readonly guilds: readonly {
    readonly guildId: string;
    /** Names to create or to change. */
    readonly create: readonly string[];
    readonly update: readonly string[];
    readonly unchanged: readonly string[];
    readonly remove: readonly string[];
  }[];
  /** Why nothing can be registered, or what went wrong in a guild; sentences for the log. */
  readonly problems: readonly string[];
}

export type RegistrationReport = RegistrationPlan;
