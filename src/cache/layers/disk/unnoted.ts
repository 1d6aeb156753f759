/**
 * Mutations that could not be written down before they began (`intents.ts`), since the file was locked, full or not
 * there: an empty file beside it says that there were some. Should the process be killed before what they cover is gone
 * from the file, nobody can tell what that was, so the next one believes nothing of before (I9). A clean end takes the
 * mark away.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { PRIVATE } from './private-file.ts';

export class Unnoted {
  readonly #mark: string;
  #running = 0;

  /** @param path of the cache file */
  constructor(path: string) {
    this.#mark = `${path}.unnoted`;
  }

  /** Whether there may be some whose invalidation was not carried out. */
  get isMarked(): boolean {
    return existsSync(this.#mark);
  }

  /**
   * One begins.
   * @returns to be called when it is invalidated, or nothing has changed
   * @throws what Node has against the folder
   */
  begin(): () => void {
    writeFileSync(this.#mark, '', PRIVATE);
    this.#running++;
    return () => void this.#running--;
  }

  /** What those that have ended cover is gone from the file, or not believed. */
  settle(): void {
    if (this.#running === 0) rmSync(this.#mark, { force: true });
  }
}
