/**
 * What goes between the processes of a sharded bot, and the way it goes. Messages are plain JSON; what they mean is
 * for `shards.ts`, which asks, and `shard-desk.ts`, which answers.
 */

/**
 * The way to the bot's other processes. Two functions, so that a host with a cluster manager of its own can supply one:
 * the default goes through the `broadcastEval` of discord.js.
 */
export interface ShardLink {
  /** The shards of this process. */
  readonly ids: readonly number[];
  /** How many shards the bot has in all its processes. */
  readonly count: number;
  /** One shard of each other process: whom to ask. */
  readonly others: readonly number[];
  /**
   * Hands a message to what subscribed in the process of that shard, and resolves with its answer; `undefined` where
   * nothing has subscribed there. May reject, and may never settle: the caller has a limit of its own.
   */
  request(shard: number, message: ShardMessage): Promise<unknown>;
  /** Answers what others ask of this process, until the returned function is called. */
  subscribe(answer: (message: ShardMessage) => Promise<ShardAnswer>): () => void;
}

/** An envelope as it travels. */
export interface ShardMessage {
  /** Which words are spoken; processes that differ refuse each other. */
  readonly version: string;
  /** Never twice the same: discord.js gives equal questions under way one answer. */
  readonly nonce: string;
  readonly from: number;
  readonly question: unknown;
}

export type ShardAnswer =
  /** The answer as `wire.ts` writes it. */
  | { readonly ok: true; readonly text: string }
  /** The other process speaks another version. */
  | { readonly ok: false; readonly version: string }
  /** It failed there; its log has why under the reference. */
  | { readonly ok: false; readonly reference: string };

/** A link rejects with this where it knows why. The message goes on after "Shard 2 …". */
export class ShardUnreachable extends Error {
  override readonly name = 'ShardUnreachable';
}
