/**
 * What is wrong in how tiers are set up: values that are each in bounds, and cannot work together. Refused with the
 * path and what to do. Each value is judged where it can be read, so a fault in one hides none of another. What is legal
 * but hardly meant is in tier-notices.ts.
 */
import { BUILT_IN_TIERS, builtInTier } from '../cache/tiers/built-in-tiers.ts';
import { nearestName } from '../nearest-name.ts';
import { pathText, shown } from './problem-text.ts';
import { configFileSchema } from './schema.ts';
import { TIER_NAME, TIER_NAME_EXPECTED, tierSchema } from './tier-schema.ts';
import type { TierSection } from './tier-section.ts';
import { namespacesOf, ttlNameOf } from './tiers.ts';

/** Words that mean something else where a tier's name is typed. */
const RESERVED = new Set(['all', '__proto__']);

/** What is wrong with the tiers of a file, whatever else is wrong with it. */
export function tierProblems(file: unknown): string[] {
  const cache = child(file, 'cache');
  const tiers = child(cache, 'tiers');
  if (typeof tiers !== 'object' || tiers === null) return [];
  const read = Object.entries(tiers).flatMap(([name, raw]) =>
    typeof raw === 'object' && raw !== null && nameProblems(name).length === 0
      ? [[name, readable(raw)] as const]
      : [],
  );
  return [
    ...Object.keys(tiers).flatMap(nameProblems),
    ...read.flatMap(([name, section]) => [
      ...ttlProblems(name, section, cache),
      ...contradictions(name, section),
    ]),
    ...claimedTwice(read),
  ];
}

/** In place of a value that is out of bounds, which is told elsewhere: it neither helps nor contradicts. */
const UNREADABLE = Symbol('unreadable');
type Readable = { readonly [Name in keyof TierSection]: TierSection[Name] | typeof UNREADABLE };

function readable(raw: object): Readable {
  const fields = Object.entries(tierSchema.shape).flatMap(([name, field]) => {
    const value = child(raw, name);
    if (value === undefined) return [];
    const result = field.safeParse(value);
    return [[name, result.success ? result.data : UNREADABLE] as const];
  });
  return Object.fromEntries(fields);
}

/** What is wrong with the tiers that other sections name. */
export function scopeProblems(file: unknown): string[] {
  const scopes = child(child(file, 'warmers'), 'startup_scopes');
  if (!Array.isArray(scopes)) return [];
  const own = child(child(file, 'cache'), 'tiers');
  const known = [...BUILT_IN_TIERS.map(({ tier }) => tier as string), ...Object.keys(Object(own))];
  return scopes.flatMap((scope: unknown, index) => {
    const where = `warmers.startup_scopes[${index}]`;
    if (scope === 'user')
      return [`${where}: is "user", which needs a person: they are warmed when they come`];
    if (typeof scope !== 'string' || known.includes(scope)) return [];
    const nearest = nearestName(scope, known);
    const advice = nearest === undefined ? `Known: ${known.join(', ')}` : `did you mean "${nearest}"?`;
    return [`${where}: there is no tier ${shown(scope)}, ${advice}`];
  });
}

function nameProblems(name: string): string[] {
  const where = pathText(['cache', 'tiers', name]);
  if (RESERVED.has(name)) return [`${where}: a tier cannot be named "${name}", choose another name`];
  return TIER_NAME.test(name) ? [] : [`${where}: is no name of a tier, expected ${TIER_NAME_EXPECTED}`];
}

/** A built-in tier has its ttl beside the others; a tier of one's own must have one. */
function ttlProblems(name: string, section: Readable, cache: unknown): string[] {
  const where = `cache.tiers.${name}`;
  const builtIn = builtInTier(name);
  if (builtIn === undefined) {
    return section.ttl === undefined
      ? [`${where}.ttl: is missing, expected a number of seconds; a tier of your own needs one`]
      : negativeProblems(where, section, numberIn(section.ttl), 'ttl');
  }
  const ttlName = ttlNameOf(builtIn.tier);
  const stated = child(cache, ttlName);
  const ttl = typeof stated === 'number' ? stated : configFileSchema.parse({}).cache[ttlName];
  const own = numberIn(section.ttl);
  if (own !== undefined && own !== ttl) {
    return [
      `${where}.ttl: is ${own}, but cache.${ttlName} is ${ttl}. Use cache.${ttlName} for the ttl of this tier, and remove it here`,
    ];
  }
  return negativeProblems(where, section, ttl, ttlName);
}

function negativeProblems(
  where: string,
  section: Readable,
  ttl: number | undefined,
  ttlName: string,
): string[] {
  const negative = numberIn(section.negative_ttl);
  return negative !== undefined && ttl !== undefined && negative > ttl
    ? [`${where}.negative_ttl: is ${negative}, expected no more than ${ttlName} (${ttl})`]
    : [];
}

function contradictions(name: string, section: Readable): string[] {
  const where = `cache.tiers.${name}`;
  const soft = numberIn(section.soft_timeout);
  const hard = numberIn(section.hard_timeout);
  const adaptive = section.adaptive_ttl;
  const problems: string[] = [];
  if (section.soft_timeout !== undefined && !section.grace && !section.stale_while_revalidate) {
    problems.push(
      `${where}.soft_timeout: has no old value to answer with. Add grace (how old it may be), or use hard_timeout`,
    );
  }
  if (soft !== undefined && hard !== undefined && hard <= soft) {
    problems.push(
      `${where}.hard_timeout: is ${hard}, expected more than soft_timeout (${soft}), which would never come`,
    );
  }
  if (typeof adaptive === 'object' && adaptive.min > adaptive.max) {
    problems.push(
      `${where}.adaptive_ttl: min is ${adaptive.min}, expected no more than max (${adaptive.max})`,
    );
  }
  return problems;
}

function numberIn(value: number | typeof UNREADABLE | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** A key belongs to one tier. */
function claimedTwice(tiers: readonly (readonly [string, Readable])[]): string[] {
  const claims = BUILT_IN_TIERS.filter(({ tier }) => !tiers.some(([name]) => name === tier)).map(
    ({ tier, namespaces }) => [tier as string, namespaces] as const,
  );
  const stated = tiers.map(([name, { namespaces }]) => {
    const known = namespaces === UNREADABLE ? [] : namespaces;
    return [name, namespacesOf(name, { namespaces: known })] as const;
  });
  // The built-in tiers first: what they have cannot be taken.
  const all = [...claims, ...stated].sort(([a], [b]) => rank(a) - rank(b));
  const owners = new Map<string, string>();
  return all.flatMap(([name, namespaces]) =>
    namespaces.flatMap((namespace) => {
      const owner = owners.get(namespace);
      owners.set(namespace, owner ?? name);
      return owner === undefined
        ? []
        : [
            `cache.tiers.${name}.namespaces: "${namespace}" belongs to tier ${owner}, and a namespace has one tier only`,
          ];
    }),
  );
}

function rank(name: string): number {
  return builtInTier(name) === undefined ? 1 : 0;
}

function child(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
