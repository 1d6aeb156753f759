/**
 * One warming of all shards: the run of this process, and those that the others were asked to start. It is a run like
 * any other to who shows it; the others are asked twice a second how far they are.
 */
import type { WarmRun } from '../../warmers/types.ts';
import type { CommandServices } from '../command.ts';
import { inOrder, type ShardRows } from './everywhere.ts';
import type { ShardQuestions, ShardReply, Shards, ShardWarming } from './shards.ts';

/** A run, and where it is on every shard. */
export interface SpreadRun extends WarmRun {
  /** `undefined` where the bot is one process. */
  rows(): ShardRows<ShardWarming>;
}

const ASK_EVERY_MS = 500;

/** Starts the same on the other shards. `done` resolves when all have ended, or could not be asked. */
export function warmEverywhere(
  own: WarmRun,
  wish: ShardQuestions['warm']['ask'],
  services: Pick<CommandServices, 'cache' | 'shards'>,
): SpreadRun {
  const { shards, cache } = services;
  if (shards === undefined) return { ...plain(own), rows: () => undefined };
  const others = new OtherRuns(shards, wish, (run) => cache.clock.after(ASK_EVERY_MS, run));
  return {
    joined: own.joined,
    report: () => own.report(),
    stop() {
      own.stop();
      others.stop();
    },
    done: Promise.all([own.done, others.done]).then(([report]) => report),
    rows: () => inOrder(shards, { run: null, joined: own.joined, report: own.report() }, others.rows),
  };
}

/** Its own methods bound, since a run may be of a class. */
function plain(run: WarmRun): WarmRun {
  return { joined: run.joined, report: () => run.report(), stop: () => run.stop(), done: run.done };
}

class OtherRuns {
  readonly done: Promise<void>;
  readonly #shards: Shards;
  readonly #pause: (then: () => void) => () => void;
  #rows: readonly ShardReply<ShardWarming>[] = [];
  #isStopping = false;

  constructor(shards: Shards, wish: ShardQuestions['warm']['ask'], pause: (then: () => void) => () => void) {
    this.#shards = shards;
    this.#pause = pause;
    this.done = this.#follow(wish);
  }

  get rows(): readonly ShardReply<ShardWarming>[] {
    return this.#rows;
  }

  stop(): void {
    this.#isStopping = true;
  }

  async #follow(wish: ShardQuestions['warm']['ask']): Promise<void> {
    this.#rows = await this.#shards.ask('warm', wish);
    while (this.#rows.some(isRunning)) {
      await new Promise<void>((resolve) => void this.#pause(resolve));
      this.#rows = await Promise.all(this.#rows.map((row) => this.#next(row)));
    }
  }

  async #next(row: ShardReply<ShardWarming>): Promise<ShardReply<ShardWarming>> {
    if (!row.ok || row.value.run === null || !isRunning(row)) return row;
    const question = { run: row.value.run, stop: this.#isStopping };
    const [next = row] = await this.#shards.ask('warming', question, [row.shard]);
    return next;
  }
}

function isRunning(row: ShardReply<ShardWarming>): boolean {
  return row.ok && row.value.run !== null && row.value.report?.state === 'running';
}
