/** The errors Cachecord throws. Each has a stable `code` that a caller may branch on, and names its key where it has one. */
export type CacheErrorCode =
  | 'ERR_ARGUMENT_INVALID'
  | 'ERR_BACKLOG_FULL'
  | 'ERR_CLOSED'
  | 'ERR_CONFIG_INVALID'
  | 'ERR_KEY_INVALID'
  | 'ERR_LOAD_FAILED'
  | 'ERR_PATTERN_INVALID'
  | 'ERR_STORE_FAILED'
  | 'ERR_TIMEOUT'
  | 'ERR_TRANSACTION';

export interface CacheErrorOptions extends ErrorOptions {
  readonly key?: string;
}

export class CacheError extends Error {
  override readonly name: string = 'CacheError';
  readonly code: CacheErrorCode;
  /** The key concerned, when there is one. */
  readonly key: string | undefined;

  constructor(code: CacheErrorCode, message: string, options: CacheErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.key = options.key;
  }
}
