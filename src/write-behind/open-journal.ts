/**
 * Opens the journal's file. A damaged one is set aside under a dated name and started anew, since a bot that does not
 * start saves nothing either; but it may hold writes that were acknowledged, so it is said as an error, with the path.
 */

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  assertDatabase,
  assertFunction,
  assertLogger,
  assertText,
  assertType,
  invalidArgument,
} from '../cache/arguments.ts';
import { errorText } from '../cache/error-text.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import { createPrivate, keepPrivate } from '../cache/layers/disk/private-file.ts';
import { consoleLogger } from '../logger/console-logger.ts';
import type { Logger } from '../logger.ts';
import { isDamage, type JournalDatabase } from './database.ts';
import { assertSynchronous, checkJournal, prepareJournal, type Synchronous } from './journal.ts';

export interface OpenJournalOptions {
  /** See `createWriteBehind`. @default 'normal' */
  readonly synchronous?: Synchronous | undefined;
  /** Hears of a damaged file. @default the console, one line a message */
  readonly logger?: Logger | undefined;
  /** Epoch milliseconds, for the dated name. @default `Date.now` */
  readonly now?: (() => number) | undefined;
}

const OPTIONS: OptionNames<OpenJournalOptions> = { synchronous: true, logger: true, now: true };

/**
 * @param path the journal's file, made with its folder where there is none; or `:memory:`
 * @param open opens a file with better-sqlite3: `(file) => new Database(file)`
 * @throws CacheError `ERR_STORE_FAILED` for the file of another program, of a newer version, or in use by another process
 * @example
 * const db = openJournal('write-behind.db', (file) => new Database(file));
 */
export function openJournal<D extends JournalDatabase>(
  path: string,
  open: (file: string) => D,
  options: OpenJournalOptions = {},
): D {
  const usage = 'openJournal(path, open)';
  assertText(path, usage, 'path', "'write-behind.db'");
  if (open === undefined) {
    throw invalidArgument(
      usage,
      'open is undefined, expected a function that opens a file: (file) => new Database(file)',
    );
  }
  assertFunction(open, usage, 'open');
  assertKnown('openJournal', options, OPTIONS);
  assertSynchronous(options.synchronous, usage);
  assertLogger(options.logger, usage);
  assertType(options.now, 'function', usage, 'now');
  const { synchronous = 'normal', logger = consoleLogger, now = Date.now } = options;
  const file = path === ':memory:' ? path : resolve(path);
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  try {
    return opened(file, open, synchronous);
  } catch (error) {
    if (!isDamage(error)) throw error;
    const aside = setAside(file, now());
    logger.error(
      `The journal of write-behind was damaged (${errorText(error)}). It was set aside as ${aside}, and a new one was ` +
        `started. Writes that were acknowledged may be in it: try \`sqlite3 ${aside} ".recover" | sqlite3 recovered.db\`, ` +
        'and see docs/write-behind.md for what to do with them.',
      { path: aside, error },
    );
    return opened(file, open, synchronous);
  }
}

function opened<D extends JournalDatabase>(
  file: string,
  open: (file: string) => D,
  synchronous: Synchronous,
): D {
  createPrivate(file);
  const db = open(file);
  assertDatabase(db, 'openJournal(path, open)', 'what open gives');
  try {
    prepareJournal(db, synchronous);
    keepPrivate(file);
    checkJournal(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The file with what belongs to it, under a name that says when. */
function setAside(file: string, at: number): string {
  const date = new Date(at).toISOString().replace(/[:.]/g, '-');
  const aside = `${file}.damaged-${date}`;
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  return aside;
}
