/**
 * What lets the cache file be written without ever waiting for the disk (`synchronous = OFF`): waiting takes a
 * millisecond where the disk is idle and hundreds where it is not, and would hold up the event loop (I12). The end of a
 * process loses nothing by it; the end of the machine may leave any mixture of old and new.
 *
 * So a note beside the file says since which start of the machine it is in use. It is on the disk before anything is
 * written so, and goes once everything is on the disk. A note of an earlier start means that the machine ended
 * meanwhile: the file proves nothing, and is begun anew (I9).
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
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PRIVATE } from './private-file.ts';
import { hasEnded, processStart } from './processes.ts';

/** Linux makes a new one at each start. */
const BOOT_FILE = '/proc/sys/kernel/random/boot_id';

/** Names the machine's present start; `undefined` where the machine does not tell. */
export function machineStart(): string | undefined {
  try {
    return readFileSync(BOOT_FILE, 'utf8').trim();
  } catch {
    // Not Linux: the file is written the slower way.
    return undefined;
  }
}

/** Whether the file was in use when the machine ended. Takes the notes that say so away. */
export function wasCutOff(path: string, start: string): boolean {
  const old = filesNamed(`${path}.in-use-`).filter((note) => ![start, undefined].includes(textOf(note)));
  for (const note of old) rmSync(note, { force: true });
  return old.length > 0;
}

/**
 * Leaves a note that the file is in use.
 * @returns what takes it away, once the file is closed and nothing is in use any more
 * @throws what Node has against the folder
 */
export function noteUse(path: string, start: string): () => Promise<void> {
  // Processes that were killed have left theirs; what they wrote is made sure of with what is written now.
  for (const note of [...filesNamed(`${path}.in-use-`), ...filesNamed(`${path}.note-`)])
    if (isLeft(note)) rmSync(note, { force: true });
  const name = `${process.pid}-${processStart()}-${randomBytes(6).toString('hex')}`;
  const note = `${path}.in-use-${name}`;
  // Under another name until it is whole, since who reads half of it takes it for an old one.
  const draft = `${path}.note-${name}`;
  try {
    writeDown(draft, start);
    renameSync(draft, note);
    sync(dirname(path));
  } catch (error) {
    for (const left of [draft, note]) rmSync(left, { force: true });
    throw error;
  }
  return async () => {
    // Where it was deleted, there is nothing that could be lost.
    if (existsSync(path)) await syncInBackground(path);
    rmSync(note, { force: true });
  };
}

function writeDown(path: string, text: string): void {
  const file = openSync(path, 'w', PRIVATE.mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function filesNamed(beginning: string): string[] {
  const folder = dirname(beginning);
  return readdirSync(folder)
    .filter((name) => name.startsWith(basename(beginning)))
    .map((name) => join(folder, name));
}

/** `undefined` where it has just gone. */
function textOf(note: string): string | undefined {
  try {
    return readFileSync(note, 'utf8');
  } catch {
    // Its process has ended well.
    return undefined;
  }
}

function isLeft(note: string): boolean {
  const [, pid, startedAt] = /\.(?:in-use|note)-(\d+)-(\d+)-\w+$/.exec(note) ?? [];
  return pid !== undefined && hasEnded(Number(pid), Number(startedAt));
}

/** The whole of a file may take long: the loop turns meanwhile (I12). */
async function syncInBackground(path: string): Promise<void> {
  const file = await open(path, 'r');
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
