/**
 * A 304 as the answer that it stands for: the stored one, with what the origin says anew (RFC 9111, sections 3.2 and
 * 4.3.4). So an answer that was found valid is fresh again; undici alone serves it, and asks again at the next use.
 */
import type { KeptAnswer } from './kept-answer.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** About the message, not about the answer. */
const NOT_TAKEN = new Set([
  'connection',
  'content-length',
  'content-encoding',
  'keep-alive',
  'transfer-encoding',
]);

/** The headers of the answer that a 304 confirms; `undefined` where it is better fetched anew, which undici sees to. */
export function confirmedHeaders(
  kept: KeptAnswer,
  said: Headers,
): Record<string, string | string[]> | undefined {
  if (said.etag !== undefined && said.etag !== kept.etag) return undefined;
  if (said['set-cookie'] !== undefined) return undefined;
  if (/\b(?:no-store|private)\b/i.test(String(said['cache-control'] ?? ''))) return undefined;
  if (said.vary !== undefined && String(said.vary) !== String(kept.headers.vary ?? '')) return undefined;
  const { date: _then, ...headers } = kept.headers;
  for (const [name, value] of Object.entries(said)) {
    if (value !== undefined && !NOT_TAKEN.has(name)) headers[name] = value;
  }
  return headers;
}

/** As undici has them from the wire. */
export function rawHeaders(headers: Readonly<Record<string, string | string[]>>): Buffer[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => [Buffer.from(name, 'latin1'), Buffer.from(each, 'latin1')]),
  );
}
