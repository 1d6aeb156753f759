import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LOADING_POLICIES } from '../../src/cache/tiers/policy-check.ts';

const [, chapter = ''] = readFileSync('docs/policies.md', 'utf8').split('## The policies, one by one\n');
const sections = chapter
  .split(/^### /m)
  .slice(1)
  .map((text) => ({ title: text.slice(0, text.indexOf('\n')), text }));

/** Sections that are about a policy: those that state it in a configuration. */
const policies = sections.filter(({ text }) => text.includes('```json'));

describe('docs/policies.md', () => {
  it.each(policies)('shows $title with a picture, its limits, its configuration and its code', ({ text }) => {
    expect(text).toMatch(/^\n```\n[^`]+```\n/m);
    expect(text).toContain('**Limits.**');
    expect(text).toContain('```ts');
  });

  it('has every policy but those that only count or persist, and `values`, which has a page of its own', () => {
    const shown = LOADING_POLICIES.filter((name) => chapter.includes(`${name}:`));
    const elsewhere = ['persist', 'cost', 'skipEmpty', 'values'];
    expect(shown.sort()).toEqual(LOADING_POLICIES.filter((name) => !elsewhere.includes(name)).sort());
    expect(chapter).toContain('"skip_empty"');
  });

  it('names no option that does not exist', () => {
    const code = [...chapter.matchAll(/```ts\n([^`]*(?:`[^`]+`[^`]*)*?)```\n/g)]
      .map(([, text]) => text)
      .join('\n');
    const named = [...code.matchAll(/\b(\w+(?:Ms|Bytes|Ratio|Beta|Ttl)): /g)].map(([, name]) => name ?? '');
    const known = [...LOADING_POLICIES, 'ttlMs', 'negativeTtlMs', 'minMs', 'maxMs'];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});
