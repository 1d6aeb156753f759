/**
 * What a value stems from: its own tags and dependencies, and those of every value it may have been made from, so that
 * they hold when one of these leaves. Versions that are gone count where the load may have read them
 * (`departures.ts`); by induction nothing that a value stems from is missing.
 *
 * What comes from where is kept apart, so that nothing piles up: a value that is found unmodified takes over what was
 * said of it, and asks anew what that stems from; and in a cycle nothing comes back to where it came from.
 */
import type { EntryLinks, Labels } from '../entry.ts';
import { canonicalKey } from '../keys/canonical.ts';
import { ownText } from '../values/own-text.ts';

/** The links of what is, or was, held under any spelling of a key as far as it concerns a load. */
export type VersionsOf = (key: string) => readonly EntryLinks[];

/** What came with a key that was depended on. */
export type Inherited = readonly (readonly [key: string, labels: Labels])[];

/**
 * The links of the value under `key` (its canonical text) of which its load says `own`. `inherited` is what the old value had from its
 * dependencies, where the load takes it over: it holds where these have left since.
 */
export function lineageOf(
  key: string,
  own: Labels,
  inherited: Inherited,
  versionsOf: VersionsOf,
): EntryLinks {
  // Copied: what a loader still says after its load has ended must not reach the entry.
  const ofItself: Labels = { tags: distinct(own.tags), dependsOn: distinct(own.dependsOn) };
  const found: [key: string, labels: Labels][] = [];
  for (const other of ofItself.dependsOn) {
    // Each is there by its canonical text, too.
    if (other === key || canonicalKey(other) !== other) continue;
    const labels = inheritedFrom(other, key, versionsOf) ?? inherited.find(([from]) => from === other)?.[1];
    if (labels !== undefined && labels.tags.length + labels.dependsOn.length > 0) found.push([other, labels]);
  }
  if (found.length === 0) return { ...ofItself, origin: undefined };
  const all = { tags: new Set(ofItself.tags), dependsOn: new Set(ofItself.dependsOn) };
  for (const [, labels] of found) addTo(all, labels);
  return {
    tags: [...all.tags],
    dependsOn: [...all.dependsOn],
    // A list that grew keeps room for more.
    origin: { own: ofItself, inherited: found.slice() },
  };
}

const NONE: readonly string[] = [];

/** Texts of their own: one cut from a message must not keep that alive. */
function distinct(texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? NONE : [...new Set(texts)].map(ownText);
}

interface LabelSets {
  readonly tags: Set<string>;
  readonly dependsOn: Set<string>;
}

function inheritedFrom(from: string, key: string, versionsOf: VersionsOf): Labels | undefined {
  const versions = versionsOf(from);
  const [first] = versions;
  if (first === undefined) return undefined;
  if (versions.length === 1 && !first.dependsOn.includes(key)) {
    return { tags: first.tags, dependsOn: first.dependsOn };
  }
  const found: LabelSets = { tags: new Set(), dependsOn: new Set() };
  take(versions, key, new Set([key, from]), versionsOf, found);
  return { tags: [...found.tags], dependsOn: [...found.dependsOn] };
}

/** Takes all of what does not come from `key` itself; of a cycle, what was said of each value in it. */
function take(
  versions: readonly EntryLinks[],
  key: string,
  met: Set<string>,
  versionsOf: VersionsOf,
  found: LabelSets,
): void {
  for (const links of versions) {
    if (links.origin === undefined || !links.dependsOn.includes(key)) {
      addTo(found, links);
      continue;
    }
    const { own, inherited } = links.origin;
    addTo(found, own);
    for (const next of own.dependsOn) {
      if (met.has(next)) continue;
      met.add(next);
      const further = versionsOf(next);
      const labels = inherited.find(([from]) => from === next)?.[1];
      if (further.length > 0) take(further, key, met, versionsOf, found);
      else if (labels !== undefined && !labels.dependsOn.includes(key)) addTo(found, labels);
    }
  }
}

function addTo(found: LabelSets, { tags, dependsOn }: Labels): void {
  for (const tag of tags) found.tags.add(tag);
  for (const key of dependsOn) found.dependsOn.add(key);
}
