import { describe, expect, it } from 'vitest';
import { scopeNotices } from '../../src/warmers/scopes.ts';

describe('the scope of a warm task', () => {
  const tiers = ['config', 'reference', 'user', 'query', 'character'].map((tier) => ({ tier }));

  it('is a tier, built in or not, or a person', () => {
    expect(scopeNotices(['config', 'character', 'user'], tiers)).toEqual([]);
  });

  it('is worth a word where it is nothing that anybody asks for', () => {
    expect(scopeNotices(['charcter', 'zzzzzz'], tiers)).toEqual([
      'A warm task has the scope "charcter", which is no tier, so only "everything" warms it: did you mean "character"?',
      'A warm task has the scope "zzzzzz", which is no tier, so only "everything" warms it: give it the name of a tier',
    ]);
  });
});
