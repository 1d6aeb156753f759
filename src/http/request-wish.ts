/** What a request says about the copies that it takes (RFC 9111, section 5.2.1), and whether a kept answer is one of them. */
import { cacheDirectives, isUnqualified, listedNames, secondsOf } from './cache-control.ts';
import type { KeptAnswer } from './kept-answer.ts';
import type { RequestHeaders } from './outgoing-key.ts';

/** Durations are in seconds, as they are stated. */
export interface Wish {
  /** The origin is to be asked, whatever is kept. */
  readonly isAnew: boolean;
  /** The origin is not to be asked. */
  readonly isOnlyKept: boolean;
  readonly maxAge: number | undefined;
  readonly minFresh: number | undefined;
  /** `Infinity` where it stands without a value. */
  readonly maxStale: number | undefined;
}

export function wishOf(headers: RequestHeaders): Wish {
  const directives = cacheDirectives(headers['cache-control']);
  const maxStale = secondsOf(directives, 'max-stale');
  const isBare = isUnqualified(directives, 'max-stale');
  return {
    isAnew:
      directives.has('no-cache') ||
      // `Pragma` counts where there is no `Cache-Control` (RFC 9111, section 5.4).
      (headers['cache-control'] === undefined && listedNames(headers.pragma).includes('no-cache')) ||
      isConditional(headers),
    isOnlyKept: directives.has('only-if-cached'),
    maxAge: stated(secondsOf(directives, 'max-age')),
    minFresh: stated(secondsOf(directives, 'min-fresh')),
    maxStale: isBare ? Number.POSITIVE_INFINITY : stated(maxStale),
  };
}

/** A value that is no number of seconds says nothing. */
function stated(seconds: number | undefined): number | undefined {
  return Number.isNaN(seconds) ? undefined : seconds;
}

export function isConditional(headers: RequestHeaders): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
}

/** Whether an answer may be given to who wishes this, without asking the origin. */
export function satisfies(answer: KeptAnswer, wish: Wish, type: 'shared' | 'private', now: number): boolean {
  const { cachedAt, staleAt, cacheControlDirectives } = answer;
  if (wish.isAnew || cacheControlDirectives['no-cache'] === true) return false;
  // As undici counts it.
  const ageSeconds = Math.round((now - cachedAt) / 1_000);
  if (wish.maxAge !== undefined && ageSeconds >= wish.maxAge) return false;
  if (now <= staleAt && staleAt > cachedAt) {
    return wish.minFresh === undefined || staleAt - now > wish.minFresh * 1_000;
  }
  if (wish.maxStale === undefined || wish.minFresh !== undefined) return false;
  return !mustBeFresh(answer, type) && now <= staleAt + wish.maxStale * 1_000;
}

/** Whether an answer may never be served stale (RFC 9111, section 4.2.4). */
export function mustBeFresh(
  { cacheControlDirectives: said = {} }: Pick<KeptAnswer, 'cacheControlDirectives'>,
  type: 'shared' | 'private',
): boolean {
  const isForShared = said['proxy-revalidate'] === true || said['s-maxage'] !== undefined;
  return said['no-cache'] === true || said['must-revalidate'] === true || (type === 'shared' && isForShared);
}
