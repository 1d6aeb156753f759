/**
 * What of HTTP decides whether an answer of the bot's own API may be kept, and who may get the copy: pure functions of
 * requests and responses, after RFC 9110 and RFC 9111. What is kept of an answer is left to cache-response-body.ts,
 * what is said about it to cache-response-headers.ts.
 */
import { hashParameters, key, SEPARATOR } from '../cache/keys/keys.ts';

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
  const directives = cacheDirectives(headers.get('cache-control'));
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

/** How long the handler itself lets shared caches keep its answer; `undefined` where it does not say. */
export function statedTtlMs(headers: Readonly<Record<string, string>>): number | undefined {
  const directives = cacheDirectives(headers['cache-control']);
  const seconds = Number.parseInt(directives.get('s-maxage') ?? directives.get('max-age') ?? '', 10);
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds) * 1_000;
}

/** The names in `Vary`, in lower case. */
export function varyNames(headers: Headers): string[] {
  return (headers.get('vary') ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((name) => name !== '');
}

/** `Cache-Control` by directive, in lower case. */
function cacheDirectives(text: string | null | undefined): Map<string, string> {
  const directive = /([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,]*)))?/g;
  return new Map(
    [...(text ?? '').matchAll(directive)].map(([, name = '', quoted, plain]) => [
      name.toLowerCase(),
      quoted ?? plain ?? '',
    ]),
  );
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
  const { host, pathname, searchParams } = new URL(request.url);
  searchParams.sort();
  const varied = vary.map((name) => [name, request.headers.get(name) ?? (name === 'host' ? host : null)]);
  const hash = hashParameters([pathname, searchParams.toString(), identity, varied]);
  return `${key.of(NAMESPACE, keyPrefix ?? pathname)}${SEPARATOR}%h${hash}`;
}
