/**
 * Keeps an eye on the triggers while the feed runs. A table that is rebuilt, as migrations do, loses its triggers
 * silently; another process may put those of other rules there, or begin the feed anew.
 */
import type { Logger } from '../logger.ts';
import { type CompiledRule, compileRules } from './compile-rules.ts';
import { Coverage } from './coverage.ts';
import { type FeedDatabase, type FeedStatement, inTransaction } from './database.ts';
import { fingerprintOf, install, isInstalled, metaOf } from './install.ts';
import type { TableRules } from './rules.ts';

export class TriggerWatch {
  readonly #db: FeedDatabase;
  readonly #rules: TableRules;
  readonly #logger: Logger;
  readonly #schemaVersion: FeedStatement;
  #seen: unknown;
  #epoch: string | undefined;
  /** Those of other rules that were told of. */
  #toldFingerprint: string | undefined;
  #compiled: readonly CompiledRule[];
  #coverage: Coverage;

  constructor(db: FeedDatabase, rules: TableRules, compiled: readonly CompiledRule[], logger: Logger) {
    this.#db = db;
    this.#rules = rules;
    this.#logger = logger;
    this.#compiled = compiled;
    this.#coverage = new Coverage(compiled);
    this.#schemaVersion = db.prepare('PRAGMA main.schema_version').pluck();
    this.#seen = this.#schemaVersion.get();
    this.#epoch = metaOf(db, 'epoch');
  }

  get compiled(): readonly CompiledRule[] {
    return this.#compiled;
  }

  get coverage(): Coverage {
    return this.#coverage;
  }

  /** Whether the triggers are those of these rules, as far as the database says. */
  isOurs(): boolean {
    return metaOf(this.#db, 'rules') === fingerprintOf(this.compiled);
  }

  /**
   * Looks whether the schema has changed, and puts lost triggers back.
   * @returns whether something may have been missed
   * @throws CacheError where the rules fit the tables no longer
   */
  check(): boolean {
    const version = this.#schemaVersion.get();
    if (version === this.#seen) return false;
    const hasMissed = this.#compare();
    this.#seen = this.#schemaVersion.get();
    return hasMissed;
  }

  #compare(): boolean {
    if (isInstalled(this.#db, this.compiled)) {
      const epoch = metaOf(this.#db, 'epoch');
      const isAnother = epoch !== this.#epoch;
      this.#epoch = epoch;
      return isAnother;
    }
    const present = fingerprintIn(this.#db);
    if (present === undefined || present === fingerprintOf(this.compiled)) this.#putBack();
    else return this.#isReplaced(present);
    return true;
  }

  #putBack(): void {
    this.#compiled = compileRules(this.#db, this.#rules);
    this.#coverage = new Coverage(this.#compiled);
    inTransaction(this.#db, () => install(this.#db, this.compiled));
    this.#epoch = metaOf(this.#db, 'epoch');
    this.#logger.warn(
      'Triggers of watched tables were gone (a table that is rebuilt loses its own). They were put back, and the cache was cleared.',
    );
  }

  /** Their changes tell by themselves what they cover; whether that is all that is cached here is not known. */
  #isReplaced(fingerprint: string): boolean {
    if (this.#toldFingerprint === fingerprint) return false;
    this.#toldFingerprint = fingerprint;
    this.#logger.warn(
      'Another process watches the tables of this database by other rules, and its triggers have replaced ours: start both with the same rules.',
    );
    return true;
  }
}

/** `undefined`: the feed's tables are gone, too. */
function fingerprintIn(db: FeedDatabase): string | undefined {
  const [table] = db.prepare("SELECT 1 FROM main.sqlite_schema WHERE name = 'cache_feed'").all();
  return table === undefined ? undefined : metaOf(db, 'rules');
}
