/** Which rows an invalidation covers, found in pages, and how it is written down where that takes longer. */
import { compilePattern } from '../../keys/pattern.ts';
import type { Target } from '../../keys/target.ts';
import type { DiskFile } from './file.ts';
import { FIRST_PAGE, type KeyPage, keysAfter, keysLabelled, labelsAfter } from './paging.ts';
import { metadataOf } from './rows.ts';

const PAGE_ROWS = 100;

const TAG = 't:';
const DEPENDENCY = 'd:';

/** By what else than its key a row is found. */
export function labelsOf(tags: readonly string[], dependsOn: readonly string[]): string[] {
  return [...tags.map((tag) => TAG + tag), ...dependsOn.map((key) => DEPENDENCY + key)];
}

/**
 * Keys of rows that the target covers, by themselves or by what they depend on, through any number of others. What
 * depends on a row comes before it, so that whoever is stopped halfway finds the rest again. Rows may be deleted
 * meanwhile; a key may come more than once. `undefined` stands for something that was looked at and is not covered, so
 * that whoever looks for few among many can stop in between (I12).
 */
export function* coveredKeys(file: DiskFile, target: Target): Generator<string | undefined, void, undefined> {
  if (target.kind === 'tier') {
    for (const key of paged((after) => keysAfter(file, '', after, PAGE_ROWS))) {
      const tier = tierOf(file, key);
      if (tier === target.tier) yield* withDependants(file, key);
      else yield undefined;
    }
  } else if (target.kind === 'tag') {
    for (const key of labelled(file, TAG + target.tag)) yield* withDependants(file, key);
  } else if (target.kind === 'key') {
    yield* dependantsOf(file, target.key);
    if (file.seqOf(target.key) !== undefined) yield target.key;
  } else {
    const { pattern } = target;
    for (const label of paged((after) => labelsAfter(file, DEPENDENCY + pattern.prefix, after, PAGE_ROWS))) {
      const key = label.slice(DEPENDENCY.length);
      if (pattern.matches(key)) yield* dependantsOf(file, key);
      else yield undefined;
    }
    for (const key of paged((after) => keysAfter(file, pattern.prefix, after, PAGE_ROWS))) {
      if (pattern.matches(key)) yield* withDependants(file, key);
      else yield undefined;
    }
  }
}

/** The tier that a row was written with. */
function tierOf(file: DiskFile, key: string): string | undefined {
  const metadata = file.statement('SELECT metadata FROM cache_storage WHERE key = ?').pluck().get(key);
  return typeof metadata === 'string' ? metadataOf({ metadata })?.tier : undefined;
}

/** Whether any row depends on anything. */
export function hasDependencies(file: DiskFile): boolean {
  return labelsAfter(file, DEPENDENCY, FIRST_PAGE, 1).keys.length > 0;
}

function* withDependants(file: DiskFile, key: string): Generator<string, void, undefined> {
  yield* dependantsOf(file, key);
  yield key;
}

function* dependantsOf(file: DiskFile, key: string, seen?: Set<string>): Generator<string, void, undefined> {
  if (!file.hasLabel(DEPENDENCY + key)) return;
  const met = seen ?? new Set([key]);
  for (const other of labelled(file, DEPENDENCY + key)) {
    if (met.has(other)) continue;
    met.add(other);
    yield* dependantsOf(file, other, met);
    yield other;
  }
}

function labelled(file: DiskFile, label: string): Iterable<string> {
  return paged((after) => keysLabelled(file, label, after, PAGE_ROWS));
}

function* paged(read: (after: Uint8Array) => KeyPage): Generator<string, void, undefined> {
  for (let after: Uint8Array | undefined = FIRST_PAGE; after !== undefined; ) {
    const { keys, next } = read(after);
    yield* keys;
    after = next;
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
  if (key !== undefined) return { kind: 'key', key };
  if (tag !== undefined) return { kind: 'tag', tag };
  if (tier !== undefined) return { kind: 'tier', tier };
  return { kind: 'pattern', pattern: compilePattern(pattern ?? '*') };
}
