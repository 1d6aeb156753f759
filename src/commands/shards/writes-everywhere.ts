/**
 * Pending writes on every shard: each has a journal of its own, with numbers of its own. What is found here is exactly
 * what is retried or dropped afterwards, shard by shard.
 */
import type { WriteBehind } from '../../write-behind/types.ts';
import type { CommandServices } from '../command.ts';
import { type FoundWrites, findWrites, type WhichWrites } from '../writes-lookup.ts';
import { inOrder, type ShardRows } from './everywhere.ts';
import type { ShardReply } from './shards.ts';

type Services = Pick<CommandServices, 'shards'>;

/** One row a shard, the own included; of a bot in one process that one alone. `null`: no write-behind there. */
export type WritesRows = readonly ShardReply<FoundWrites | null>[];

const WITH_SHARD = /^(\d{1,6})#(\d{1,15})$/;

/** @param limitMs completion cannot wait as long as people can. @default five seconds */
export async function findEverywhere(
  { shards }: Services,
  writeBehind: WriteBehind,
  which: WhichWrites,
  limitMs?: number,
): Promise<WritesRows> {
  const own = findWrites(writeBehind, which);
  const numbered = numberedOf(which);
  if (shards === undefined) return [{ shard: 0, ok: true, value: own }];
  // A writer may be called so.
  if (numbered === undefined || (typeof which === 'string' && own.count > 0)) {
    return inOrder(shards, own, await shards.ask('writes', { which }, undefined, limitMs));
  }
  const { shard, number } = numbered;
  if (shard === shards.own) return [{ shard, ok: true, value: findWrites(writeBehind, { number }) }];
  if (!shards.others.includes(shard)) return [];
  return shards.ask('writes', { which: { number } }, [shard], limitMs);
}

/** A write of one shard, named by both numbers. */
function numberedOf(which: WhichWrites): { readonly shard: number; readonly number: number } | undefined {
  if (typeof which !== 'string') {
    return 'number' in which && which.shard !== undefined ? { ...which, shard: which.shard } : undefined;
  }
  const [, shard, number] = WITH_SHARD.exec(which) ?? [];
  return number === undefined ? undefined : { shard: Number(shard), number: Number(number) };
}

/** Does it where something was found. @returns one row a shard, with how many it was done to */
export async function actEverywhere(
  { shards }: Services,
  writeBehind: WriteBehind,
  act: 'retry' | 'drop',
  found: WritesRows,
): Promise<readonly ShardReply<number>[]> {
  return Promise.all(
    found.map(async (row): Promise<ShardReply<number>> => {
      // Who did not answer the first question is told of again.
      if (!row.ok) return row;
      const { shard, value } = row;
      if (value === null || value.count === 0) return { shard, ok: true, value: 0 };
      const { selection } = value;
      if (shards === undefined || shard === shards.own) {
        return { shard, ok: true, value: writeBehind[act](selection) };
      }
      const [reply] = await shards.ask('act-on-writes', { act, selection }, [shard]);
      return reply ?? { shard, ok: false, problem: 'could not be asked' };
    }),
  );
}

/** For replies, which speak of shards where there are several. */
export function rowsOf<T>({ shards }: Services, rows: readonly ShardReply<T>[]): ShardRows<T> {
  return shards === undefined ? undefined : rows;
}
