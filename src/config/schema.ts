/**
 * What may stand in cachecord.json (or config.json): every name with its meaning, its bounds and its default. The JSON Schema for editors
 * is written from this, and so are the texts of every complaint, so the three cannot disagree.
 * Times are seconds, sizes megabytes, names snake_case.
 */
import { z } from 'zod';
import { between, count, flag, LARGEST_MB, ratio, seconds, written } from './fields.ts';
import { tiersSchema } from './tier-schema.ts';

/** Discord's ids have grown from 17 digits and stay within 64 bits. */
export const SNOWFLAKE = /^\d{17,20}$/;

const snowflake = z
  .string({ error: 'a Discord id in quotes, 17 to 20 digits' })
  .regex(SNOWFLAKE, { error: 'a Discord id in quotes, 17 to 20 digits' });

function snowflakes(description: string) {
  return z
    .array(snowflake, { error: 'a list of Discord ids in quotes' })
    .max(1000, { error: 'a list of at most 1,000 Discord ids' })
    .default([])
    .describe(description);
}

/** A section that may be left out, whole or in part. */
function section<Shape extends z.ZodRawShape>(shape: Shape, description: string) {
  const object = z.strictObject(shape, { error: 'a section: { … }' });
  // Zod types a prefault as the input, which a generic shape cannot prove; every field of ours has a default.
  return object.prefault({} as z.input<typeof object>).describe(description);
}

const cache = section(
  {
    enabled: flag('Off: nothing is kept and every read goes to the database.').default(true),
    max_size_mb: z
      .number({ error: `a number of megabytes above 0, up to ${written(LARGEST_MB)}` })
      .positive({ error: `a number of megabytes above 0, up to ${written(LARGEST_MB)}` })
      .max(LARGEST_MB, { error: `a number of megabytes above 0, up to ${written(LARGEST_MB)}` })
      .default(100)
      .describe('The bound of the cache in memory. In megabytes.'),
    ttl_config: seconds(86_400, 'How long settings such as VIP tiers and payment methods are fresh.'),
    ttl_reference: seconds(43_200, 'How long products, categories and discounts are fresh.'),
    ttl_user: seconds(3_600, 'How long profiles, balances and orders are fresh.'),
    ttl_query: seconds(1_800, 'How long searches, leaderboards and analytics are fresh.'),
    ttl_negative: seconds(
      30,
      'How long "no such row" is remembered, and never longer than the ttl of its tier.',
    ),
    jitter: ratio(
      'Each ttl is shortened by a random share up to this, so that entries do not all end at once.',
    ).default(0.05),
    disk_path: z
      .string({ error: 'the path of a file, in quotes, or null' })
      .regex(/^[^\0]+$/, { error: 'the path of a file, in quotes, not empty, or null' })
      .nullable()
      .default(null)
      .describe(
        "The SQLite file in which entries outlive the process, of its own and not the bot's; null: none. CACHE_PATH overrides it.",
      ),
    max_disk_mb: between(
      1,
      LARGEST_MB,
      'The bound of that file. In megabytes.',
      `a number of megabytes from 1 to ${written(LARGEST_MB)}`,
    ).default(256),
    disk_version: z
      .string({ error: 'a text, such as "2"' })
      .default('')
      .describe(
        'Change it when a release changes what cached reads return: what other versions have written there is not used.',
      ),
    persist_interval: seconds(30, 'How often entries are written to it.', { min: 1 }),
    cleanup_interval: seconds(3_600, 'How often expired entries are looked for and removed.', { min: 1 }),
    tiers: tiersSchema.optional(),
  },
  'The cache.',
);

const admin = section(
  {
    guild_ids: snowflakes(
      'The guilds in which the cache commands exist. None: they are registered nowhere. ADMIN_GUILD_ID overrides it.',
    ),
    user_ids: snowflakes("People who may use them, besides the application's owner or team."),
    role_ids: snowflakes('Roles of the admin guilds whose members may use them.'),
    allow_guild_administrators: flag('Lets in the administrators of the admin guilds, too.').default(false),
    audit_channel_id: snowflake
      .nullable()
      .default(null)
      .describe('A channel that gets a line for every action and refusal; null for none.'),
    reply_style: z
      .enum(['components', 'embeds'], { error: '"components" or "embeds"' })
      .default('components')
      .describe('How replies are drawn: Components V2, or classic embeds.'),
    confirm_above: count(5, 'Clears that cover more entries than this ask first.', 0, 1_000_000_000),
    cooldown: seconds(5, 'A second clear or warm by the same person within this time is refused.'),
  },
  'The admin commands and who may use them.',
);

const warmers = section(
  {
    startup_budget: seconds(10, 'Login waits for the startup warmer at most this long; 0: not at all.'),
    startup_scopes: z
      .array(z.string({ error: 'the name of a tier, in quotes' }), {
        error: 'a list of tiers, such as ["config", "reference"]',
      })
      .optional()
      .describe('The tiers that the startup warmer fills. Absent: config and reference.'),
    concurrency: count(4, 'How many entries are loaded at once.', 1, 64),
    hot_keys: count(
      200,
      'How many of the most used keys are loaded at the start, and before the hours at which they are used, where there is a disk_path; 0: none, and none is remembered.',
      0,
      1_000,
    ),
    predictive: flag('Before each hour, loads what the last days used in that hour. Needs hot_keys.').default(
      true,
    ),
    reference_interval: seconds(21_600, 'How often reference data is loaded anew; 0: never.'),
    reference_jitter: seconds(
      600,
      'Each of those runs comes earlier or later by a random time up to this; less than reference_interval.',
    ),
    user: section(
      {
        enabled: flag("Loads a person's profile and orders on their first interaction.").default(true),
        max_waiting: count(
          100,
          'People waiting for that at once; more are left out and counted.',
          0,
          100_000,
        ),
      },
      'Warming by person.',
    ),
  },
  'What is loaded before anyone asks.',
);

const database = section(
  {
    path: z
      .string({ error: 'the path of a file, in quotes' })
      .regex(/^[^\0]+$/, { error: 'the path of a file, in quotes, not empty' })
      .default('./data/shop.db')
      .describe(
        "The reference bot's SQLite file, from where the bot is started. DATABASE_PATH overrides it.",
      ),
    poll_interval: seconds(
      0.25,
      'How often changes by other programs and connections are looked for; own ones are noticed at once.',
      { min: 0.01 },
    ),
  },
  "The reference bot's database.",
);

const writeBehind = section(
  {
    path: z
      .string({ error: 'the path of a file, in quotes, or null' })
      .regex(/^[^\0]+$/, { error: 'the path of a file, in quotes, not empty, or null' })
      .nullable()
      .default(null)
      .describe(
        "The SQLite file that holds what is not saved yet, of its own and one for each process; null: write-behind.db beside the bot's. WRITE_BEHIND_PATH overrides it.",
      ),
    synchronous: z
      .enum(['normal', 'full'], { error: '"normal" or "full"' })
      .default('normal')
      .describe(
        'What an acknowledged write survives: normal, whatever happens to the process; full, a power cut as well, at the price of a wait for the disk each.',
      ),
  },
  "The journal of the reference bot's write-behind.",
);

const api = section(
  {
    enabled: flag("Serves the reference bot's HTTP API.").default(true),
    host: z
      .string({ error: 'a host name or an IP address, in quotes' })
      .regex(/^[\w.:-]+$/, { error: 'a host name or an IP address, in quotes' })
      .default('127.0.0.1')
      .describe('Where it listens: by default on this machine alone; 0.0.0.0 for every network.'),
    port: count(4_781, 'On which port; 0 for any free one. API_PORT overrides it.', 0, 65_535),
  },
  "The reference bot's HTTP API.",
);

/** The whole file. */
export const configFileSchema = z
  .strictObject(
    {
      $schema: z
        .string({ error: 'the path or address of a JSON Schema, in quotes' })
        .optional()
        .describe('Where editors find the meaning of each name, such as ./schema.json.'),
      cache,
      admin,
      warmers,
      database,
      write_behind: writeBehind,
      api,
    },
    { error: 'one object: { "cache": { … } }' },
  )
  .describe('Configuration of Cachecord: cachecord.json, or sections of config.json.');

export type ConfigFile = z.output<typeof configFileSchema>;

/** The JSON Schema that ships as `schema.json`. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'Cachecord configuration', ...z.toJSONSchema(configFileSchema, { io: 'input' }) };
}
