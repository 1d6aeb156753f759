/**
 * Notices the writes of one connection to the table of changes, however they are made: by a temporary trigger, which
 * other connections do not have, and which calls a function here. What is rolled back is noticed, too.
 */
import { type FeedDatabase, quoteName, rowsOf } from './database.ts';

export class OwnWrites {
  readonly #db: FeedDatabase;
  readonly #name: string;
  #isEnded = false;
  #made = 0;
  /** The last position that was noticed since `take`; 0: none. */
  #position = 0;
  #openWrites = 0;
  #isLookingAgain = false;

  /** @param id makes the names of trigger and function unique among the feeds of a connection */
  constructor(db: FeedDatabase, id: string) {
    this.#db = db;
    this.#name = `cachecord_noticed_${id.replaceAll('-', '')}`;
    db.function(this.#name, {}, (position: number | bigint) => {
      if (!this.#isEnded) this.#notice(Number(position));
      return null;
    });
    this.#makeTrigger();
  }

  #notice(position: number): void {
    this.#position = position;
    if (this.#isLookingAgain || !this.#db.inTransaction) return;
    this.#isLookingAgain = true;
    // Before any other part of the program runs.
    void Promise.resolve().then(() => {
      this.#isLookingAgain = false;
      if (this.#db.inTransaction) this.#openWrites++;
    });
  }

  /** How often a transaction that had written was open still in a later step of the program. */
  get openWrites(): number {
    return this.#openWrites;
  }

  /** Makes the trigger anew: it loses its hold when another connection takes its table away. */
  renew(): void {
    this.#dropTriggers();
    this.#makeTrigger();
  }

  #makeTrigger(): void {
    // One that has lost its hold still has its name.
    this.#db.exec(
      `CREATE TEMP TRIGGER ${quoteName(`${this.#name}_${this.#made++}`)} AFTER INSERT ON main.cache_changes
       BEGIN SELECT ${this.#name}(NEW.position); END`,
    );
  }

  #dropTriggers(): void {
    for (const { name } of rowsOf(
      this.#db,
      `SELECT name FROM temp.sqlite_schema WHERE name GLOB '${this.#name}_*'`,
    ))
      this.#db.exec(`DROP TRIGGER IF EXISTS temp.${quoteName(String(name))}`);
  }

  get isAny(): boolean {
    return this.#position > 0;
  }

  /** The last position that was noticed and is not taken; 0: none. */
  get position(): number {
    return this.#position;
  }

  /** All that was noticed is dealt with. */
  take(): void {
    this.#position = 0;
  }

  end(): void {
    this.#isEnded = true;
    this.#position = 0;
    if (this.#db.open) this.#dropTriggers();
  }
}
