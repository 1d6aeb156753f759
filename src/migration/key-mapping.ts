/** From the keys of an old cache to ours, and to the namespace they belong to. Compiled once. */
import { CacheError } from '../cache/errors.ts';
import { compileKeyTemplate } from '../cache/keys/key-template.ts';
import { assertKey, SEPARATOR } from '../cache/keys/keys.ts';
import type { NamespaceMigration } from './types.ts';

export interface KeyMapping {
  /**
   * The new key, or `undefined` for a key of another namespace.
   * @throws what the author's function throws, and CacheError `ERR_KEY_INVALID` for a key outside the namespace
   */
  newKey(oldKey: unknown): string | undefined;
  /** A pattern that covers every key it can give. */
  readonly pattern: string;
  /** True when it takes every old key, so that no mapping after it is ever asked. */
  readonly takesAll: boolean;
}

/**
 * @throws CacheError `ERR_ARGUMENT_INVALID` or `ERR_KEY_INVALID` for templates that are not valid, or that lead out of
 * the namespace
 */
export function compileKeyMapping<K>(namespace: string, { from, to }: NamespaceMigration<K>): KeyMapping {
  const owner = `migrateFrom: namespace "${namespace}"`;
  if (typeof to !== 'string' && typeof to !== 'function') {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `${owner} needs "to", the new key: '${namespace}::{0}', or a function of the old key.`,
    );
  }
  const prefix = namespace + SEPARATOR;
  if (typeof to === 'string' && !to.startsWith(prefix)) {
    throw new CacheError('ERR_ARGUMENT_INVALID', `${owner}: "to" must begin with "${prefix}", not "${to}".`);
  }
  const parse = from === undefined ? undefined : compileOldKey(from, owner);
  const render = typeof to === 'string' ? compileTo(to, owner, parse?.names ?? 1) : undefined;
  return {
    pattern: typeof to === 'string' ? to.replaceAll(/\{[^{}]*\}/g, '*') : `${prefix}*`,
    takesAll: parse === undefined && typeof to === 'string',
    newKey(oldKey) {
      const args = parse === undefined ? [oldKey] : parse.read(oldKey);
      if (args === undefined) return undefined;
      // The old cache's own type of keys: what a bot hands in is what its function takes.
      const key = render === undefined ? (to as (oldKey: K) => unknown)(oldKey as K) : render(args);
      if (key === undefined) return undefined;
      assertKey(key);
      if (key.startsWith(prefix)) return key;
      throw new CacheError('ERR_KEY_INVALID', `${owner}: "to" gave a key of another namespace.`, { key });
    },
  };
}

function compileTo(to: string, owner: string, parameters: number | readonly string[]) {
  return compileKeyTemplate(to, { functionName: owner, length: 1, parameters });
}

/** Reads keys such as `guild:1:member:2` by a template such as `guild:{guild}:member:{member}`. */
function compileOldKey(from: string, owner: string) {
  const pieces = typeof from === 'string' ? from.split(/\{([^{}]*)\}/) : [''];
  const names = pieces.filter((_, i) => i % 2 === 1);
  if (names.length === 0 || names.includes('') || new Set(names).size < names.length) {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `${owner}: "from" is what the old keys look like, with a name for each part: 'user:{id}'.`,
    );
  }
  const source = pieces.map((piece, i) => (i % 2 === 1 ? '(.+?)' : literally(piece))).join('');
  const pattern = new RegExp(`^${source}$`, 's');
  return {
    names,
    read: (oldKey: unknown): readonly string[] | undefined =>
      typeof oldKey === 'string' ? pattern.exec(oldKey)?.slice(1) : undefined,
  };
}

/** Text that a regular expression takes as it is written. */
function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
