/**
 * What may be said of a tier in config.json, under `cache.tiers`: its namespaces, its ttl and every loading policy of
 * `src/cache/tiers/policy.ts`. Bounds of one value are here; what contradicts another value is in tier-problems.ts.
 */
import { z } from 'zod';
import { between, flag, kilobytes, ratio, time, timeAboveZero } from './fields.ts';

/** Short enough for a choice in Discord, and typed as `tier:NAME`. */
export const TIER_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}$/;
export const TIER_NAME_EXPECTED =
  'a name that can be a segment of a key: up to 32 letters, digits, "_", "-" and "."';

/** As a key's first segment is written: see `escapeSegment`. */
const NAMESPACE = /^[^:*%\p{C}]{1,96}$/u;
const NAMESPACES_EXPECTED = 'a list of namespaces, such as ["character"]';
const NAMESPACE_EXPECTED = 'the first segment of keys, without ":", "*" and "%"';

const LABEL = /^[^\p{C}`]{1,40}$/u;
const LABEL_EXPECTED = 'a text of up to 40 characters, without backticks';
const DESCRIPTION = /^[^\p{C}]{1,200}$/u;
const DESCRIPTION_EXPECTED = 'a text of up to 200 characters in one line';

const PERSISTENCE_LEVELS = ['memory', 'on_change', 'on_shutdown', 'periodic'] as const;
const PERSISTENCE_EXPECTED = '"memory", "on_change", "on_shutdown" or "periodic"';

const inside = 'a number between 0 and 1, such as 0.8';

export const tierSchema = z
  .strictObject(
    {
      ttl: time(
        'How long an entry is fresh; 0: never kept. For the built-in tiers, see ttl_config and so on.',
      ),
      negative_ttl: time(
        'The same for "no such row". Absent: ttl_negative, or the ttl where that is shorter.',
      ),
      jitter: ratio('Each ttl is shortened by a random share up to this. Absent: as in the section cache.'),
      grace: time('For so long after its ttl the old value is served when its load fails.'),
      grace_backoff: time('After a failed load its source is left alone for so long. Absent: 10.'),
      stale_while_revalidate: time(
        'For so long after its ttl the old value is served at once, while one load runs behind.',
      ),
      soft_timeout: timeAboveZero(
        'A load slower than this answers with the old value; it goes on and fills.',
      ),
      hard_timeout: timeAboveZero(
        'A load slower than this is ended; its callers get an error, or the old value.',
      ),
      refresh_ahead: z
        .number({ error: inside })
        .gt(0, { error: inside })
        .lt(1, { error: inside })
        .describe('A read after this share of the ttl starts a load behind. A ratio, such as 0.8.'),
      early_refresh: between(
        0,
        10,
        'Reads near the end of the ttl start a load behind with growing probability; 1 is the usual strength, 0 is off.',
        'a number from 0 to 10; 1 is the usual strength',
      ),
      adaptive_ttl: z
        .strictObject(
          {
            min: timeAboveZero('The shortest ttl.'),
            max: timeAboveZero('The longest ttl.'),
          },
          { error: 'a section: { "min": …, "max": … }' },
        )
        .describe(
          'The ttl of a key doubles when a reload finds it unchanged and halves when it has changed, within these bounds.',
        ),
      values: z
        .enum(['copy', 'frozen'], { error: '"copy" or "frozen"' })
        .describe(
          'Whether each read gives a copy of its own (copy), or one frozen value that all share (frozen). Absent: copy.',
        ),
      compress_above_kb: kilobytes('Values heavier than this are kept compressed.'),
      max_entry_kb: kilobytes('A value heavier than this is served and not kept.'),
      skip_empty: flag('Empty values (null, "", [], {}) are served and not kept.'),
      persist: z
        .enum(PERSISTENCE_LEVELS, { error: PERSISTENCE_EXPECTED })
        .describe(
          'Where there is a disk layer, when entries are written to it: never (memory), at once, at the end, or every so often. Absent: memory.',
        ),
      namespaces: z
        .array(z.string({ error: NAMESPACE_EXPECTED }).regex(NAMESPACE, { error: NAMESPACE_EXPECTED }), {
          error: NAMESPACES_EXPECTED,
        })
        .max(100, { error: 'a list of at most 100 namespaces' })
        .describe(
          "The first segments of this tier's keys. Absent: the tier's name. A built-in tier keeps its own besides.",
        ),
      label: z
        .string({ error: LABEL_EXPECTED })
        .regex(LABEL, { error: LABEL_EXPECTED })
        .describe('How people see it. Absent: made from the name.'),
      description: z
        .string({ error: DESCRIPTION_EXPECTED })
        .regex(DESCRIPTION, { error: DESCRIPTION_EXPECTED })
        .describe('What belongs here, in a few words.'),
    },
    { error: 'a section: { "ttl": … }' },
  )
  .partial();

export const tiersSchema = z
  .record(z.string().regex(TIER_NAME), tierSchema, { error: 'a section: { "name": { "ttl": … } }' })
  .describe(
    'Tiers of your own by name, and policies for the built-in ones (config, reference, user, query).',
  );

/** A tier as the file states it: seconds, kilobytes, snake_case. */
export type TierSection = z.output<typeof tierSchema>;
