/**
 * What `/cache-clear` was asked to remove: everything, a tier, a tag, a pattern or one key. Reads the text once; the
 * cache itself only knows targets of its own.
 */
import type { Cache } from '../cache/cache.ts';
import { CacheError } from '../cache/errors.ts';
import type { Preview } from '../cache/index/preview.ts';
import { assertKey, SEPARATOR } from '../cache/keys/keys.ts';
import { compilePattern, isPattern } from '../cache/keys/pattern.ts';
import type { InvalidationTarget } from '../cache/keys/target.ts';
import type { Removal } from '../cache/removal.ts';
import { nearestName } from '../nearest-name.ts';
import { knownKeys, storedNamespaces } from './known-keys.ts';
import { tierNamed } from './tier-option.ts';

/** `text` is what a person types for it. */
export type ClearTarget =
  | { readonly kind: 'all'; readonly text: 'all' }
  | { readonly kind: 'tier'; readonly text: string; readonly tier: string; readonly label: string }
  | { readonly kind: 'tag'; readonly text: string; readonly tag: string }
  | { readonly kind: 'pattern'; readonly text: string }
  | { readonly kind: 'key'; readonly text: string };

export type TargetReading =
  | { readonly ok: true; readonly target: ClearTarget }
  /** `problem` is a sentence for people. */
  | { readonly ok: false; readonly problem: string };

const TIER_PREFIX = 'tier:';
const TAG_PREFIX = 'tag:';

/** Reads what somebody typed. Spaces around it are not meant. */
export function readTarget(input: string, cache: Cache): TargetReading {
  const text = input.trim();
  if (text.toLowerCase() === 'all' || /^\*+$/.test(text))
    return { ok: true, target: { kind: 'all', text: 'all' } };
  if (text.startsWith(TIER_PREFIX) && !text.startsWith('tier::')) return readTier(text, cache);
  if (text.startsWith(TAG_PREFIX) && !text.startsWith('tag::') && text.length > TAG_PREFIX.length) {
    return { ok: true, target: tagTarget(text) };
  }
  try {
    if (isPattern(text)) {
      compilePattern(text);
      return { ok: true, target: { kind: 'pattern', text } };
    }
    assertKey(text);
    return { ok: true, target: { kind: 'key', text } };
  } catch (error) {
    if (error instanceof CacheError) return { ok: false, problem: error.message };
    throw error;
  }
}

/** The same target in another process, which has entries and namespaces of its own. */
export function targetThere(
  { kind, text }: Pick<ClearTarget, 'kind' | 'text'>,
  cache: Cache,
): ClearTarget | undefined {
  // The text is not read again: a key may read like something else, and one that is called `all` is not everything.
  switch (kind) {
    case 'all':
      return { kind, text: 'all' };
    case 'key':
    case 'pattern':
      return { kind, text };
    case 'tag':
      return tagTarget(text);
    case 'tier': {
      const policy = cache.tiers.find(({ tier }) => text === TIER_PREFIX + tier);
      return policy && tierTarget(policy);
    }
  }
}

function tagTarget(text: string): ClearTarget {
  return { kind: 'tag', text, tag: text.slice(TAG_PREFIX.length) };
}

export function tierTarget({ tier, label }: { readonly tier: string; readonly label: string }): ClearTarget {
  return { kind: 'tier', text: TIER_PREFIX + tier, tier, label };
}

/** A target as the audit log names it: a key that reads like something else is called a key. */
export function targetOnRecord({ kind, text }: ClearTarget): string {
  return kind === 'key' && /^\s*(all\s*$|tier:|tag:)/i.test(text) ? `key ${text}` : text;
}

/** Tiers named where one was mistyped. */
const TIERS_LISTED = 12;

function readTier(text: string, cache: Cache): TargetReading {
  const typed = text.slice(TIER_PREFIX.length).trim();
  const policy = tierNamed(cache.tiers, typed);
  if (policy === undefined) {
    const names = cache.tiers.map(({ tier }) => tier);
    const nearest = nearestName(typed, names);
    const meant = nearest === undefined ? '' : ` Did you mean ${TIER_PREFIX}${nearest}?`;
    const more = names.length > TIERS_LISTED ? ', …' : '';
    const known = names.slice(0, TIERS_LISTED).join(', ') + more;
    return { ok: false, problem: `There is no such tier.${meant} There are: ${known}.` };
  }
  return { ok: true, target: tierTarget(policy) };
}

/** As the cache takes it. */
function invalidationOf(target: ClearTarget): InvalidationTarget {
  switch (target.kind) {
    case 'all':
      return '*';
    case 'tier':
      return { tier: target.tier };
    case 'tag':
      return { tag: target.tag };
    case 'pattern':
    case 'key':
      return target.text;
  }
}

/** What would go, without removing it. */
export async function previewTarget(cache: Cache, target: ClearTarget): Promise<Preview> {
  return cache.preview(invalidationOf(target));
}

/** Several as one: counts add up, each example is named once. */
export function addPreviews(previews: readonly Preview[]): Preview {
  let sum: Preview = { entries: 0, weightBytes: 0, loads: 0, stored: 0, examples: [], tiers: [] };
  for (const one of previews) sum = added(sum, one);
  return { ...sum, tiers: [...sum.tiers].sort((a, b) => b.entries - a.entries) };
}

function added(a: Preview, b: Preview): Preview {
  const tiers = new Map(a.tiers.map((row) => [row.tier, row]));
  for (const row of b.tiers) {
    const before = tiers.get(row.tier);
    tiers.set(row.tier, {
      tier: row.tier,
      entries: row.entries + (before?.entries ?? 0),
      weightBytes: row.weightBytes + (before?.weightBytes ?? 0),
    });
  }
  return {
    entries: a.entries + b.entries,
    weightBytes: a.weightBytes + b.weightBytes,
    loads: a.loads + b.loads,
    stored: a.stored + b.stored,
    examples: [...new Set([...a.examples, ...b.examples])],
    tiers: [...tiers.values()],
  };
}

/** Removes it. */
export function clearTarget(cache: Cache, target: ClearTarget): Removal {
  return target.kind === 'all' ? cache.clear() : cache.invalidate(invalidationOf(target));
}

/** How many keys are compared with a mistyped one: comparing two long ones takes some 20 µs. */
const COMPARED_KEYS = 60;
const COMPARED_SIBLINGS = 400;

interface Suggestion {
  readonly target: ClearTarget;
  /** How many entries it covers. */
  readonly entries: number;
}

/** What was probably meant by a text that covers nothing; `undefined` when nothing is near. */
export async function suggestTarget(cache: Cache, text: string): Promise<Suggestion | undefined> {
  const held = new Set(storedNamespaces(cache).map(({ namespace }) => namespace));
  for (const row of cache.stats(0).namespaces) if (row.entries > 0) held.add(row.namespace);
  const whole = (namespace: string) => counted(cache, `${namespace}::*`);
  const [first = ''] = text.split(/[:*]/, 1);
  const isWhole = /^:*\**$/.test(text.slice(first.length));
  if (isWhole && held.has(first)) return whole(first);
  if (!isPattern(text)) {
    const key = nearestKey(cache, text);
    if (key !== undefined) return { target: { kind: 'key', text: key }, entries: 1 };
  }
  const namespace = nearestName(first, held);
  if (namespace === undefined) return undefined;
  if (isWhole || !isPattern(text)) {
    const isSpelt = isPattern(text) && text.slice(first.length) !== '*';
    return isSpelt ? counted(cache, namespace + text.slice(first.length)) : whole(namespace);
  }
  return (await counted(cache, namespace + text.slice(first.length))) ?? whole(namespace);
}

/** The key, in memory or on disk, that is nearest to a mistyped one: of its siblings, else of any. */
export function nearestKey(cache: Cache, text: string): string | undefined {
  const end = text.lastIndexOf(SEPARATOR);
  const parent = end === -1 ? '' : text.slice(0, end + SEPARATOR.length);
  // Only the last segment is compared here, which is short: so there may be many.
  const siblings = knownKeys(cache, parent, COMPARED_SIBLINGS).map((key) => key.slice(parent.length));
  const sibling = parent === '' ? undefined : nearestName(text.slice(parent.length), siblings);
  if (sibling !== undefined) return parent + sibling;
  const [namespace = ''] = text.split(':', 1);
  const seen = new Set([
    ...knownKeys(cache, namespace, COMPARED_KEYS),
    ...knownKeys(cache, '', COMPARED_KEYS),
  ]);
  // A key of quite another length is not the one that was meant.
  const alike = [...seen].filter((key) => Math.abs(key.length - text.length) <= text.length / 3);
  return nearestName(text, alike);
}

async function counted(cache: Cache, text: string): Promise<Suggestion | undefined> {
  const { entries, stored } = await cache.preview(text);
  // Most of those in memory are on disk, too.
  const covered = Math.max(entries, stored);
  const kind = isPattern(text) ? 'pattern' : 'key';
  return covered > 0 ? { target: { kind, text }, entries: covered } : undefined;
}
