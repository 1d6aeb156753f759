/** The errors of the shop's database. Each says what happened to which file and what to do about it. */
import { errorText, isError } from '../cache/error-text.ts';

export type DatabaseErrorCode =
  /** The file or its folder can't be created, opened or written. */
  | 'ERR_DB_PATH'
  /** The file is there and is no SQLite database, or it is damaged. */
  | 'ERR_DB_NOT_A_DATABASE'
  /** It is a SQLite database, of another program. */
  | 'ERR_DB_FOREIGN'
  /** It was written by a newer version of this program. */
  | 'ERR_DB_NEWER'
  /** There is no room left on the disk. */
  | 'ERR_DB_FULL'
  /** Another process holds it for longer than we wait. */
  | 'ERR_DB_BUSY'
  /** A migration failed for another reason. */
  | 'ERR_DB_MIGRATION'
  /** Generated data was to go into a shop that has data already. */
  | 'ERR_DB_NOT_EMPTY';

export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: DatabaseErrorCode;
  /** The file concerned, or `:memory:`. */
  readonly path: string;

  constructor(code: DatabaseErrorCode, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}

/**
 * What an error of SQLite or of the file system means for this database file.
 * @param doing completes "can't be …": `opened`, `brought up to date`
 */
export function explain(error: unknown, path: string, doing: string): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const code = codeOf(error);
  const reason = errorText(error);
  const say = (kind: DatabaseErrorCode, text: string) =>
    new DatabaseError(kind, path, `The database ${path} ${text}`, { cause: error });
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return say(
      'ERR_DB_NOT_A_DATABASE',
      `is no SQLite database, or it is damaged (${reason}). It was left as it is: move it away or restore a backup, or set DATABASE_PATH to another file.`,
    );
  }
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'SQLITE_IOERR_WRITE') {
    return say(
      'ERR_DB_FULL',
      `can't be ${doing}: there is no room left on its disk. What was in it is unharmed: free some space and start again.`,
    );
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return say(
      'ERR_DB_BUSY',
      `can't be ${doing}: another process holds it. Stop that one (a second bot, an open sqlite3 shell), then start again.`,
    );
  }
  if (PATH_CODES.some((each) => code.startsWith(each)) || error instanceof TypeError) {
    return say(
      'ERR_DB_PATH',
      `can't be ${doing} (${reason}). Check that its folder exists or can be made and that this user may write there, or set DATABASE_PATH to another file.`,
    );
  }
  return say('ERR_DB_MIGRATION', `can't be ${doing}: ${reason}. Nothing was changed.`);
}

const PATH_CODES = [
  'SQLITE_CANTOPEN',
  'SQLITE_READONLY',
  'SQLITE_PERM',
  'SQLITE_IOERR',
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'EPERM',
  'EROFS',
  'ERR_INVALID_ARG',
];

function codeOf(error: unknown): string {
  const code: unknown = isError(error) ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}
