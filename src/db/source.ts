/**
 * What may stand between the shop and its database: something that is asked before each statement, and something that
 * the slow reads wait for. Without it the shop is as quick as SQLite; with it a database can be shown that is not.
 */

export interface SourceOptions {
  /** Called before each statement, of reads and writes alike. What it throws, the statement would have thrown. */
  readonly beforeQuery?: () => void;
  /** The aggregate reads wait for this, as they would for a database on another machine. */
  readonly gate?: (() => Promise<void> | void) | undefined;
}

/** The same functions, each behind `beforeQuery`. */
export function guarded<T extends object>(statements: T, { beforeQuery }: SourceOptions): T {
  if (beforeQuery === undefined) return statements;
  const behind = Object.entries(statements).map(([name, run]: [string, (...args: unknown[]) => unknown]) => [
    name,
    (...args: unknown[]) => {
      beforeQuery();
      return run(...args);
    },
  ]);
  return Object.fromEntries(behind) as T; // the same names, and what each takes and gives
}
