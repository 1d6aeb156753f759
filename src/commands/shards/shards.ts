/**
 * Asks the bot's other processes, each by its own shard, since one that is down must not silence the rest. Every one
 * of them has a line in what comes back: its answer, or why there is none. Nothing here rejects.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../cache/clock.ts';
import type { Preview } from '../../cache/index/preview.ts';
import type { InvalidationTarget } from '../../cache/keys/target.ts';
import type { CacheStats, DiskStats, FeedStats } from '../../cache/statistics/stats.ts';
import type { ForgetReceipt } from '../../forget.ts';
import type { Logger } from '../../logger.ts';
import type { WarmReport } from '../../warmers/types.ts';
import type { DeadSelection, WriteBehindStats } from '../../write-behind/types.ts';
import { incidentReference } from '../incident.ts';
import type { ClearTarget } from '../target.ts';
import type { FoundWrites, WhichWrites } from '../writes-lookup.ts';
import { type ShardAnswer, type ShardLink, type ShardMessage, ShardUnreachable } from './shard-link.ts';
import { fromWire, toWire } from './wire.ts';

/** So long people wait for a shard that does not answer. */
export const ANSWER_LIMIT_MS = 5_000;

/** Counts the changes of what is asked and answered, for hosts that bundle us and so lose our version. */
const PROTOCOL = 2;

/** What may be asked, and the answer to each. Plain JSON, both. */
export interface ShardQuestions {
  stats: { readonly ask: { readonly topKeys: number }; readonly answer: CacheStats };
  preview: { readonly ask: { readonly target: AskedTarget }; readonly answer: Preview };
  clear: { readonly ask: { readonly target: AskedTarget }; readonly answer: ClearedShard };
  /** Starts a run, or joins one, and tells where it is at once. */
  warm: {
    readonly ask: { readonly scope: string; readonly userId?: string; readonly force?: boolean };
    readonly answer: ShardWarming;
  };
  /** The same run again, later. `stop` ends it after the job in hand. */
  warming: { readonly ask: { readonly run: string; readonly stop: boolean }; readonly answer: ShardWarming };
  info: { readonly ask: object; readonly answer: ShardInfo };
  /** What a text means among the writes that could not be saved; `null` where there is no write-behind. */
  writes: { readonly ask: { readonly which: WhichWrites }; readonly answer: FoundWrites | null };
  'act-on-writes': {
    readonly ask: { readonly act: 'retry' | 'drop'; readonly selection: DeadSelection };
    readonly answer: number;
  };
  /** Answered by the plugin, since it is no command. */
  forget: {
    readonly ask: Pick<ForgetReceipt, 'kind' | 'id'> & { readonly also: readonly InvalidationTarget[] };
    readonly answer: ForgetReceipt;
  };
}

export type ShardTopic = keyof ShardQuestions;
export type ShardQuestion<Topics extends ShardTopic = ShardTopic> = {
  [Topic in Topics]: { readonly topic: Topic } & ShardQuestions[Topic]['ask'];
}[Topics];

/** A target as it travels; its namespaces are those of the process that is asked. */
export type AskedTarget = Pick<ClearTarget, 'kind' | 'text'>;

/** What was removed in a process. */
export interface ClearedShard {
  readonly entries: number;
  readonly weightBytes: number;
  readonly loads: number;
}

export interface ShardWarming {
  /** What to call the run by; `null` where the process has no warmer for the scope. */
  readonly run: string | null;
  readonly joined: boolean;
  readonly report: WarmReport | null;
}

/** How a process is. */
export interface ShardInfo {
  readonly entries: number;
  readonly weightBytes: number;
  readonly maxWeightBytes: number;
  readonly heapUsedBytes: number;
  readonly residentBytes: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly guilds: number;
  /** `null` for what it does not have. */
  readonly disk: DiskStats | null;
  readonly feed: FeedStats | null;
  readonly writes: WriteBehindStats | null;
}

/** What a shard said. `problem` goes on after "Shard 2 …", such as "did not answer within 5 s". */
export type ShardReply<T> =
  | { readonly shard: number; readonly ok: true; readonly value: T }
  | { readonly shard: number; readonly ok: false; readonly problem: string };

export interface ShardsOptions {
  readonly link: ShardLink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the package: processes of different versions refuse each other. */
  readonly version: string;
}

export class Shards {
  readonly #link: ShardLink;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #version: string;

  constructor({ link, clock, logger, version }: ShardsOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#logger = logger;
    this.#version = `${version}/${PROTOCOL}`;
  }

  /** The shard that speaks for this process. */
  get own(): number {
    return this.#link.ids[0] ?? 0;
  }

  /** The shards of this process. */
  get ids(): readonly number[] {
    return this.#link.ids;
  }

  get count(): number {
    return this.#link.count;
  }

  /** The others, one shard a process. */
  get others(): readonly number[] {
    return this.#link.others;
  }

  /** One reply a shard, in their order, within five seconds or the limit given. @param whom @default all others */
  ask<Topic extends ShardTopic>(
    topic: Topic,
    question: ShardQuestions[Topic]['ask'],
    whom: readonly number[] = this.others,
    limitMs: number = ANSWER_LIMIT_MS,
  ): Promise<ShardReply<ShardQuestions[Topic]['answer']>[]> {
    return Promise.all(whom.map((shard) => this.#askOne<Topic>(shard, { topic, ...question }, limitMs)));
  }

  /** Answers the others, until the returned function is called. @param answer may reject: that is logged, and told to who asked */
  serve(answer: (question: ShardQuestion, from: number) => Promise<unknown>): () => void {
    return this.#link.subscribe(async (message): Promise<ShardAnswer> => {
      if (message.version !== this.#version) return { ok: false, version: this.#version };
      try {
        // Of our own version, and so what `ask` above was given.
        return { ok: true, text: toWire(await answer(message.question as ShardQuestion, message.from)) };
      } catch (error) {
        const reference = incidentReference();
        const { topic } = message.question as ShardQuestion;
        this.#logger.error(`Shard ${message.from} asked for ${topic}, which failed (${reference}).`, {
          reference,
          error,
        });
        return { ok: false, reference };
      }
    });
  }

  async #askOne<Topic extends ShardTopic>(
    shard: number,
    question: object,
    limitMs: number,
  ): Promise<ShardReply<ShardQuestions[Topic]['answer']>> {
    const message: ShardMessage = {
      version: this.#version,
      nonce: randomUUID(),
      from: this.own,
      question,
    };
    let cancel = () => {};
    const limit = new Promise<ShardReply<never>>((resolve) => {
      const problem = `did not answer within ${limitMs / 1_000} s`;
      cancel = this.#clock.after(limitMs, () => resolve({ shard, ok: false, problem }));
    });
    const ask = async () => this.#read<Topic>(shard, await this.#link.request(shard, message));
    const reply = ask().catch((error: unknown) => this.#unreachable(shard, error));
    const first = await Promise.race([reply, limit]);
    cancel();
    return first;
  }

  #unreachable(shard: number, error: unknown): ShardReply<never> {
    if (error instanceof ShardUnreachable) return { shard, ok: false, problem: error.message };
    this.#logger.warn(`Shard ${shard} could not be asked.`, { error });
    return { shard, ok: false, problem: 'could not be asked; the log has why' };
  }

  #read<Topic extends ShardTopic>(
    shard: number,
    answer: unknown,
  ): ShardReply<ShardQuestions[Topic]['answer']> {
    const no = (problem: string) => ({ shard, ok: false, problem }) as const;
    if (typeof answer !== 'object' || answer === null || !('ok' in answer)) {
      return no('did not answer: no Cachecord runs there (it is starting, or was stopped)');
    }
    const told = answer as ShardAnswer; // of this shape in every version
    // Of the type that is asked for, by the version.
    if (told.ok) return { shard, ok: true, value: fromWire(told.text) as ShardQuestions[Topic]['answer'] };
    if ('reference' in told) return no(`failed; its log has why under ${told.reference}`);
    return no(
      `runs another version (${told.version}, here ${this.#version}), and neither answers the other: restart all shards`,
    );
  }
}
