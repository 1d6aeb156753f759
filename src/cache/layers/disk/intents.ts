/**
 * What mutations are about to invalidate, for databases without a change feed: written down in the cache file before the
 * mutation begins, and crossed out once it is invalidated. A process that is killed in between leaves it there, and the
 * next one removes what it covers before it serves anything (I9).
 *
 * An insert and a delete of a small row each, which wait for no disk: that survives the end of the process, however it
 * comes. After the end of the machine the file is begun anew (`power-cut.ts`), or may have lost the last ones.
 */
import type { Target } from '../../keys/target.ts';
import type { DiskFile } from './file.ts';
import type { Provenance } from './provenance.ts';
import { sealed, unsealed } from './sealed.ts';
import { readTarget, writtenTarget } from './targets.ts';

const TABLE = `CREATE TABLE IF NOT EXISTS cache_intents (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,  -- the process, as its note beside the file names it; empty where it could leave none
  at INTEGER NOT NULL,  -- when the mutation began, epoch milliseconds
  targets TEXT NOT NULL -- a JSON list behind its checksum
) WITHOUT ROWID`;

/** No mutation takes so long, so its process is gone, or has forgotten to cross it out. */
const DEAD_AFTER_MS = 86_400_000;

interface IntentRow {
  readonly id: string;
  readonly owner: string;
  readonly at: number;
  readonly targets: string;
}

export class Intents {
  readonly #owner: string;
  #made = 0;

  /** @param owner names this cache among all that ever use the file */
  constructor(owner: string) {
    this.#owner = owner;
  }

  /**
   * What others have written down and not crossed out; `isAlive` tells of a process by its name. Of those that are gone it is crossed out, so carry it out within
   * the same transaction; those that are alive may still change what it covers, and cross it out themselves.
   * @throws CacheError `ERR_STORE_FAILED` where it is damaged
   */
  takeLeft(file: DiskFile, nowAt: number, isAlive: (owner: string) => boolean): Target[] {
    file.statement(TABLE).run();
    const rows = file.statement('SELECT id, owner, at, targets FROM cache_intents').all();
    return (rows as readonly IntentRow[]).flatMap((row) => {
      const targets = JSON.parse(unsealed(row.targets)) as readonly string[]; // its checksum matched, so `add` wrote it
      if (row.at < nowAt - DEAD_AFTER_MS || !(row.owner === '' || isAlive(row.owner)))
        this.crossOut(file, row.id);
      return targets.map(readTarget);
    });
  }

  /** @returns what to cross out */
  add(file: DiskFile, targets: readonly Target[], nowAt: number, owner: string | undefined): string {
    const id = `${this.#owner}-${this.#made++}`;
    file
      .statement('INSERT INTO cache_intents (id, owner, at, targets) VALUES (?, ?, ?, ?)')
      .run(id, owner ?? '', nowAt, sealed(JSON.stringify(targets.map(writtenTarget))));
    return id;
  }

  crossOut(file: DiskFile, id: string): void {
    file.statement('DELETE FROM cache_intents WHERE id = ?').run(id);
  }
}

/**
 * The author's word that every write goes through a wrapped mutation of this process, so that what was written down
 * tells of all that a crash has left undone. Where that was not so from the file's beginning, what is older is not
 * believed.
 */
export function provenByIntents(position: unknown): Provenance {
  const isContinued = typeof position === 'object' && position !== null && 'intents' in position;
  return {
    beginning: isContinued ? 'resumed' : 'new',
    drain: () => true,
    position: () => ({ intents: true }),
    tellsOf: () => true,
  };
}
