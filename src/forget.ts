/**
 * Forgetting a person or a guild: everything that lies under a key with their id as a segment, whichever it is and
 * however the id is spelled, or carries their tag. What is held where, and for how long, is told in `docs/privacy.md`.
 */
import type { Cache } from './cache/cache.ts';
import { CacheError } from './cache/errors.ts';
import type { InvalidationTarget } from './cache/keys/target.ts';
import type { Forgotten } from './cache/removal.ts';
import type { ForgottenWrites, WriteBehind } from './write-behind/types.ts';

/** What was removed, for the log and for whoever asked. */
export interface ForgetReceipt extends Forgotten {
  readonly kind: 'user' | 'guild';
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly targets: readonly InvalidationTarget[];
  /** Writes that were not saved yet, or could not be; 0 where there is no write-behind. */
  readonly writes: number;
  /** Other shards of the bot that did not answer: they may still hold something, and are asked again. */
  readonly silentShards: readonly number[];
}

/**
 * @param id of a person or guild
 * @param also keys, patterns and tags under which the host keeps more of them
 * @param writeBehind whose journal may hold something of them, under the same keys and patterns
 * @throws CacheError `ERR_ARGUMENT_INVALID` for what is no id: nothing is to be forgotten by mistake
 */
export async function forget(
  cache: Cache,
  kind: ForgetReceipt['kind'],
  id: string,
  also: readonly InvalidationTarget[] = [],
  { writeBehind }: { readonly writeBehind?: Pick<WriteBehind, 'forget'> | undefined } = {},
): Promise<ForgetReceipt> {
  assertId(kind, id);
  // Between one colon and the next, so that keys such as `user:123` are covered as well.
  const targets = [id, `${id}:*`, `*:${id}`, `*:${id}:*`, { tag: `${kind}:${id}` }, ...also];
  let behind: ForgottenWrites | undefined;
  let forgotten: Forgotten;
  try {
    // First, or a read could bring back what is not saved yet.
    behind = writeBehind?.forget(...targets.filter((target) => typeof target === 'string'));
  } finally {
    // Also where the journal cannot be read.
    forgotten = await cache.forget(...targets);
  }
  const { clock } = cache;
  return {
    kind,
    id,
    at: clock.epochAt(clock.now()),
    targets,
    silentShards: [],
    ...forgotten,
    writes: behind?.writes ?? 0,
    isUnfinished: forgotten.isUnfinished || behind?.isUnfinished === true,
  };
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no id, numbers included: those of Discord are rounded by then */
export function assertId(kind: ForgetReceipt['kind'], id: unknown): asserts id is string {
  if (typeof id === 'string' && /^\d{1,20}$/.test(id)) return;
  const problem = typeof id === 'string' ? `"${id}" is` : `A ${typeof id} is`;
  throw new CacheError(
    'ERR_ARGUMENT_INVALID',
    `${problem} no id of a ${kind}; ids are text of up to 20 digits, as Discord gives them.`,
  );
}

/** What was forgotten in all processes of a bot: theirs is added to the own. */
export function addReceipts(own: ForgetReceipt, others: readonly ForgetReceipt[]): ForgetReceipt {
  const sum = (of: Exclude<keyof Forgotten, 'isUnfinished'> | 'writes') =>
    others.reduce((total, receipt) => total + receipt[of], own[of]);
  return {
    ...own,
    writes: sum('writes'),
    entries: sum('entries'),
    weightBytes: sum('weightBytes'),
    loads: sum('loads'),
    stored: sum('stored'),
    topKeys: sum('topKeys'),
    hotKeys: sum('hotKeys'),
    isUnfinished: own.isUnfinished || others.some(({ isUnfinished }) => isUnfinished),
  };
}
