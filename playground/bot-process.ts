/**
 * The bot's process: started, killed, started again and troubled from the page. It is the same bot that runs on
 * Discord; what differs is its environment, and what `bot.ts` hands it. Ending is asked for first, and enforced after a while.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { CacheStats } from '../src/cache/statistics/stats.ts';
import { type ExpectMessage, isWatchMessage, type NoticedMessage } from './bot-watch.ts';
import type { BotStatus } from './protocol.ts';
import type { TroubleKind, TroubleMessage } from './trouble.ts';

/** Below the 5 s that the whole playground has to end. */
const SHUTDOWN_GRACE_MS = 3_500;
/** Several times as long as the feed's poll takes. */
const NOTICES_WITHIN_MS = 2_000;

export interface BotProcessOptions {
  readonly script: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onStatus: (status: BotStatus) => void;
  readonly onStats: (stats: CacheStats) => void;
  readonly onTrouble: (trouble: TroubleKind) => void;
  readonly onQueries: (interactionId: string, queries: number) => void;
}

export class BotProcess {
  readonly #options: BotProcessOptions;
  #child: ChildProcess | null = null;
  #status: BotStatus = { state: 'stopped', ending: null, pid: null, api: null };
  #isAskedToEnd = false;
  #trouble: TroubleKind = 'healthy';

  constructor(options: BotProcessOptions) {
    this.#options = options;
  }

  get status(): BotStatus {
    return this.#status;
  }

  /** Does nothing while it runs. */
  start(): void {
    if (this.#child !== null) return;
    this.#isAskedToEnd = false;
    const child = fork(this.#options.script, [], {
      env: this.#options.env,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#set({ state: 'starting', ending: null, pid: child.pid ?? null, api: null });
    this.#tellTrouble();
    child.on('message', (message) => {
      if (isStats(message)) this.#options.onStats(message.stats);
      if (isApi(message)) this.#set({ ...this.#status, api: message.url });
      if (isWatchMessage(message) && message.type === 'queries')
        this.#options.onQueries(message.interactionId, message.queries);
    });
    child.on('error', (error) => this.#ended(child, error.message));
    child.on('exit', (code, signal) => this.#ended(child, signal ?? `code ${code}`));
  }

  /** What the matter is with the bot's database: the next bot has it, too. */
  get trouble(): TroubleKind {
    return this.#trouble;
  }

  setTrouble(trouble: TroubleKind): void {
    this.#trouble = trouble;
    this.#tellTrouble();
    this.#options.onTrouble(trouble);
  }

  /** Resolves once the bot has applied a change of the feed; with `null` where it is down, or silent for long. */
  notices(position: number): Promise<NoticedMessage | null> {
    const child = this.#child;
    if (child === null || this.#status.state !== 'online' || !child.connected) return Promise.resolve(null);
    return new Promise((resolve) => {
      const end = (noticed: NoticedMessage | null) => {
        clearTimeout(timer);
        child.off('message', hear);
        child.off('exit', leave);
        resolve(noticed);
      };
      const leave = () => end(null);
      const hear = (message: unknown) => {
        if (isWatchMessage(message) && message.type === 'noticed' && message.position === position)
          end(message);
      };
      const timer = setTimeout(leave, NOTICES_WITHIN_MS);
      child.on('message', hear);
      child.once('exit', leave);
      const message: ExpectMessage = { type: 'expect', position };
      child.send(message, (error) => error && leave());
    });
  }

  /** The gateway tells whether the bot is logged in. */
  setOnline(isOnline: boolean): void {
    if (this.#child === null) return;
    this.#set({ ...this.#status, state: isOnline ? 'online' : 'offline' });
  }

  /** At once, as a power cut would. */
  async kill(): Promise<void> {
    await this.#end((child) => child.kill('SIGKILL'));
  }

  /** Asks it to end, and kills it when it does not. */
  async stop(): Promise<void> {
    await this.#end((child) => {
      if (child.connected) child.send({ type: 'shutdown' }, (error) => error && child.kill('SIGTERM'));
      else child.kill('SIGTERM');
    });
  }

  async #end(ask: (child: ChildProcess) => void): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#isAskedToEnd = true;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const enforce = setTimeout(() => child.kill('SIGKILL'), SHUTDOWN_GRACE_MS);
    ask(child);
    await ended;
    clearTimeout(enforce);
  }

  #tellTrouble(): void {
    const message: TroubleMessage = { type: 'trouble', trouble: this.#trouble };
    // A bot that is ending needs no telling; its exit is heard elsewhere.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  #ended(child: ChildProcess, ending: string): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#set({ state: this.#isAskedToEnd ? 'stopped' : 'exited', ending, pid: null, api: null });
  }

  #set(status: BotStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
  }
}

function isStats(message: unknown): message is { type: 'stats'; stats: CacheStats } {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'stats';
}

/** Said by the playground's bot: where its HTTP API is. */
export interface ApiMessage {
  readonly type: 'api';
  readonly url: string;
}

function isApi(message: unknown): message is ApiMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'api';
}
