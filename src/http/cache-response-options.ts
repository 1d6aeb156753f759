/** What an author may state about kept answers, and what of it makes no sense. */
import { assertList, assertType, kindOf } from '../cache/arguments.ts';
import type { EntryOptions } from '../cache/entry-options.ts';
import { CacheError } from '../cache/errors.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import type { LoadingPolicy } from '../cache/tiers/policy.ts';
import { assertLoadingPolicy, LOADING_POLICIES } from '../cache/tiers/policy-check.ts';
import type { TierName, TierPolicy } from '../cache/tiers/tier.ts';

type PerRequest = readonly string[] | ((request: Request) => readonly string[]);

/** How answers are kept. The loading policies are those of the tier, unless they are stated here, too. */
export interface CacheResponseOptions extends Omit<LoadingPolicy, 'when' | 'cost' | 'skipEmpty'> {
  /** @default the ttl of the tier */
  readonly ttlMs?: number | undefined;
  /** @default the tier that has the namespace `api`, else `query` */
  readonly tier?: TierName | undefined;
  /** The readable part of the key: `api::{keyPrefix}::{hash}`. @default the path of the request */
  readonly keyPrefix?: string | undefined;
  /** Answers with another status are not kept; those from 400 up no longer than "no such row". @default 200 */
  readonly statuses?: readonly number[] | undefined;
  /** A longer body streams through and is not kept. @default 1 MiB */
  readonly maxBodyBytes?: number | undefined;
  /** Request headers that the answer depends on. Those in the `Vary` of an answer are learnt from it. */
  readonly vary?: readonly string[] | undefined;
  readonly tags?: PerRequest | undefined;
  /** Keys whose invalidation invalidates the answer. */
  readonly dependsOn?: PerRequest | undefined;
  /**
   * Who asks, as part of the key. Without it a request with `Authorization` or `Cookie` goes to the handler; with it
   * each person has answers of their own, which no cache but their browser may keep. `undefined`: not known.
   */
  readonly identity?: (request: Request) => string | undefined;
  /** How long a browser may use its copy without asking; no invalidation reaches it there. @default 0 */
  readonly browserMaxAgeMs?: number | undefined;
  /** The same for a CDN. @default 0 */
  readonly edgeMaxAgeMs?: number | undefined;
}

/** The list for this request. */
export function listOf(list: PerRequest | undefined, request: Request): readonly string[] {
  return typeof list === 'function' ? list(request) : (list ?? []);
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for a tier that does not exist */
export function tierOf(tiers: readonly TierPolicy[], name: TierName | undefined): TierPolicy {
  const policy =
    name === undefined
      ? (tiers.find(({ namespaces }) => namespaces.includes('api')) ??
        tiers.find(({ tier }) => tier === 'query') ??
        tiers.at(-1))
      : tiers.find(({ tier }) => tier === name);
  if (policy !== undefined) return policy;
  throw invalid(`tier is "${name}"; there are ${tiers.map(({ tier }) => tier).join(', ')}`);
}

const OWN_OPTIONS: OptionNames<Omit<CacheResponseOptions, keyof LoadingPolicy>> = {
  ttlMs: true,
  tier: true,
  keyPrefix: true,
  statuses: true,
  maxBodyBytes: true,
  vary: true,
  tags: true,
  dependsOn: true,
  identity: true,
  browserMaxAgeMs: true,
  edgeMaxAgeMs: true,
};
/** These look at values; here a value is an answer as it is kept, which nobody outside knows. */
const NOT_TAKEN = ['when', 'cost', 'skipEmpty'];
const OPTIONS = [
  ...Object.keys(OWN_OPTIONS),
  ...LOADING_POLICIES.filter((name) => !NOT_TAKEN.includes(name)),
];

/** What of it holds for an entry of any kind. */
export function entryOptionsOf(
  options: CacheResponseOptions,
): Pick<EntryOptions, 'ttlMs' | keyof LoadingPolicy> {
  const names = ['ttlMs', ...LOADING_POLICIES];
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` */
export function assertOptions(options: CacheResponseOptions): void {
  assertKnown('cacheResponse', options, OPTIONS);
  assertLoadingPolicy(options, 'cacheResponse');
  assertLists(options);
  assertType(options.identity, 'function', USAGE, 'identity');
  assertType(options.keyPrefix, 'string', USAGE, 'keyPrefix');
  for (const name of ['ttlMs', 'browserMaxAgeMs', 'edgeMaxAgeMs', 'maxBodyBytes'] as const) {
    const value = options[name];
    if (value === undefined || (typeof value === 'number' && value >= 0)) continue;
    const given = typeof value === 'number' ? String(value) : kindOf(value);
    throw invalid(`${name} is ${given}; it is a number from 0 up`);
  }
  if (options.keyPrefix === '') throw invalid('keyPrefix is empty; leave it out for the path of the request');
  for (const status of options.statuses ?? []) {
    // Parts, and answers about a client's own copy, cannot stand for the whole.
    if (Number.isInteger(status) && status >= 200 && status < 600 && status !== 206 && status !== 304)
      continue;
    throw invalid(
      `statuses holds ${String(status)}; it is a status from 200 to 599, and neither 206 nor 304`,
    );
  }
}

const USAGE = 'cacheResponse(cache, handler, options)';

/** A text would be taken for a list of its letters. */
function assertLists(options: CacheResponseOptions): void {
  for (const name of ['vary', 'statuses', 'tags', 'dependsOn'] as const) {
    const value: unknown = options[name];
    const mayBeFunction = name === 'tags' || name === 'dependsOn';
    if (value === undefined || (mayBeFunction && typeof value === 'function')) continue;
    assertList(value, USAGE, name);
    if (name === 'statuses') continue;
    for (const each of value as Iterable<unknown>) {
      if (typeof each !== 'string') throw invalid(`${name} holds ${kindOf(each)}, expected texts`);
    }
  }
}

function invalid(what: string): CacheError {
  return new CacheError('ERR_ARGUMENT_INVALID', `cacheResponse: ${what}.`);
}
