/** The dictionary of the page: complete in every language, and nothing in it that nobody says. */
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
// @ts-expect-error it is plain JavaScript, as the browser runs it
import { WORDS } from '../../playground/page/words.js';

type Entry = string | { readonly one?: string; readonly other: string };
const words: Readonly<Record<string, Readonly<Record<string, Entry>>>> = WORDS;
const english = words.en ?? {};

/** What is filled in, in whichever order. */
function places(entry: Entry | undefined): string[] {
  const text = typeof entry === 'string' ? entry : (entry?.other ?? '');
  return (text.match(/\{\w+\}/g) ?? []).sort();
}

describe('the words of the page', () => {
  it.each(Object.keys(words))('are complete in %s, and fill in the same', (language) => {
    expect(Object.keys(words[language] ?? {}).sort()).toEqual(Object.keys(english).sort());
    for (const [key, entry] of Object.entries(english))
      expect(places(words[language]?.[key]), key).toEqual(places(entry));
  });

  it('are all said somewhere, and nothing else is', () => {
    const text = globSync('playground/page/*.{js,html}')
      .filter((file) => !file.endsWith('words.js'))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    const said = new Set([
      ...[...text.matchAll(/\bt\('(\w+)'/g)].map(([, key]) => key),
      ...[...text.matchAll(/data-t(?:-label)?="(\w+)"/g)].map(([, key]) => key),
      ...[...text.matchAll(/: '(is(?:Owner|Admin|Member))'/g)].map(([, key]) => key),
      ...['starting', 'online', 'offline', 'stopped', 'exited'],
      ...['healthy', 'slow', 'stuck', 'failing'].flatMap((each) => [each, `${each}Hint`]),
    ]);
    expect([...said].sort()).toEqual(Object.keys(english).sort());
  });
});
