/**
 * Forgetting a person or a guild: everything that lies under a key with their id as a segment, whichever it is and
 * however the id is spelled, or carries their tag. What is held where, and for how long, is told in `docs/privacy.md`.
 */
import type { Cache } from './cache/cache.ts';
import { CacheError } from './cache/errors.ts';
import { partsOf } from './cache/invalidation/many-targets.ts';
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
    behind = writeBehind && forgetWrites(writeBehind, targets);
  } finally {
    // Also where the journal cannot be read.
    forgotten = await forgetAll(cache, targets);
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

/** A guild may name all its members: more than a call takes arguments. */
const AT_ONCE = 10_000;

async function forgetAll(cache: Cache, targets: readonly InvalidationTarget[]): Promise<Forgotten> {
  let all = await cache.forget(...targets.slice(0, AT_ONCE));
  for (const part of partsOf(targets.slice(AT_ONCE), AT_ONCE)) {
    if (part.length > 0) all = addForgotten(all, [await cache.forget(...part)]);
  }
  return all;
}

function forgetWrites(
  writeBehind: Pick<WriteBehind, 'forget'>,
  targets: readonly InvalidationTarget[],
): ForgottenWrites {
  let writes = 0;
  let isUnfinished = false;
  const keys = targets.filter((target) => typeof target === 'string');
  for (const part of partsOf(keys, AT_ONCE)) {
    const forgotten = writeBehind.forget(...part);
    writes += forgotten.writes;
    isUnfinished ||= forgotten.isUnfinished;
  }
  return { writes, isUnfinished };
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
  return {
    ...own,
    ...addForgotten(own, others),
    writes: others.reduce((total, { writes }) => total + writes, own.writes),
  };
}

function addForgotten(own: Forgotten, others: readonly Forgotten[]): Forgotten {
  const sum = (of: Exclude<keyof Forgotten, 'isUnfinished'>) =>
    others.reduce((total, forgotten) => total + forgotten[of], own[of]);
  return {
    entries: sum('entries'),
    weightBytes: sum('weightBytes'),
    loads: sum('loads'),
    stored: sum('stored'),
    topKeys: sum('topKeys'),
    hotKeys: sum('hotKeys'),
    isUnfinished: own.isUnfinished || others.some(({ isUnfinished }) => isUnfinished),
  };
}
