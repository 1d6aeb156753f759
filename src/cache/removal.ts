/** What was removed, and why. */

/** What an invalidation removed, or would remove. */
export interface Removal {
  readonly entries: number;
  readonly weightBytes: number;
  /** Loads in flight whose result will not be kept. */
  readonly loads: number;
  /**
   * There when more is covered than may be removed without holding up the event loop: none of it is served any more,
   * the memory is given back in slices, and this resolves with the whole count.
   */
  readonly pending?: Promise<Removal>;
}

/** What was held of something that is to be forgotten, layer by layer. */
export interface Forgotten {
  readonly entries: number;
  readonly weightBytes: number;
  /** Loads in flight whose result will not be kept. */
  readonly loads: number;
  /** Entries on disk. */
  readonly stored: number;
  /** Names of keys in the statistics. */
  readonly topKeys: number;
  /** Keys that were remembered, with the arguments that load them. */
  readonly hotKeys: number;
  /**
   * A file did not give up all of it: another program has it locked, or it cannot be written. What is left is not counted
   * here and not used any more, and is removed as soon as the file lets. `docs/privacy.md` says what stays if it never does.
   */
  readonly isUnfinished: boolean;
}

export type RemovalReason = 'evicted' | 'expired' | 'invalidated' | 'replaced';
