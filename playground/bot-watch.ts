/**
 * What the playground's bot tells beyond its statistics, for the page to show what the cache is good for: how many
 * statements each interaction has cost the shop's database, and when a change made behind the bot's back was noticed.
 * It runs in the bot's process and only watches.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Events } from 'discord.js';
import type { WatchedParts } from '../src/bot.ts';
import type { SourceOptions } from '../src/db/source.ts';

/** Said by the bot to its parent process. */
export type WatchMessage = QueriesMessage | NoticedMessage;

export interface QueriesMessage {
  readonly type: 'queries';
  readonly interactionId: string;
  /** So far. */
  readonly queries: number;
}

export interface NoticedMessage {
  readonly type: 'noticed';
  /** What was asked about. */
  readonly position: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** How many entries went with it. */
  readonly entries: number;
}

/** Said by the parent process: tell when the change at this position of the feed is applied. */
export interface ExpectMessage {
  readonly type: 'expect';
  readonly position: number;
}

const CHECK_MS = 10;
/** As many invalidations are remembered: a change may be noticed before anybody asks about it. */
const MOST_DROPS = 200;

/** What an interaction has cost so far. */
interface Use {
  readonly interactionId: string;
  queries: number;
  /** Reads that have been counted, and whose statement is still to come. */
  waiting: number;
}

interface Drop {
  /** How far the feed was applied before it. */
  readonly after: number;
  readonly at: number;
  readonly entries: number;
}

export class BotWatch {
  readonly #tell: (message: WatchMessage) => void;
  readonly #use = new AsyncLocalStorage<Use>();
  readonly #expected = new Set<number>();
  #drops: Drop[] = [];
  #applied: () => number = () => 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (message: WatchMessage) => void) {
    this.#tell = tell;
  }

  /** The same source, its statements counted for the interaction that they are run for. */
  counted(source: SourceOptions): SourceOptions {
    return {
      ...source,
      beforeQuery: () => {
        const use = this.#use.getStore();
        if (use !== undefined && use.waiting > 0) use.waiting -= 1;
        else this.#count(use);
        source.beforeQuery?.();
      },
      // What waits for the database has asked it, whether an answer comes or not.
      gate: () => {
        const use = this.#use.getStore();
        if (use !== undefined) use.waiting += 1;
        this.#count(use);
        return source.gate?.();
      },
    };
  }

  #count(use: Use | undefined): void {
    if (use === undefined) return;
    use.queries += 1;
    this.#tell({ type: 'queries', interactionId: use.interactionId, queries: use.queries });
  }

  /** For `runBot`: before anybody else listens. */
  watch({ client, cache, feed }: WatchedParts): void {
    client.prependListener(Events.InteractionCreate, ({ id }) =>
      this.#use.enterWith({ interactionId: id, queries: 0, waiting: 0 }),
    );
    this.#applied = () => feed.position().position;
    cache.on('invalidated', ({ removal }) => {
      this.#drops.push({ after: this.#applied(), at: Date.now(), entries: removal.entries });
      this.#drops = this.#drops.slice(-MOST_DROPS);
    });
  }

  expect(position: number): void {
    this.#expected.add(position);
    this.#check();
  }

  #check(): void {
    const applied = this.#applied();
    for (const position of this.#expected) {
      if (applied < position) continue;
      this.#expected.delete(position);
      // What was dropped last before the feed came to it was dropped for it.
      const before = this.#drops.filter(({ after }) => after < position);
      const last = before.at(-1);
      const together = before.filter(({ after }) => after === last?.after);
      this.#tell({
        type: 'noticed',
        position,
        at: last?.at ?? Date.now(),
        entries: together.reduce((sum, { entries }) => sum + entries, 0),
      });
    }
    clearTimeout(this.#timer);
    if (this.#expected.size > 0) this.#timer = setTimeout(() => this.#check(), CHECK_MS).unref();
  }
}

export function isExpectMessage(message: unknown): message is ExpectMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'expect';
}

export function isWatchMessage(message: unknown): message is WatchMessage {
  return (
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    (message.type === 'queries' || message.type === 'noticed')
  );
}
