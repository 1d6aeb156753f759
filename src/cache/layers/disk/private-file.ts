/**
 * Files with people's data can be read by the user alone that the bot runs as. SQLite gives its log (`-wal`, `-shm`) the
 * permissions of the database, so it is enough to see to that file, and to a log that is left over.
 */
import { chmodSync, closeSync, existsSync, openSync, statSync } from 'node:fs';

const OWNER_ALONE = 0o600;
const GROUP_AND_OWNER = 0o660;

/** The mode of a note beside such a file. */
export const PRIVATE = { mode: OWNER_ALONE } as const;

/** Makes the file for its owner alone, where there is none. What the folder does not allow SQLite tells better. */
export function createPrivate(path: string): void {
  if (!hasRights(path)) return;
  try {
    // A file that is there is not opened: to close it again would take the locks of other connections away.
    closeSync(openSync(path, 'ax', OWNER_ALONE));
  } catch {
    // It is there already, or cannot be made.
  }
}

/**
 * Takes the rights of others away from a file that is known to be ours, and from its log. One of another user is left
 * as it is. One that was given to a group which is not the process's own is relied upon by that group, and keeps its
 * rights for it.
 */
export function keepPrivate(path: string): void {
  if (!hasRights(path)) return;
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) tighten(file);
}

/** Windows has no such rights, and memory needs none. */
function hasRights(path: string): boolean {
  return path !== '' && path !== ':memory:' && process.getuid !== undefined;
}

function tighten(file: string): void {
  try {
    const { uid, gid, mode } = statSync(file);
    if (uid !== process.getuid?.()) return;
    const allowed = gid === process.getegid?.() ? OWNER_ALONE : GROUP_AND_OWNER;
    if ((mode & 0o777 & ~allowed) !== 0) chmodSync(file, mode & allowed);
  } catch {
    // It has just gone, or its file system knows no rights: nothing is less safe than before.
  }
}
