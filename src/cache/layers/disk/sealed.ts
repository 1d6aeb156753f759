/** Text behind its checksum: what damage has touched is told from what was written. */
import { crc32 } from 'node:zlib';
import { CacheError } from '../../errors.ts';

export function sealed(text: string): string {
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}`;
}

/** @throws CacheError `ERR_STORE_FAILED` for what `sealed` has not written */
export function unsealed(stored: string): string {
  const text = stored.slice(9);
  if (sealed(text) === stored) return text;
  throw new CacheError('ERR_STORE_FAILED', 'What the cache file says of itself is damaged.');
}
