/**
 * What a command does on every shard: here by itself, there by asking. A bot in one process is asked nothing, and its
 * replies have no rows of shards.
 */
import type { Preview } from '../../cache/index/preview.ts';
import type { CacheStats } from '../../cache/statistics/stats.ts';
import type { CommandServices } from '../command.ts';
import { addPreviews, type ClearTarget, clearTarget, previewTarget } from '../target.ts';
import { mergeStats } from './merge-stats.ts';
import type { AskedTarget, ClearedShard, ShardReply, Shards } from './shards.ts';

type Services = Pick<CommandServices, 'cache' | 'shards'>;

/** Of every shard by number, the own included; `undefined` where the bot is one process. */
export type ShardRows<T> = readonly ShardReply<T>[] | undefined;

/** The statistics of all shards that answered, as one. */
export async function statsEverywhere(
  { cache, shards }: Services,
  topKeys: number,
): Promise<{ readonly stats: CacheStats; readonly rows: ShardRows<CacheStats> }> {
  const own = cache.stats(topKeys);
  if (shards === undefined) return { stats: own, rows: undefined };
  const replies = await shards.ask('stats', { topKeys });
  const stats = mergeStats([own, ...answers(replies)], topKeys);
  return { stats, rows: inOrder(shards, own, replies) };
}

/** What would be removed on all shards that answered. */
export async function previewEverywhere(
  { cache, shards }: Services,
  target: ClearTarget,
): Promise<{ readonly preview: Preview; readonly rows: ShardRows<Preview> }> {
  if (shards === undefined) return { preview: await previewTarget(cache, target), rows: undefined };
  const [own, replies] = await Promise.all([
    previewTarget(cache, target),
    shards.ask('preview', { target: asked(target) }),
  ]);
  const all = [own, ...answers(replies)];
  // Processes of one machine share one file: its entries are not counted twice.
  const preview = { ...addPreviews(all), stored: Math.max(...all.map(({ stored }) => stored)) };
  return { preview, rows: inOrder(shards, own, replies) };
}

function asked({ kind, text }: ClearTarget): AskedTarget {
  return { kind, text };
}

/** Removes on all shards. @param whom on these alone, which is how those are tried again that did not answer */
export async function clearEverywhere(
  { cache, shards }: Services,
  target: ClearTarget,
  whom?: readonly number[],
): Promise<{ readonly removal: ClearedShard; readonly ms: number; readonly rows: ShardRows<ClearedShard> }> {
  const startedAt = cache.clock.precise();
  const clearHere = async (): Promise<ClearedShard> => {
    const removal = clearTarget(cache, target);
    return removal.pending ?? removal;
  };
  if (shards === undefined) {
    const removal = await clearHere();
    return { removal, ms: cache.clock.precise() - startedAt, rows: undefined };
  }
  const isHere = whom === undefined || whom.includes(shards.own);
  const [own, replies] = await Promise.all([
    isHere ? clearHere() : undefined,
    shards.ask(
      'clear',
      { target: asked(target) },
      whom?.filter((shard) => shard !== shards.own),
    ),
  ]);
  const removal = { entries: 0, weightBytes: 0, loads: 0 };
  for (const one of [...(own === undefined ? [] : [own]), ...answers(replies)]) {
    removal.entries += one.entries;
    removal.weightBytes += one.weightBytes;
    removal.loads += one.loads;
  }
  return { removal, ms: cache.clock.precise() - startedAt, rows: inOrder(shards, own, replies) };
}

/** The replies with that of this process among them. */
export function inOrder<T>(
  shards: Pick<Shards, 'own'>,
  own: T | undefined,
  replies: readonly ShardReply<T>[],
): readonly ShardReply<T>[] {
  const all =
    own === undefined ? replies : [...replies, { shard: shards.own, ok: true, value: own } as const];
  return [...all].sort((a, b) => a.shard - b.shard);
}

export function answers<T>(rows: readonly ShardReply<T>[]): T[] {
  return rows.flatMap((row) => (row.ok ? [row.value] : []));
}

export function missing<T>(rows: ShardRows<T>): number[] {
  return (rows ?? []).filter((row) => !row.ok).map((row) => row.shard);
}

/** For the audit log: `, 1 of 2 shards (not 1)`; nothing where the bot is one process. */
export function shardsOnRecord<T>(rows: ShardRows<T>): string {
  if (rows === undefined) return '';
  const silent = missing(rows);
  const not = silent.length === 0 ? '' : ` (not ${silent.join(', ')})`;
  return `, on ${rows.length - silent.length} of ${rows.length} shards${not}`;
}
