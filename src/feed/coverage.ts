/**
 * What the rules tell of: a key whose changes some rule names, by the key itself, by a tag of its entry, or by a key it
 * depends on. That is the author's word; what no rule names may have changed unnoticed.
 */
import type { EntryLinks } from '../cache/entry.ts';
import { compilePattern } from '../cache/keys/pattern.ts';
import { compileTarget, covers } from '../cache/keys/target.ts';
import type { CompiledRule } from './compile-rules.ts';
import { widenTargets } from './targets.ts';

export class Coverage {
  readonly #tests: readonly ((key: string, links: EntryLinks) => boolean)[];

  constructor(rules: readonly CompiledRule[]) {
    this.#tests = rules
      .filter(({ derive }) => derive === undefined)
      .flatMap(({ targets }) => widenTargets(targets))
      .map((target): ((key: string, links: EntryLinks) => boolean) => {
        if (typeof target === 'string' || !target.tag.includes('*')) {
          const compiled = compileTarget(target);
          return (key, links) => covers(compiled, key, links, undefined);
        }
        const tags = compilePattern(target.tag);
        return (_, links) => links.tags.some((tag) => tags.matches(tag));
      });
  }

  /** Whether every change of such an entry is told. What a derived rule covers is not known beforehand. */
  tellsOf(key: string, links: EntryLinks): boolean {
    return this.#tests.some((isCovered) => isCovered(key, links));
  }
}
