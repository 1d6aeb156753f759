/**
 * What this process answers when another shard asks: from its own cache and warmers, with the same functions that the
 * commands use here. Who may ask was settled there, at the person's command; only the bot's own processes get here.
 */
import { randomUUID } from 'node:crypto';
import type { WarmRun } from '../../warmers/types.ts';
import type { CommandServices } from '../command.ts';
import { type ClearTarget, clearTarget, previewTarget, targetThere } from '../target.ts';
import { findWrites } from '../writes-lookup.ts';
import type {
  AskedTarget,
  ClearedShard,
  ShardInfo,
  ShardQuestion,
  ShardQuestions,
  ShardTopic,
  ShardWarming,
} from './shards.ts';

/** What answering needs of the services. */
export type DeskServices = Pick<
  CommandServices,
  'cache' | 'warmers' | 'logger' | 'startedAt' | 'writeBehind'
>;

/** What commands ask. */
export type DeskTopic = Exclude<ShardTopic, 'forget'>;

/** Runs that may be asked about again; who asks does so every two seconds. */
const MAX_RUNS = 20;

export class ShardDesk {
  readonly #services: DeskServices;
  readonly #guilds: () => number;
  readonly #runs = new Map<string, WarmRun>();

  /** @param guilds how many guilds this process serves */
  constructor(services: DeskServices, guilds: () => number) {
    this.#services = services;
    this.#guilds = guilds;
  }

  /** @throws what the cache throws, for a target that it can't read */
  async answer(
    question: ShardQuestion<DeskTopic>,
    from: number,
  ): Promise<ShardQuestions[DeskTopic]['answer']> {
    const { cache } = this.#services;
    switch (question.topic) {
      case 'stats':
        return cache.stats(question.topKeys);
      case 'preview':
        return previewTarget(cache, this.#target(question.target));
      case 'clear':
        return this.#clear(question.target, from);
      case 'warm':
        return this.#warm(question);
      case 'warming':
        return this.#warming(question);
      case 'info':
        return this.info();
      case 'writes':
        return this.#services.writeBehind ? findWrites(this.#services.writeBehind, question.which) : null;
      case 'act-on-writes':
        return this.#act(question, from);
    }
  }

  info(): ShardInfo {
    const { cache, startedAt, writeBehind } = this.#services;
    const { total, disk, feed } = cache.stats(0);
    const { entries, weightBytes } = total;
    const { heapUsed, rss } = process.memoryUsage();
    return {
      entries,
      weightBytes,
      maxWeightBytes: cache.maxWeightBytes,
      heapUsedBytes: heapUsed,
      residentBytes: rss,
      startedAt,
      guilds: this.#guilds(),
      disk,
      feed,
      writes: writeBehind?.stats() ?? null,
    };
  }

  #act({ act, selection }: ShardQuestions['act-on-writes']['ask'], from: number): number {
    const { writeBehind, logger } = this.#services;
    const count = writeBehind?.[act](selection) ?? 0;
    logger.info(`Shard ${from} asked to ${act} writes that could not be saved.`, { count });
    return count;
  }

  async #clear(asked: AskedTarget, from: number): Promise<ClearedShard> {
    const { cache, logger } = this.#services;
    const removal = clearTarget(cache, this.#target(asked));
    const { entries, weightBytes, loads } = await (removal.pending ?? removal);
    logger.info(`Shard ${from} had ${asked.text} cleared here, too.`, { entries, weightBytes, loads });
    return { entries, weightBytes, loads };
  }

  #target(asked: AskedTarget): ClearTarget {
    const target = targetThere(asked, this.#services.cache);
    if (target === undefined) throw new Error(`There is no ${asked.kind} ${asked.text} here.`);
    return target;
  }

  #warm({ scope, userId, force }: ShardQuestions['warm']['ask']): ShardWarming {
    const { warmers, cache } = this.#services;
    const isKnown = scope === 'all' ? warmers.scopes.length > 0 : warmers.scopes.includes(scope);
    if (!isKnown || !cache.enabled) return { run: null, joined: false, report: null };
    const run = warmers.run({
      scope,
      trigger: 'command',
      ...(userId === undefined ? {} : { userId }),
      ...(force === undefined ? {} : { force }),
    });
    const name = randomUUID();
    this.#runs.set(name, run);
    for (const oldest of this.#runs.keys()) {
      if (this.#runs.size <= MAX_RUNS) break;
      this.#runs.delete(oldest);
    }
    return { run: name, joined: run.joined, report: run.report() };
  }

  #warming({ run: name, stop }: ShardQuestions['warming']['ask']): ShardWarming {
    const run = this.#runs.get(name);
    if (run === undefined) return { run: null, joined: false, report: null };
    if (stop) run.stop();
    return { run: name, joined: run.joined, report: run.report() };
  }
}
