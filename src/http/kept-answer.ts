/**
 * What is kept of another API's answer, as plain data: the body is text with one character a byte, so that it freezes,
 * weighs what it is long, and costs one copy a hit, made as it is read (docs/decisions.md has the numbers).
 */
import { Writable } from 'node:stream';
import type { interceptors } from 'undici';
import type { RequestHeaders } from './outgoing-key.ts';

type CacheOptions = NonNullable<Parameters<typeof interceptors.cache>[0]>;
/** Undici's contract of a store, and what it hands over. */
export type CacheStore = NonNullable<CacheOptions['store']>;
export type CacheKey = Parameters<CacheStore['get']>[0];
export type CacheValue = Parameters<CacheStore['createWriteStream']>[1];

/** An answer. Instants are epoch milliseconds. */
export interface KeptAnswer extends CacheValue {
  readonly form: 'answer';
  readonly cacheControlDirectives: NonNullable<CacheValue['cacheControlDirectives']>;
  /** One character a byte. */
  readonly text: string;
  /** It came through redirects, so that no validator of its own address would be asked about it. */
  readonly isRedirected?: boolean;
}

/** A body is handed on in pieces of this size, so that a slow reader holds no copy of the whole. */
const PIECE_BYTES = 64 * 1_024;

/** The pieces of a body, each made when it is asked for. */
export class BodyPieces implements Iterable<Buffer> {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Undici asks arrays, which have this method, and us. */
  *values(): Generator<Buffer, void, undefined> {
    for (let at = 0; at < this.#text.length; at += PIECE_BYTES) {
      yield Buffer.from(this.#text.slice(at, at + PIECE_BYTES), 'latin1');
    }
  }

  [Symbol.iterator](): Iterator<Buffer> {
    return this.values();
  }
}

/** What a value of the cache is, whoever put it there. */
export function readKept(value: unknown): KeptAnswer | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const kept = value as Partial<KeptAnswer>;
  if (kept.form !== 'answer' || typeof kept.text !== 'string' || typeof kept.headers !== 'object') {
    return undefined;
  }
  return typeof kept.staleAt === 'number' && typeof kept.deleteAt === 'number'
    ? (kept as KeptAnswer)
    : undefined;
}

/** Whether it answers a request with these headers, by the headers that it varies by (RFC 9111, section 4.1). */
export function answers({ vary }: KeptAnswer, headers: RequestHeaders): boolean {
  return Object.entries(vary ?? {}).every(([name, value]) => isSame(value, headers[name]));
}

/** Whether it may be served while a new one is fetched (RFC 5861, section 3). */
export function isServableMeanwhile(
  { cacheControlDirectives, staleAt, deleteAt }: KeptAnswer,
  now: number,
): boolean {
  const seconds = cacheControlDirectives['stale-while-revalidate'] ?? 0;
  return now < Math.min(staleAt + seconds * 1_000, deleteAt);
}

function isSame(kept: string | readonly string[] | null, asked: RequestHeaders[string]): boolean {
  return JSON.stringify(kept) === JSON.stringify(asked ?? null);
}

export interface CollectorOptions {
  readonly maxBytes: number;
  /** The whole body. */
  readonly onWhole: (text: string) => void;
  /** It was aborted, or is larger than the bound. */
  readonly onDropped: (isTooLarge: boolean) => void;
}

/** Collects a body while it streams to whoever asked for it. It never fails: a request must not fail for it. */
export class BodyCollector extends Writable {
  readonly #options: CollectorOptions;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  constructor(options: CollectorOptions) {
    // What is written is taken at once, so the origin is never held up.
    super({ highWaterMark: options.maxBytes + 1 });
    this.#options = options;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#options.maxBytes) this.#drop(true);
    else if (!this.#isOver) this.#pieces.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#options.onWhole(Buffer.concat(this.#pieces, this.#bytes).toString('latin1'));
      this.#pieces = [];
    }
    done();
  }

  /** An error is the request's, whose caller is told of it; here it only means that the body is not whole. */
  override _destroy(_error: Error | null, done: () => void): void {
    this.#drop(false);
    done();
  }

  #drop(isTooLarge: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pieces = [];
    this.#options.onDropped(isTooLarge);
    if (isTooLarge) this.destroy();
  }
}
