/** I2 for answers of other APIs, whatever happens at once: an origin whose answers have versions, and a bot that asks. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Origin, outgoing } from './origin.ts';

const PATHS = ['/a', '/b'] as const;
const LANGUAGES = ['de', 'en'] as const;

type Step =
  | { readonly do: 'ask'; readonly path: string; readonly language: string; readonly anew: boolean }
  | { readonly do: 'change' | 'invalidate' | 'post'; readonly path: string }
  | { readonly do: 'fail' }
  | { readonly do: 'settle' }
  | { readonly do: 'wait'; readonly ms: number };

const path = fc.constantFrom(...PATHS);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      path,
      language: fc.constantFrom(...LANGUAGES),
      anew: fc.nat({ max: 9 }).map((one) => one === 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('change' as const, 'invalidate' as const, 'post' as const),
      path,
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'fail' }, { do: 'settle' }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 5_000, 30_000) }),
  },
);

const CACHE_CONTROLS = [
  'max-age=10',
  'no-cache',
  'max-age=10, stale-while-revalidate=20, stale-if-error=60',
  'max-age=3600',
];

describe('whatever is asked, changed, invalidated and broken at once', () => {
  it.each(CACHE_CONTROLS)(
    'I2: nobody gets an answer from before an invalidation that he came after: %s',
    async (cacheControl) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
          const versions = new Map<string, number>(PATHS.map((each) => [each, 0]));
          let failures = 0;
          const origin: Origin = ({ method, path: asked, headers }) => {
            if (method === 'POST') return { status: 204 };
            if (failures-- > 0) return { status: 503 };
            const told = `${versions.get(asked)} ${headers['accept-language']}`;
            const etag = `"${told.replace(' ', '-')}"`;
            const kept = { 'cache-control': cacheControl, etag, vary: 'Accept-Language' };
            return headers['if-none-match'] === etag
              ? { status: 304, headers: kept }
              : { headers: kept, body: told };
          };
          const { get, ask, cache, advance } = await outgoing(origin);
          /** The least version that who asks now may get. */
          const least = new Map<string, number>(PATHS.map((each) => [each, 0]));
          const asking: Promise<void>[] = [];
          const check = async (one: Step & { readonly do: 'ask' }) => {
            const atLeast = least.get(one.path) ?? 0;
            const headers = {
              'accept-language': one.language,
              ...(one.anew ? { 'cache-control': 'no-cache' } : {}),
            };
            const { status, body } = await get(one.path, headers);
            if (status === 503) return;
            const [version, language] = body.split(' ');
            expect({ status, language }).toEqual({ status: 200, language: one.language });
            expect(Number(version)).toBeGreaterThanOrEqual(atLeast);
          };
          for (const one of steps) {
            if (one.do === 'ask') asking.push(check(one));
            else if (one.do === 'settle') await Promise.all(asking);
            else if (one.do === 'wait') advance(one.ms);
            else if (one.do === 'fail') failures = 1;
            else {
              versions.set(one.path, (versions.get(one.path) ?? 0) + 1);
              if (one.do === 'invalidate') cache.invalidate(`api:*${one.path}*`);
              if (one.do === 'post') await ask(one.path, { method: 'POST' });
              if (one.do !== 'change') least.set(one.path, versions.get(one.path) ?? 0);
            }
          }
          await Promise.all(asking);
          // What still runs behind ends, too.
          while (cache.stats().loading > 0) await nextTurn();
        }),
        { numRuns: 40 },
      );
    },
  );
});
