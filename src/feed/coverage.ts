/**
 * What the rules tell of: a key whose changes some rule names, by the key itself, by a tag of its entry, or by a key it
 * depends on. That is the author's word; what no rule names may have changed unnoticed.
 *
 * An entry counts as told of only if the rule's invalidation reaches it, whatever its row holds: a column stands for
 * one segment, or a part of one, and not for the hash of something longer or with a structure, since nobody can tell
 * which row that was made from.
 */
import type { EntryLinks } from '../cache/entry.ts';
import { canonicalKey, canonicalPattern } from '../cache/keys/canonical.ts';
import type { CompiledRule } from './compile-rules.ts';
import { readTemplates } from './targets.ts';

/** Stands for a column: no template holds it. */
const COLUMN = '\u0001';

type IsCovered = (key: string, links: EntryLinks) => boolean;

export class Coverage {
  readonly #tests: readonly IsCovered[];

  constructor(rules: readonly CompiledRule[]) {
    this.#tests = rules
      .filter(({ derive }) => derive === undefined)
      .flatMap(({ targets }) => readTemplates(targets))
      .map(({ isTag, literals }): IsCovered => {
        const isMade = madeFrom(literals, isTag);
        if (isTag) return (_, { tags }) => tags.some(isMade);
        return (key, { dependsOn }) => isMade(key) || dependsOn.some(isMade);
      });
  }

  /** Whether every change of such an entry is told. What a derived rule covers is not known beforehand. */
  tellsOf(key: string, links: EntryLinks): boolean {
    return this.#tests.some((isCovered) => isCovered(key, links));
  }
}

/** Whether a text is covered by what the rule makes of some row. @param literals what stands between the columns */
function madeFrom(literals: readonly string[], isTag: boolean): (text: string) => boolean {
  const canonical = canonicalPattern(literals.join(COLUMN)).split(COLUMN);
  const written = canonical.map((literal) => {
    const pieces = isTag ? [literal] : literal.split('*');
    return pieces.map((piece) => piece.replaceAll(/[^\w:]/g, '\\$&')).join('.*');
  });
  // Values have their ":" escaped.
  const pattern = new RegExp(`^${written.join('([^:]+)')}$`, 's');
  return (text) => {
    const values = pattern.exec(canonicalKey(text))?.slice(1);
    // Where a value is a part of a segment, only its own canonical text is found there.
    return values?.every((value) => !value.startsWith('%h') && canonicalKey(value) === value) ?? false;
  };
}
