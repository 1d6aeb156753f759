/**
 * Keeps an eye on the schema while the feed runs. A table that is rebuilt, as migrations do, loses its triggers
 * silently; another process may begin the feed anew; columns may be added or converted without a trigger telling; and
 * a backup that is put into the open file counts as a change of the schema, too. So each one means that something may
 * have been missed.
 */
import type { Logger } from '../logger.ts';
import { type CompiledRule, compileRules } from './compile-rules.ts';
import { Coverage } from './coverage.ts';
import { type FeedDatabase, type FeedStatement, inTransaction } from './database.ts';
import { install, isInstalled, removeUnneeded, setOf, unneededSets } from './install.ts';
import type { TableRules } from './rules.ts';

export class TriggerWatch {
  readonly #db: FeedDatabase;
  readonly #rules: TableRules;
  readonly #logger: Logger;
  readonly #schemaVersion: FeedStatement;
  #seen: number;
  #compiled: readonly CompiledRule[];
  #coverage: Coverage;

  /** @param seen the schema for which the rules were compiled and installed */
  constructor(
    db: FeedDatabase,
    rules: TableRules,
    compiled: readonly CompiledRule[],
    logger: Logger,
    seen: number,
  ) {
    this.#db = db;
    this.#rules = rules;
    this.#logger = logger;
    this.#compiled = compiled;
    this.#coverage = new Coverage(compiled);
    this.#schemaVersion = db.prepare('PRAGMA main.schema_version').pluck().safeIntegers(false);
    this.#seen = seen;
  }

  get compiled(): readonly CompiledRule[] {
    return this.#compiled;
  }

  get set(): string {
    return setOf(this.#compiled);
  }

  get coverage(): Coverage {
    return this.#coverage;
  }

  /** The schema at the last look. */
  get schema(): number {
    return this.#seen;
  }

  /** Whether the schema is another than at the last look, so that something may have been missed. */
  get isOutdated(): boolean {
    return this.#version() !== this.#seen;
  }

  /**
   * Follows the schema as it is now, and puts lost triggers back.
   * @param rejoin runs within the transaction in which that is done, if it is
   * @throws CacheError where the rules fit the tables no longer
   */
  renew(rejoin: (set: string) => void): void {
    const version = this.#version();
    const { compiled, isWhole } = this.#look();
    if (isWhole && this.#version() === version) this.#take(compiled, version);
    else this.#putBack(rejoin);
  }

  /** The tables may be others: columns and unique indices decide what the triggers are. */
  #look() {
    const compiled = compileRules(this.#db, this.#rules);
    return { compiled, isWhole: isInstalled(this.#db, compiled) };
  }

  #putBack(rejoin: (set: string) => void): void {
    const { compiled, version } = inTransaction(this.#db, () => {
      const { compiled, isWhole } = this.#look();
      if (!isWhole) install(this.#db, compiled);
      rejoin(setOf(compiled));
      removeUnneeded(this.#db, setOf(compiled));
      return { compiled, version: this.#version() };
    });
    this.#take(compiled, version);
    this.#logger.warn(
      'Triggers of watched tables were gone or fitted no longer (a table that is rebuilt loses its own). They were put back, and the cache was cleared.',
    );
  }

  #take(compiled: readonly CompiledRule[], version: number): void {
    this.#compiled = compiled;
    this.#coverage = new Coverage(compiled);
    this.#seen = version;
  }

  /**
   * Removes triggers of rules that no running process has. It is a change of the schema like any other: what that other
   * release has left in a shared cache file is told of no longer.
   * @throws whatever SQLite throws, as where it is busy
   */
  removeUnneeded(): void {
    if (unneededSets(this.#db, this.set).size === 0) return;
    inTransaction(this.#db, () => removeUnneeded(this.#db, this.set));
  }

  #version(): number {
    return Number(this.#schemaVersion.get());
  }
}
