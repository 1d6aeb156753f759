/** The loading policies that are on, in plain words, and by name where there is no room for more. */
import {
  DEFAULT_GRACE_BACKOFF_MS,
  type LoadingPolicy,
  type PersistenceLevel,
} from '../../cache/tiers/policy.ts';
import type { Format } from './format.ts';

interface PolicyText {
  readonly name: string;
  /** A sentence. */
  readonly text: string;
}

type Described = LoadingPolicy & { readonly ttlMs: number };

const WRITTEN: Readonly<Record<PersistenceLevel, string>> = {
  memory: 'never',
  on_change: 'as they are stored',
  on_shutdown: 'when the bot ends',
  periodic: 'every so often',
};

/** Those that are on, in the order in which an entry meets them. */
export function policiesOn(policy: Described, format: Format, hasDisk: boolean): PolicyText[] {
  const { duration, bytes, percent } = format;
  const { graceMs = 0, staleWhileRevalidateMs = 0, earlyRefreshBeta = 0, adaptiveTtl: adaptive } = policy;
  const backoffMs = policy.graceBackoffMs ?? DEFAULT_GRACE_BACKOFF_MS;
  const aheadMs = policy.ttlMs * (policy.refreshAheadRatio ?? 0);
  const all: readonly (readonly [isOn: boolean, name: string, text: () => string])[] = [
    [
      adaptive !== undefined,
      'Adaptive ttl',
      () =>
        `the ttl of a key doubles when a reload finds it unchanged and halves when it has changed, from ${duration(adaptive?.minMs ?? 0)} to ${duration(adaptive?.maxMs ?? 0)}.`,
    ],
    [
      policy.refreshAheadRatio !== undefined,
      'Refresh-ahead',
      () =>
        `a read after ${percent(policy.refreshAheadRatio ?? null)} of the ttl${Number.isFinite(aheadMs) ? ` (${duration(aheadMs)})` : ''} starts a load behind.`,
    ],
    [
      earlyRefreshBeta > 0,
      'Early refresh',
      () =>
        `near the end of the ttl a read may start a load behind, the likelier the later and the longer loads take (strength ${format.exact(earlyRefreshBeta)}).`,
    ],
    [
      staleWhileRevalidateMs > 0,
      'Stale-while-revalidate',
      () =>
        `for ${duration(staleWhileRevalidateMs)} after the ttl the old value is served at once, while one load runs behind.`,
    ],
    [
      graceMs > 0,
      'Grace',
      () =>
        `when a load fails, the old value is served for up to ${duration(graceMs)} after the ttl; its source is asked again after ${duration(backoffMs)}.`,
    ],
    [
      policy.softTimeoutMs !== undefined,
      'Soft timeout',
      () =>
        `a load slower than ${duration(policy.softTimeoutMs ?? 0)} is answered with the old value; it goes on and fills.`,
    ],
    [
      policy.hardTimeoutMs !== undefined,
      'Hard timeout',
      () => `a load slower than ${duration(policy.hardTimeoutMs ?? 0)} is ended.`,
    ],
    [
      policy.values === 'frozen',
      'Frozen values',
      () => 'all readers share one frozen value; nobody can change it.',
    ],
    [
      policy.compressAboveBytes !== undefined,
      'Compression',
      () => `values over ${bytes(policy.compressAboveBytes ?? 0)} are kept compressed.`,
    ],
    [
      policy.maxEntryBytes !== undefined,
      'Size limit',
      () => `values over ${bytes(policy.maxEntryBytes ?? 0)} are served and not kept.`,
    ],
    [policy.skipEmpty === true, 'Skips empty', () => 'empty values are served and not kept.'],
    [policy.when !== undefined, 'Condition', () => "the bot's code decides which values are kept."],
    [
      policy.persist !== undefined && policy.persist !== 'memory',
      'Persistence',
      () =>
        hasDisk
          ? `entries are written to disk ${WRITTEN[policy.persist ?? 'memory']}.`
          : `entries would be written to disk ${WRITTEN[policy.persist ?? 'memory']}, and there is no disk layer.`,
    ],
    [policy.cost !== undefined, 'Cost', () => 'what hits save is added up.'],
  ];
  return all.filter(([isOn]) => isOn).map(([, name, text]) => ({ name, text: text() }));
}

/** `grace, refresh-ahead`; empty where none is on. What goes to disk is told by level elsewhere. */
export function policyNames(policy: Described, format: Format): string {
  return policiesOn({ ...policy, persist: undefined }, format, true)
    .map(({ name }) => name.toLowerCase())
    .join(', ');
}
