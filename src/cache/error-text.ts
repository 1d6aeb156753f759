/** Errors as they come: whoever rejects may reject with anything, also with an error of another realm, or without a text. */
import { types } from 'node:util';

/**
 * Whether a value is an error. Under Jest, vitest's `vmThreads` and `node:vm` errors come from another realm, where
 * `instanceof` says no; better-sqlite3's are not even native ones, so that the structure decides.
 */
export function isError(value: unknown): value is Error {
  if (value instanceof Error || types.isNativeError(value)) return true;
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  return 'stack' in value && 'message' in value && typeof value.message === 'string' && 'name' in value;
}

/** What an error says, in a line for people. */
export function errorText(error: unknown): string {
  try {
    return isError(error) ? String(error.message || error.name) : String(error);
  } catch {
    return 'an error that cannot be shown as text';
  }
}
