/** Which rows an invalidation covers, found in pages, and how it is written down where that takes longer. */
import type { Labels } from '../../entry.ts';
import { canonicalKey } from '../../keys/canonical.ts';
import { compilePattern, type Pattern } from '../../keys/pattern.ts';
import { keyTarget, type Target } from '../../keys/target.ts';
import type { DiskFile } from './file.ts';
import { assertAbsent, isLabel, keysFrom, keysLabelled, labelsFrom } from './paging.ts';
import { metadataOf } from './rows.ts';

const TAG = 't:';
const DEPENDENCY = 'd:';
/** The canonical text of a row's key, where it differs. */
const SPELLING = 'k:';

/**
 * How long the maps are in which keys are collected. Keys come in their order, so that the parts of a map grow alike:
 * many are split in one slice.
 */
export const COLLECTED = 1_024;

const NO_LABELS: Labels = { tags: [], dependsOn: [] };

/** By what else than its key a row is found. */
export function labelsOf(key: string, { tags, dependsOn }: Labels = NO_LABELS): string[] {
  const canonical = canonicalKey(key);
  return [
    ...(canonical === key ? [] : [SPELLING + canonical]),
    ...tags.map((tag) => TAG + tag),
    ...dependsOn.map((other) => DEPENDENCY + other),
  ];
}

/**
 * Keys of rows that the target covers, by themselves or by what they depend on, through any number of others. What
 * depends on a row comes before it, so that whoever is stopped halfway finds the rest again. Rows may be deleted
 * meanwhile; a key comes more than once only where something depends on something. `undefined` stands for something
 * that was looked at and is not covered, so that whoever looks for few among many can stop in between (I12).
 */
export function* coveredKeys(file: DiskFile, target: Target): Generator<string | undefined, void, undefined> {
  // Mostly there are none, and then nobody need look for those of each row.
  const hasDependants = hasDependencies(file);
  const withDependants = function* (key: string) {
    if (hasDependants) yield* dependantsOf(file, canonicalKey(key));
    yield key;
  };
  if (target.kind === 'tier') {
    for (const key of keysFrom(file, '')) {
      const tier = tierOf(file, key);
      if (tier === target.tier) yield* withDependants(key);
      else yield undefined;
    }
  } else if (target.kind === 'tag') {
    for (const key of keysLabelled(file, TAG + target.tag)) yield* withDependants(key);
  } else if (target.kind === 'key') {
    if (hasDependants) yield* dependantsOf(file, target.key);
    yield* spelled(file, target.key);
  } else {
    const { pattern } = target;
    if (hasDependants) {
      for (const key of startingLike(pattern, (prefix) => markedLabels(file, DEPENDENCY, prefix))) {
        if (pattern.matches(key)) yield* dependantsOf(file, canonicalKey(key));
        else yield undefined;
      }
    }
    for (const key of startingLike(pattern, (prefix) => keysFrom(file, prefix))) {
      if (pattern.matches(key)) yield* withDependants(key);
      else yield undefined;
    }
    for (const canonical of markedLabels(file, SPELLING, pattern.canonicalPrefix)) {
      if (!pattern.matches(canonical)) yield undefined;
      else {
        for (const key of keysLabelled(file, SPELLING + canonical)) {
          if (!isLike(pattern, key)) yield* withDependants(key);
        }
      }
    }
  }
}

/** Whether the key of any row differs from its canonical text. */
export function hasSpellings(file: DiskFile): boolean {
  return isAny(labelsFrom(file, SPELLING));
}

/** Keys of the rows under all spellings of a key. @param canonical the text that these have in common */
export function* spelled(file: DiskFile, canonical: string): Generator<string, void, undefined> {
  yield* keysLabelled(file, SPELLING + canonical);
  if (isThere(file, canonical)) yield canonical;
}

function isThere(file: DiskFile, key: string): boolean {
  // Another process must not write in between.
  return file.snapshot(() => {
    const isFound = file.seqOf(key) !== undefined;
    if (!isFound) assertAbsent(file, key);
    return isFound;
  });
}

/** Removes a row that {@link coveredKeys} has found, within a transaction. @returns false where it had gone by now */
export function removeCovered(file: DiskFile, key: string): boolean {
  const isFound = file.delete(key);
  if (!isFound) assertAbsent(file, key);
  return isFound;
}

/** What begins as a match of the pattern does, as it is written or by its canonical text. */
function* startingLike(
  { prefix, canonicalPrefix }: Pattern,
  startingWith: (prefix: string) => Iterable<string>,
): Generator<string, void, undefined> {
  yield* startingWith(prefix);
  if (canonicalPrefix === prefix) return;
  for (const text of startingWith(canonicalPrefix)) if (!text.startsWith(prefix)) yield text;
}

/** Whether {@link startingLike} gives the text. */
function isLike({ prefix, canonicalPrefix }: Pattern, text: string): boolean {
  return text.startsWith(prefix) || text.startsWith(canonicalPrefix);
}

function* markedLabels(file: DiskFile, mark: string, prefix: string): Generator<string, void, undefined> {
  for (const label of labelsFrom(file, mark + prefix)) yield label.slice(mark.length);
}

function isAny(found: Iterator<string>): boolean {
  return found.next().done !== true;
}

/** The tier that a row was written with. */
function tierOf(file: DiskFile, key: string): string | undefined {
  const metadata = file.statement('SELECT metadata FROM cache_storage WHERE key = ?').pluck().get(key);
  return typeof metadata === 'string' ? metadataOf({ metadata })?.tier : undefined;
}

/** Whether any row depends on anything. */
export function hasDependencies(file: DiskFile): boolean {
  return isAny(labelsFrom(file, DEPENDENCY));
}

/** @param canonical of a key */
function* dependantsOf(
  file: DiskFile,
  canonical: string,
  seen?: Set<string>,
): Generator<string, void, undefined> {
  if (!isLabel(file, DEPENDENCY + canonical)) return;
  const met = seen ?? new Set([canonical]);
  for (const other of keysLabelled(file, DEPENDENCY + canonical)) {
    if (met.has(other)) continue;
    met.add(other);
    yield* dependantsOf(file, canonicalKey(other), met);
    yield other;
  }
}

/** A target as text, for `readTarget`. */
export function writtenTarget(target: Target): string {
  switch (target.kind) {
    case 'key':
      return JSON.stringify({ key: target.key });
    case 'tag':
      return JSON.stringify({ tag: target.tag });
    case 'tier':
      return JSON.stringify({ tier: target.tier });
    case 'pattern':
      return JSON.stringify({ pattern: target.pattern.source });
  }
}

export function readTarget(text: string): Target {
  const { key, tag, tier, pattern } = JSON.parse(text) as Partial<
    Record<'key' | 'tag' | 'tier' | 'pattern', string>
  >;
  if (key !== undefined) return keyTarget(key);
  if (tag !== undefined) return { kind: 'tag', tag: canonicalKey(tag) };
  if (tier !== undefined) return { kind: 'tier', tier };
  return { kind: 'pattern', pattern: compilePattern(pattern ?? '*') };
}
