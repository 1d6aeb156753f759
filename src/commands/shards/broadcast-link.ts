/**
 * The way between the processes of discord.js's ShardingManager. `broadcastEval` sends the text of a function to the
 * other process, so the function names nothing of this file: it finds what answers under a symbol on the client there.
 */
import type { Client } from 'discord.js';
import { isError } from '../../cache/error-text.ts';
import { type ShardAnswer, type ShardLink, type ShardMessage, ShardUnreachable } from './shard-link.ts';

/** What the function below looks for; it has to spell it out itself. */
const HANDLER = Symbol.for('cachecord.shards');

type Answers = (message: ShardMessage) => Promise<ShardAnswer>;

/** `undefined` where the bot is one process, with however many shards in it. */
export function broadcastLink(client: Client): ShardLink | undefined {
  const { shard: manager } = client;
  if (manager === null) return undefined;
  const { ids, count } = manager;
  if (count <= ids.length) return undefined;
  const others = Array.from({ length: count }, (_, shard) => shard).filter((shard) => !ids.includes(shard));
  const held = client as Client & { [HANDLER]?: Answers };
  return {
    ids,
    count,
    others,
    // One expression without a function in it: compilers that name inner functions call a helper of their own.
    request: (shard, message) =>
      manager
        .broadcastEval(
          (there, context) =>
            (there as unknown as Record<symbol, Answers | undefined>)[Symbol.for('cachecord.shards')]?.(
              context,
            ),
          { shard, context: message },
        )
        .catch(explain),
    subscribe(answer) {
      // Not enumerable, so that nobody meets it who copies or prints the client.
      Object.defineProperty(held, HANDLER, { value: answer, configurable: true, enumerable: false });
      return () => {
        if (held[HANDLER] === answer) delete held[HANDLER];
      };
    },
  };
}

/** By the name that discord.js gives its errors; only name and message come from one process to another. */
function explain(error: unknown): never {
  const name = isError(error) ? error.name : '';
  if (name.includes('ShardingNoChildExists')) throw new ShardUnreachable('is not running', { cause: error });
  if (name.includes('ShardingShardNotFound'))
    throw new ShardUnreachable('is not under the manager of this one', { cause: error });
  throw error;
}
