/**
 * What of HTTP decides whether an answer of the bot's own API may be kept, and who may get the copy: pure functions of
 * requests and responses, after RFC 9110 and RFC 9111. What is kept of an answer is left to cache-response-body.ts,
 * what is said about it to cache-response-headers.ts.
 */
import { hashParameters, key, SEPARATOR } from '../cache/keys/keys.ts';
import { cacheDirectives, type Directives, deltaSeconds, listedNames, secondsOf } from './cache-control.ts';
import { targetedDirectives } from './targeted-directives.ts';

/** The namespace of answers in the cache: `api:*` covers them all. */
const NAMESPACE = 'api';

/** Whether a copy could answer this request: a part of an answer (`Range`) is left to the handler. */
export function isCacheableRequest({ method, headers }: Request): boolean {
  return (method === 'GET' || method === 'HEAD') && !headers.has('range');
}

/** Whether the request says who asks. */
export function isPersonal({ headers }: Request): boolean {
  return headers.has('authorization') || headers.has('cookie');
}

/** Headers by which a client asks about its own copy, or for a part: a shared answer must not follow from them. */
const CONDITIONAL = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'];

/**
 * The request as the handler gets it, on behalf of all who wait: always GET, unconditional, and not bound to the
 * connection of whoever came first.
 */
export function sharedRequest(request: Request, signal: AbortSignal): Request {
  const headers = new Headers(request.headers);
  for (const name of CONDITIONAL) headers.delete(name);
  return new Request(request.url, { headers, signal });
}

/** Why an answer may go to nobody but the one who asked: it is personal, partial, without end, or says so. */
export function isForOneAlone({ status, headers, bodyUsed }: Response): boolean {
  const directives = directivesFor(headers.get('cdn-cache-control'), headers.get('cache-control'));
  return (
    status < 200 ||
    status === 206 ||
    status === 304 ||
    bodyUsed ||
    headers.has('set-cookie') ||
    ['no-store', 'private', 'no-cache'].some((name) => directives.has(name)) ||
    varyNames(headers).includes('*') ||
    /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')
  );
}

/**
 * How long the handler itself lets shared caches keep its answer from now on: `CDN-Cache-Control` (RFC 9213), which
 * stands for all else where it is there, then `s-maxage`, `max-age` and `Expires`, less the age that it came with. What
 * is no time counts as none left; `undefined` where nothing is said.
 * @param now epoch milliseconds
 */
export function statedTtlMs(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const targeted = targetedDirectives(headers['cdn-cache-control']);
  const directives = targeted ?? cacheDirectives(headers['cache-control']);
  const seconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age');
  const expires = targeted === undefined ? headers.expires : undefined;
  const lifetimeMs = seconds === undefined ? lifetimeUntil(expires, headers.date, now) : seconds * 1_000;
  if (lifetimeMs === undefined) return undefined;
  return Number.isNaN(lifetimeMs) ? 0 : Math.max(0, lifetimeMs - initialAgeMs(headers, now));
}

function lifetimeUntil(
  expires: string | undefined,
  date: string | undefined,
  now: number,
): number | undefined {
  if (expires === undefined) return undefined;
  const madeAt = date === undefined ? now : Date.parse(date);
  return Date.parse(expires) - (Number.isNaN(madeAt) ? now : madeAt);
}

/** How old an answer was when the handler gave it: it may come from a cache itself. */
export function initialAgeMs(headers: Readonly<Record<string, string>>, now: number): number {
  const stated = deltaSeconds(headers.age ?? '0') * 1_000;
  const apparent = now - Date.parse(headers.date ?? '');
  return Math.max(0, Number.isNaN(stated) ? 0 : stated, Number.isNaN(apparent) ? 0 : wholeSeconds(apparent));
}

/** `Date` says no parts of a second. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}

function directivesFor(targeted: string | null, general: string | null): Directives {
  return targetedDirectives(targeted) ?? cacheDirectives(general);
}

/** The names in `Vary`, in lower case. */
export function varyNames(headers: Headers): string[] {
  return listedNames(headers.get('vary'));
}

/** What, besides the address, an answer depends on. */
export interface KeyParts {
  /** The readable part of the key. @default the path */
  readonly keyPrefix: string | undefined;
  /** Who asks, where the author says so. */
  readonly identity: string | undefined;
  /** Names of request headers, sorted. */
  readonly vary: readonly string[];
}

/**
 * `api::{endpoint}::{hash}`. The order of differently named query parameters makes no difference; that of equally
 * named ones may matter to the handler, so it does. The host is what a client claims, so it counts only where the author
 * or the answer names it in `Vary`.
 */
export function responseKey(request: Request, { keyPrefix, identity, vary }: KeyParts): string {
  const { host, pathname, href } = new URL(request.url);
  const varied = vary.map((name) => [name, request.headers.get(name) ?? (name === 'host' ? host : null)]);
  const hash = hashParameters([pathname, sortedQuery(href), identity, varied]);
  return `${key.of(NAMESPACE, keyPrefix ?? pathname)}${SEPARATOR}%h${hash}`;
}

/**
 * The parts of a query by name, those of one name in their order. How a character is escaped makes no difference; `x`
 * and `x=`, and `%ff` and `%fe`, which a decoder takes for the same, do.
 */
function sortedQuery(href: string): string | undefined {
  const [address = ''] = href.split('#', 1);
  const at = address.indexOf('?');
  if (at === -1) return undefined;
  const parts = address
    .slice(at + 1)
    .split('&')
    .map((part) => part.split(/=(.*)/s, 2).map(plainly));
  parts.sort(([one = ''], [other = '']) => (one < other ? -1 : one > other ? 1 : 0));
  return parts.map((part) => part.join('=')).join('&');
}

/** Text that is no UTF-8 stays as it was written. */
function plainly(text: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(text.replaceAll('+', '%20')));
  } catch {
    return text;
  }
}
