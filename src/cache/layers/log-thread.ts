/**
 * Writes SQLite's log back into the cache file in a thread of its own. SQLite waits for the disk while it does
 * (`fsync`): a millisecond where that is idle, hundreds where it is not, and they would hold up the event loop (I12).
 * Commits wait for nothing (`synchronous = NORMAL`), and go on meanwhile.
 */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

/** How long the log may get before it is written back. */
const LOG_BYTES = 1_000_000;
/** Looking at its length takes some microseconds. */
const COMMITS_A_LOOK = 4;

/** Text, since neither Node's type stripping nor a bundler would find a file of its own. */
const PROGRAM = `
const { module, path } = require('node:worker_threads').workerData;
const db = new (require(module))(path, { fileMustExist: true });
db.pragma('synchronous = NORMAL');
db.pragma('wal_checkpoint(PASSIVE)');
db.close();
`;

export class LogThread {
  readonly #path: string;
  readonly #onFailed: (error: unknown) => void;
  #worker: Worker | undefined;
  #commits = 0;
  #isEnded = false;

  /** @param onFailed the log is not written back by this thread any more */
  constructor(path: string, onFailed: (error: unknown) => void) {
    this.#path = path;
    this.#onFailed = onFailed;
  }

  /** To be told of every commit. */
  committed(): void {
    if (++this.#commits % COMMITS_A_LOOK !== 0 || this.#isEnded || this.#worker !== undefined) return;
    const size = statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= LOG_BYTES) this.#begin();
  }

  end(): void {
    this.#isEnded = true;
  }

  #begin(): void {
    try {
      const module = createRequire(import.meta.url).resolve('better-sqlite3');
      const workerData = { module, path: this.#path };
      this.#worker = new Worker(PROGRAM, { eval: true, workerData, stdout: true, stderr: true });
    } catch (error) {
      this.#failed(error);
      return;
    }
    // It must not keep a process that is done.
    this.#worker.unref();
    this.#worker.once('error', (error) => this.#failed(error));
    this.#worker.once('exit', () => {
      this.#worker = undefined;
    });
  }

  #failed(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#onFailed(error);
  }
}
