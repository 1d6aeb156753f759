/** What notices the writes of a SQLite connection by itself, such as the feed of watched tables. */
export interface ChangeSource {
  /** Whether this connection has written something that is not invalidated yet. It may have been rolled back since. */
  readonly isBehind: boolean;
  /** How far changes are written down, committed or not; `undefined` where that cannot be told. Never throws. */
  readonly written: number | undefined;
  /**
   * How often a transaction was found to have written something and to be open still in a later step of the program:
   * what a load has read meanwhile may have been rolled back.
   */
  readonly openWrites: number;
  /**
   * Invalidates what this connection has committed, and all that was committed before. Never throws.
   * @param upTo what `written` has said before: nothing that was written down after that
   * @returns whether it did that, and no more
   */
  drainOwn(upTo?: number): boolean;
}
