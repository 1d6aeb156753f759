/** Which rows an invalidation covers, found in pages, and how it is written down where that takes longer. */
import { compilePattern } from '../pattern.ts';
import type { Target } from '../target.ts';
import type { DiskFile } from './disk-file.ts';

const PAGE_ROWS = 100;

const TAG = 't:';
const DEPENDENCY = 'd:';

/** By what else than its key a row is found. */
export function labelsOf(tags: readonly string[], dependsOn: readonly string[]): string[] {
  return [...tags.map((tag) => TAG + tag), ...dependsOn.map((key) => DEPENDENCY + key)];
}

/** Keys of rows that the target covers, by themselves or by what they depend on. Rows may be deleted meanwhile. */
export function* coveredKeys(file: DiskFile, target: Target): Generator<string, void, undefined> {
  if (target.kind === 'tag') yield* labelled(file, TAG + target.tag);
  else if (target.kind === 'key') {
    if (file.seqOf(target.key) !== undefined) yield target.key;
    yield* labelled(file, DEPENDENCY + target.key);
  } else {
    const { pattern } = target;
    for (const key of paged((after) => file.keysAfter(pattern.prefix, after, PAGE_ROWS))) {
      if (pattern.matches(key)) yield key;
    }
    for (const label of paged((after) => file.labelsAfter(DEPENDENCY + pattern.prefix, after, PAGE_ROWS))) {
      if (pattern.matches(label.slice(DEPENDENCY.length))) yield* labelled(file, label);
    }
  }
}

function labelled(file: DiskFile, label: string): Iterable<string> {
  return paged((after) => file.keysLabelled(label, after, PAGE_ROWS));
}

function* paged(read: (after: string) => readonly string[]): Generator<string, void, undefined> {
  for (let after = ''; ; ) {
    const page = read(after);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS) return;
    after = last;
  }
}

/** A target as text, for `readTarget`. */
export function writtenTarget(target: Target): string {
  switch (target.kind) {
    case 'key':
      return JSON.stringify({ key: target.key });
    case 'tag':
      return JSON.stringify({ tag: target.tag });
    case 'pattern':
      return JSON.stringify({ pattern: target.pattern.source });
  }
}

export function readTarget(text: string): Target {
  const { key, tag, pattern } = JSON.parse(text) as Partial<Record<'key' | 'tag' | 'pattern', string>>;
  if (key !== undefined) return { kind: 'key', key };
  if (tag !== undefined) return { kind: 'tag', tag };
  return { kind: 'pattern', pattern: compilePattern(pattern ?? '*') };
}
