/**
 * Keys of other APIs' answers: `api::{origin}::{METHOD /path}`, then a hash of the headers by which answers differ.
 *
 * Keys are shown to people and stand in logs, so what tends to be secret is hashed: the query, and every part of a path
 * that is long (tokens of webhooks) or looks like a key. The readable rest is what patterns cut by.
 */
import { escapeSegment, hashParameters, SEPARATOR } from '../cache/keys/keys.ts';

/** `api:*` covers every answer, those of the bot's own API included. */
const NAMESPACE = 'api';

/** Longer than any id, shorter than any token. */
const LONGEST_SHOWN_PART = 40;
/** A longer path ends in a hash: a key has its bound. */
const LONGEST_SHOWN_PATH = 200;

/** No API gives out shorter keys, and few names are longer and neither words nor numbers. */
const SHORTEST_KEY = 16;
const NUMBER = /^\d{1,20}$/;
/** `exchangeRates`, `Summaries`, and these with a year or a version behind. But for `deadbeef…`, which is hexadecimal. */
const WORDS = /^(?![0-9a-f]+$)[A-Za-z]?[a-z]+(?:[A-Z][a-z]+)*\d{0,4}$/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Headers of a request by name in lower case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The key of a resource: all its answers have it, or depend on it. */
export function resourceKey(origin: string, method: string, path: string): string {
  const [pathname = '', query] = splitOnce(path, '?');
  const shown = pathname.split('/').map(shownPart).join('/');
  const bounded = shown.length <= LONGEST_SHOWN_PATH ? shown : `${shown.slice(0, 64)}…${hashMark(pathname)}`;
  const asked = query === undefined ? '' : `?${hashMark(query)}`;
  return [NAMESPACE, originSegment(origin), `${escapeSegment(method)} ${bounded}${asked}`].join(SEPARATOR);
}

/** The key of one of several answers of a resource. Without names there is only the resource's own. */
export function variantKey(resource: string, names: readonly string[], headers: RequestHeaders): string {
  if (names.length === 0) return resource;
  return `${resource}${SEPARATOR}${hashMark([...names].sort().map((name) => [name, headers[name] ?? null]))}`;
}

/**
 * The pattern of what is kept of another API.
 * @param path with `*` for any run of characters, the query included
 * @example cache.invalidate(apiPattern('https://api.example.com', '/v1/items/*'))
 */
export function apiPattern(origin: string | URL, path = '*'): string {
  const parts = path.split('*').map((part) => part.split('/').map(shownPart).join('/'));
  return `${NAMESPACE}${SEPARATOR}${originSegment(String(origin))}${SEPARATOR}* ${parts.join('*')}${path.endsWith('*') ? '' : '*'}`;
}

/** Scheme, host and port, whatever else stands around them. */
function originSegment(origin: string): string {
  const parsed = URL.parse(origin)?.origin;
  return escapeSegment(parsed === undefined || parsed === 'null' ? origin : parsed);
}

function shownPart(part: string): string {
  if (part === '') return '';
  return part.length <= LONGEST_SHOWN_PART && !looksLikeKey(part) ? escapeSegment(part) : hashMark(part);
}

/** Words, numbers and ids of Discord are none of these; hexadecimal and random texts are. */
function looksLikeKey(part: string): boolean {
  return (
    part
      .split(/[^A-Za-z0-9]+/)
      .some((piece) => piece.length >= SHORTEST_KEY && !NUMBER.test(piece) && !WORDS.test(piece)) ||
    UUID.test(part)
  );
}

function hashMark(value: unknown): string {
  return `%h${hashParameters(value)}`;
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}
