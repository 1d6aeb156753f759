/**
 * The loading policies: what happens to an entry around the end of its ttl, and when its source is slow, failing or
 * expensive. Each is off until asked for; a tier states its own, a call may override any of them (`undefined` states
 * nothing). `docs/policies.md` has a picture of each.
 */
export interface LoadingPolicy {
  /** The ttl of each entry is shortened by a random share up to this, so that they do not all end at once. 0 to 1. */
  readonly jitterRatio?: number | undefined;
  /** Stale-if-error: for so long after its ttl the old value is served when its load fails. @default 0 */
  readonly graceMs?: number | undefined;
  /** After a failed load the source is left alone for so long: the old value is served at once. @default 10 s */
  readonly graceBackoffMs?: number | undefined;
  /** For so long after its ttl the old value is served at once, while one load runs behind. @default 0 */
  readonly staleWhileRevalidateMs?: number | undefined;
  /** A load slower than this answers with the old value where grace still allows it; it goes on and fills. @default never */
  readonly softTimeoutMs?: number | undefined;
  /** A load slower than this is aborted (its `signal` fires); its callers get `ERR_TIMEOUT`, or the old value. @default never */
  readonly hardTimeoutMs?: number | undefined;
  /** A read after this share of the ttl starts a load behind. Between 0 and 1. @default never */
  readonly refreshAheadRatio?: number | undefined;
  /** XFetch: reads near the end of the ttl start a load behind with growing probability; 1 is the paper's optimum. @default never */
  readonly earlyRefreshBeta?: number | undefined;
  /** The ttl of a key doubles when a reload finds it unchanged and halves when it has changed, within these bounds. @default off */
  readonly adaptiveTtl?: AdaptiveTtl | undefined;
  /**
   * `copy`: what a read gives is its caller's own, to be changed at will. `frozen`: one deep-frozen value is shared by
   * all, which is quicker for lists that nobody changes; writing to it is a TypeError in strict code. @default `copy`
   */
  readonly values?: ValuesMode | undefined;
  /** Values heavier than this are kept compressed; each hit decodes its own copy. @default never */
  readonly compressAboveBytes?: number | undefined;
  /** A value heavier than this is served and not kept. @default the bound of the memory layer */
  readonly maxEntryBytes?: number | undefined;
  /** `null`, `undefined`, empty texts, arrays, maps and sets, and objects without fields are served and not kept. @default false */
  readonly skipEmpty?: boolean | undefined;
  /**
   * Where there is a disk layer, when the entry is written to it: never, at once, when the process ends, or with the
   * others every so often. @default `memory`
   */
  readonly persist?: PersistenceLevel | undefined;
  /** False: this value is served and not kept. */
  readonly when?: ((value: never) => boolean) | undefined;
  /** What a load of this value costs, in a unit of the author's choice; `/cache-stats` adds up what hits have saved. */
  readonly cost?: ((value: never) => number) | undefined;
}

export type ValuesMode = 'copy' | 'frozen';

export type PersistenceLevel = 'memory' | 'on_change' | 'on_shutdown' | 'periodic';

/** The bounds of an adaptive ttl. The tier's ttl is where a key begins. */
export interface AdaptiveTtl {
  readonly minMs: number;
  readonly maxMs: number;
}

export const DEFAULT_GRACE_BACKOFF_MS = 10_000;
