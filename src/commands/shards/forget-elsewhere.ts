/**
 * Forgetting in the bot's other processes. One that does not answer may be starting, or be held up, and still hold what
 * is to be forgotten: it is asked again every minute for an hour. What it held in memory it has lost if it has ended.
 */
import type { Clock } from '../../cache/clock.ts';
import type { ForgetReceipt } from '../../forget.ts';
import type { Logger } from '../../logger.ts';
import { missing } from './everywhere.ts';
import type { ShardQuestions, ShardReply, Shards } from './shards.ts';

const AGAIN_MS = 60_000;
const MOST_TIMES = 60;
/** Of an outage in which hundreds of guilds are left, some go unforgotten: the log says so. */
const MAX_WAITING = 1_000;

type Question = ShardQuestions['forget']['ask'];

interface Waiting {
  readonly question: Question;
  shards: readonly number[];
  times: number;
}

export class ForgetElsewhere {
  readonly #shards: Shards;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiting = new Set<Waiting>();
  #cancel: (() => void) | undefined;
  #isStopped = false;

  constructor(shards: Shards, clock: Clock, logger: Logger) {
    this.#shards = shards;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** One reply a shard, within five seconds; who is silent is asked again later. */
  async ask(question: Question): Promise<ShardReply<ForgetReceipt>[]> {
    const replies = await this.#shards.ask('forget', question);
    const silent = missing(replies);
    if (silent.length === 0) return replies;
    const { kind } = question;
    const isTooMuch = this.#waiting.size >= MAX_WAITING || this.#isStopped;
    if (!isTooMuch) this.#waiting.add({ question, shards: silent, times: 0 });
    this.#logger.warn(
      `Shards that did not answer may still hold something of a ${kind}: ${isTooMuch ? 'ask again' : 'they are asked again'}.`,
      { silentShards: silent },
    );
    this.#wait();
    return replies;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#waiting.clear();
  }

  #wait(): void {
    if (this.#waiting.size === 0 || this.#isStopped) return;
    this.#cancel ??= this.#clock.after(AGAIN_MS, () => {
      void this.#askAgain().then(() => {
        this.#cancel = undefined;
        this.#wait();
      });
    });
  }

  /** Never rejects, since asking does not. */
  async #askAgain(): Promise<void> {
    for (const waiting of this.#waiting) {
      const { question } = waiting;
      waiting.shards = missing(await this.#shards.ask('forget', question, waiting.shards));
      if (waiting.shards.length === 0) this.#waiting.delete(waiting);
      else if (++waiting.times >= MOST_TIMES) {
        this.#waiting.delete(waiting);
        this.#logger.warn(
          `Shards that did not answer for an hour may still hold something of a ${question.kind}: start them anew.`,
          { silentShards: waiting.shards },
        );
      }
    }
  }
}
