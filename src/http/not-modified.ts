/**
 * A 304 as the answer that it stands for: the stored one, with what the origin says anew (RFC 9111, sections 3.2 and
 * 4.3.4). So an answer that was found valid is fresh again; undici alone serves it, and asks again at the next use.
 */
import { cacheDirectives, listedNames } from './cache-control.ts';
import type { KeptAnswer } from './kept-answer.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** About the message, or about the body that is kept. */
const NOT_TAKEN = [
  'connection',
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'keep-alive',
  'transfer-encoding',
];

/** The headers of the answer that a 304 confirms; `undefined` where it is better fetched anew, which undici sees to. */
export function confirmedHeaders(
  kept: KeptAnswer,
  said: Headers,
  type: 'shared' | 'private',
): Record<string, string | string[]> | undefined {
  if (said.etag !== undefined && !isSameEtag(kept.etag, said.etag)) return undefined;
  const directives = cacheDirectives(said['cache-control']);
  if (directives.has('no-store')) return undefined;
  if (type === 'shared' && (directives.has('private') || said['set-cookie'] !== undefined)) return undefined;
  if (said.vary !== undefined && !isSameList(said.vary, kept.headers.vary)) return undefined;
  const notTaken = new Set([...NOT_TAKEN, ...listedNames(said.connection)]);
  const { date: _then, ...headers } = kept.headers;
  for (const [name, value] of Object.entries(said)) {
    if (value !== undefined && !notTaken.has(name)) headers[name] = value;
  }
  return headers;
}

/** A weak validator names the same answer as a strong one of the same text; a strong one only itself. */
function isSameEtag(kept: string | undefined, said: string | string[]): boolean {
  if (kept === undefined || typeof said !== 'string') return false;
  return kept === said || (said.startsWith('W/') && said.slice(2) === kept);
}

function isSameList(one: string | string[], other: string | string[] | undefined): boolean {
  return listedNames(one).sort().join() === listedNames(other).sort().join();
}

/** As undici has them from the wire. */
export function rawHeaders(headers: Readonly<Record<string, string | string[]>>): Buffer[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => [Buffer.from(name, 'latin1'), Buffer.from(each, 'latin1')]),
  );
}
