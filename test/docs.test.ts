/** What is written for people stays true of the code: every link leads somewhere, every configuration name is told. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const PAGES = ['README.md', 'CHANGELOG.md', ...globSync('{docs,examples}/*.md', { cwd: ROOT })];

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly default?: unknown;
}

/** The names of all that can be set: `cache.enabled`, `warmers.user.max_waiting`, … */
function settings(node: SchemaNode, path = ''): string[] {
  if (node.properties === undefined) return [path];
  return Object.entries(node.properties)
    .filter(([name]) => name !== '$schema')
    .flatMap(([name, child]) => settings(child, path === '' ? name : `${path}.${name}`));
}

/** The names that the tables of docs/configuration.md tell of; a row may tell several. */
function told(): string[] {
  return textOf('docs/configuration.md')
    .split('\n')
    .filter((line) => /^\| `[a-z_]+\./.test(line))
    .flatMap((line) => [...line.matchAll(/`([a-z_]+(?:\.[a-z_]+)+)`/g)].map(([, name = '']) => name))
    .filter((name) => !name.endsWith('.md'));
}

it.each(PAGES)('leads nowhere else than to what exists: the links of %s', (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)\s#]+)/g)].map(([, link = '']) => link);
  const dead = links.filter((link) => !link.includes('://') && !existsSync(join(ROOT, dirname(page), link)));
  expect(dead).toEqual([]);
});

it.each(PAGES)('names no file of ours that is gone: %s', (page) => {
  const files = [...textOf(page).matchAll(/`((?:test|src|bench|examples|playground|docs)\/[\w./-]+)`/g)];
  expect(files.map(([, file = '']) => file).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

it('leads from the contents of docs to each of its pages', () => {
  const contents = textOf('docs/README.md');
  const pages = globSync('*.md', { cwd: join(ROOT, 'docs') }).filter((page) => page !== 'README.md');
  expect(pages.filter((page) => !contents.includes(`](${page})`))).toEqual([]);
});

it('tells of every name in config.json, and of no other', () => {
  const schema: SchemaNode = JSON.parse(textOf('schema.json'));
  expect([...new Set(told())].sort()).toEqual(settings(schema).sort());
});
