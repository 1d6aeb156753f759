/**
 * What lets the cache file be written without ever waiting for the disk (`synchronous = OFF`): waiting takes a
 * millisecond where the disk is idle and hundreds where it is not, and would hold up the event loop (I12). The end of a
 * process loses nothing by it; the end of the machine may leave any mixture of old and new.
 *
 * So a note beside the file names the start of the machine since which it is in use. It is on the disk before anything is
 * written so, and goes once everything is on the disk. A note of an earlier start means that the machine ended
 * meanwhile: the file proves nothing, and is begun anew (I9).
 *
 * A note is an empty SQLite file that its process holds an exclusive lock on. The operating system takes the lock back
 * when the process ends, however it ends, so the lock tells a live process from a dead one also between containers,
 * where process numbers mean nothing.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createPrivate } from './private-file.ts';
import type { OpenDatabase, StoreDatabase } from './store-database.ts';

/** Linux makes a new one at each start. */
const BOOT_FILE = '/proc/sys/kernel/random/boot_id';
/** Stands for the machine's start where the machine does not name it. */
const UNNAMED_START = 'unnamed';

/** Names the machine's present start; `undefined` where the machine does not tell. */
export function machineStart(): string | undefined {
  try {
    return readFileSync(BOOT_FILE, 'utf8').trim();
  } catch {
    // Not Linux: the file is written the slower way.
    return undefined;
  }
}

/** The note of one process, and the lock that shows that the process is alive. */
export interface UseNote {
  /** Names the process among all that ever use the file. */
  readonly owner: string;
  /** Removes the note, once the file is closed and everything is on the disk. */
  end(): Promise<void>;
}

/** Whether the file was in use when the machine ended. Removes the notes that say so. */
export function wasCutOff(path: string, start: string): boolean {
  const old = notesOf(path).filter((note) => {
    const named = startOf(note);
    return named !== start && named !== UNNAMED_START;
  });
  for (const note of old) rmSync(note, { force: true });
  return old.length > 0;
}

/**
 * Leaves a note that the file is in use, and removes those of processes that were killed: what they wrote is made sure of
 * with what is written now.
 * @throws what Node or SQLite has against the folder
 */
export function noteUse(path: string, start: string | undefined, open: OpenDatabase): UseNote {
  for (const note of [...notesOf(path), ...filesNamed(`${path}.note-`)]) {
    if (!isHeld(note, open)) rmSync(note, { force: true });
  }
  const owner = randomBytes(9).toString('hex');
  const note = `${path}.in-use-${start ?? UNNAMED_START}-${owner}`;
  // Another name until the lock is held: a process that starts now would remove a note that nobody holds.
  const draft = `${path}.note-${owner}`;
  let lock: StoreDatabase | undefined;
  try {
    createPrivate(draft);
    lock = hold(draft, open);
    renameSync(draft, note);
    sync(dirname(path));
  } catch (error) {
    lock?.close();
    for (const left of [draft, note]) rmSync(left, { force: true });
    throw error;
  }
  const held = lock;
  return {
    owner,
    async end() {
      try {
        // Without a named start nothing was written without waiting; a deleted file has nothing to lose.
        if (start !== undefined && existsSync(path)) await syncInBackground(path);
        rmSync(note, { force: true });
      } finally {
        held.close();
      }
    },
  };
}

/** Whether the process that left a note under this name is alive. */
export function isInUseBy(path: string, owner: string, open: OpenDatabase): boolean {
  const note = notesOf(path).find((name) => name.endsWith(`-${owner}`));
  return note !== undefined && isHeld(note, open);
}

/** Locks a note: nothing is ever written to it, and no journal stands beside it. */
function hold(note: string, open: OpenDatabase): StoreDatabase {
  const db = open(note);
  try {
    db.pragma('busy_timeout = 0');
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A note that cannot be asked counts as held: a live process must not lose its own. */
function isHeld(note: string, open: OpenDatabase): boolean {
  try {
    hold(note, open).close();
    return false;
  } catch {
    return true;
  }
}

function notesOf(path: string): string[] {
  return filesNamed(`${path}.in-use-`);
}

/** The start of the machine that a note names; a name that is not ours counts as an earlier start. */
function startOf(note: string): string | undefined {
  return /\.in-use-(.+)-[0-9a-f]{18}$/.exec(note)?.[1];
}

function filesNamed(beginning: string): string[] {
  const folder = dirname(beginning);
  return readdirSync(folder)
    .filter((name) => name.startsWith(basename(beginning)))
    .map((name) => join(folder, name));
}

/** The whole of a file may take long: the loop turns meanwhile (I12). */
async function syncInBackground(path: string): Promise<void> {
  const file = await openFile(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
