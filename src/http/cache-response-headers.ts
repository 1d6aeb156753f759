/** What a kept answer says about itself: how old it is, how long copies elsewhere hold, and whether a client has it already. */

/** How long copies elsewhere may be used, in milliseconds. */
export interface CopyPolicy {
  /** Answers differ by person: no copies but in that person's own browser. */
  readonly isPrivate: boolean;
  readonly browserMaxAgeMs: number;
  readonly edgeMaxAgeMs: number;
  /** The ttl of our own entry: no copy counts as fresh for longer than that. */
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly graceMs: number;
}

/** What caches take for "for ever" (RFC 9111, 1.2.2, asks for no more than 2³¹; a year is the custom). */
const LONGEST_MS = 31_536_000_000;

/**
 * `Cache-Control` of an answer of this age. Caches count from when the answer was made, so the time that a copy may
 * be used from now on is added to the age; where that is nothing, the copy is asked about at every use.
 */
export function cacheControl(policy: CopyPolicy, ageMs: number): string {
  const lifetime = (fromNowMs: number) =>
    seconds(fromNowMs <= 0 ? 0 : Math.min(policy.ttlMs, ageMs + fromNowMs, LONGEST_MS));
  const browser = `max-age=${lifetime(policy.browserMaxAgeMs)}`;
  if (policy.isPrivate) return `private, ${browser}`;
  const words = ['public', browser, `s-maxage=${lifetime(policy.edgeMaxAgeMs)}`];
  if (policy.browserMaxAgeMs > 0 || policy.edgeMaxAgeMs > 0) {
    const { staleWhileRevalidateMs, graceMs } = policy;
    if (staleWhileRevalidateMs > 0) words.push(`stale-while-revalidate=${seconds(staleWhileRevalidateMs)}`);
    if (graceMs > 0) words.push(`stale-if-error=${seconds(graceMs)}`);
  }
  return words.join(', ');
}

/** `Age`, and whatever whole seconds HTTP speaks in. */
export function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1_000));
}

/** Whether `If-None-Match` names this answer: `*`, or one of a list, compared weakly (RFC 9110, 13.1.2). */
export function matchesEtag(ifNoneMatch: string | null, etag: string | null): boolean {
  if (ifNoneMatch === null || etag === null) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  const listed: readonly string[] = ifNoneMatch.match(/"[^"]*"/g) ?? [];
  return listed.includes(opaque);
}

/** Says nothing about a body that is not sent. */
export function withoutContent(headers: Headers): Headers {
  for (const name of ['content-length', 'content-type', 'content-encoding', 'content-language']) {
    headers.delete(name);
  }
  return headers;
}
