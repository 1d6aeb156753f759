/** What notices the writes of a SQLite connection by itself, such as the feed of watched tables. */
export interface ChangeSource {
  /** Whether this connection has written something that is not invalidated yet. It may have been rolled back since. */
  readonly isBehind: boolean;
  /** Invalidates what this connection has committed, and all that was committed before. Never throws. */
  drainOwn(): void;
}
