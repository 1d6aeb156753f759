/**
 * Another API for the bot to ask, on the playground's own port: exchange rates, fresh for a while, with a validator. It
 * counts what reaches it, and can be in trouble as the database can: slow, stuck or failing.
 */
import { Trouble, type TroubleKind } from './trouble.ts';
import { QUERY_TTL_SECONDS } from './watchable-config.ts';

/** As long as query results: nobody need wait to see them grow old. */
export const RATES_TTL_SECONDS = QUERY_TTL_SECONDS;
const PATH = '/rates';
const BODY = JSON.stringify({
  base: 'USD',
  rates: { EUR: 0.92, GBP: 0.79, CHF: 0.88, JPY: 151.2, BRL: 5.1, CAD: 1.37, INR: 83.4 },
});
const ETAG = '"rates-1"';

export interface RatesStatus {
  /** How many requests have reached it. */
  readonly requests: number;
  /** How many of them were told that what they have still holds. */
  readonly notModified: number;
  readonly trouble: TroubleKind;
}

export class RatesApi {
  readonly #onStatus: (status: RatesStatus) => void;
  readonly #ttlSeconds: number;
  readonly #trouble = new Trouble();
  #status: RatesStatus = { requests: 0, notModified: 0, trouble: 'healthy' };

  /** @param ttlSeconds for how long it says that its answers hold */
  constructor(onStatus: (status: RatesStatus) => void, ttlSeconds: number = RATES_TTL_SECONDS) {
    this.#ttlSeconds = ttlSeconds;
    this.#onStatus = onStatus;
  }

  /** Where it is on this server. */
  static urlOn(origin: string): string {
    return origin + PATH;
  }

  get status(): RatesStatus {
    return this.#status;
  }

  setTrouble(trouble: TroubleKind): void {
    this.#trouble.set(trouble);
    this.#set({ trouble });
  }

  /** `null` where the address is not its own. */
  async handle(request: Request): Promise<Response | null> {
    if (new URL(request.url).pathname !== PATH || request.method !== 'GET') return null;
    this.#set({ requests: this.#status.requests + 1 });
    await this.#trouble.source.gate?.();
    if (this.#status.trouble === 'failing') return new Response('in trouble', { status: 503 });
    const headers = { 'cache-control': `max-age=${this.#ttlSeconds}`, etag: ETAG };
    if (request.headers.get('if-none-match') === ETAG) {
      this.#set({ notModified: this.#status.notModified + 1 });
      return new Response(null, { status: 304, headers });
    }
    return new Response(BODY, { headers: { ...headers, 'content-type': 'application/json' } });
  }

  #set(change: Partial<RatesStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#onStatus(this.#status);
  }
}
