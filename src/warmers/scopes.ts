/** Whether the scopes of warm tasks are such as anything asks for: a tier by its name, or a person. */
import type { TierPolicy } from '../cache/tiers/tier.ts';
import { nearestName } from '../nearest-name.ts';
import type { WarmScope } from './types.ts';

/** What is legal but hardly meant: a scope that `/cache-warm` does not offer. One sentence each. */
export function scopeNotices(
  scopes: readonly WarmScope[],
  tiers: readonly Pick<TierPolicy, 'tier'>[],
): string[] {
  const known = ['user', ...tiers.map(({ tier }) => tier)];
  return scopes
    .filter((scope) => !known.includes(scope))
    .map((scope) => {
      const nearest = nearestName(scope, known);
      const advice =
        nearest === undefined ? 'give it the name of a tier' : `did you mean ${JSON.stringify(nearest)}?`;
      return `A warm task has the scope ${JSON.stringify(scope)}, which is no tier, so only "everything" warms it: ${advice}`;
    });
}
