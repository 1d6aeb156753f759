/**
 * Lets a cache serve what an API gave before while that API fails, which few APIs say of their answers themselves: adds
 * `stale-if-error` (RFC 5861, section 4) to what they say. Where they forbid it (`must-revalidate`), that holds.
 */
import type { Dispatcher } from 'undici';

/** For `compose`, beneath a cache. */
export function graceFor(seconds: number): Dispatcher.DispatcherComposeInterceptor {
  return (send) => (request, handler) =>
    send(request, {
      onRequestStart: (...args) => handler.onRequestStart?.(...args),
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart: (controller, status, headers, words) => {
        const said = [headers['cache-control'] ?? [], `stale-if-error=${seconds}`].flat().join(', ');
        handler.onResponseStart?.(controller, status, { ...headers, 'cache-control': said }, words);
      },
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    });
}
