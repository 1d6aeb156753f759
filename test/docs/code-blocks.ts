/**
 * Runs the JavaScript of our pages, so that no page shows what does not work. A block runs as a CommonJS module of a bot
 * would, with `cachecord` being the source of this repository.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import * as cachecord from '../../src/index.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface CodeBlock {
  /** The nearest heading before it. */
  readonly heading: string;
  readonly language: string;
  readonly code: string;
  /** `docs/migration.md:9`, for stack traces. */
  readonly place: string;
}

/** The fenced blocks of a page, in their order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n');
  const blocks: CodeBlock[] = [];
  let heading = '';
  let open: { language: string; line: number; code: string[] } | undefined;
  lines.forEach((line, i) => {
    const fence = /^```(\w*)$/.exec(line);
    if (open !== undefined && fence !== null) {
      blocks.push({
        heading,
        language: open.language,
        code: open.code.join('\n'),
        place: `${page}:${open.line}`,
      });
      open = undefined;
    } else if (open !== undefined) open.code.push(line);
    else if (fence !== null) open = { language: fence[1] ?? '', line: i + 2, code: [] };
    else if (/^#{1,4} /.test(line)) heading = line.replace(/^#+ /, '');
  });
  return blocks;
}

/** The blocks of JavaScript under a heading. */
export function scriptsUnder(page: string, heading: string): readonly CodeBlock[] {
  const found = codeBlocks(page).filter((block) => block.heading === heading && block.language === 'js');
  if (found.length === 0) throw new Error(`${page} has no JavaScript under "${heading}".`);
  return found;
}

export interface Surroundings {
  /** What the block calls without declaring it. */
  readonly names?: Readonly<Record<string, unknown>>;
  /** The bot's other files, and packages that stand in for others: by what `require` is given. */
  readonly modules?: Readonly<Record<string, unknown>>;
  /** Constants of the block that the test wants to see. */
  readonly wanted?: readonly string[];
}

/** Runs a block. Gives what it exports, or the constants that are wanted. */
export function runBlock(block: CodeBlock, { names = {}, modules = {}, wanted }: Surroundings = {}): unknown {
  const nodeRequire = createRequire(join(ROOT, 'package.json'));
  const requireOf = (name: string) => {
    if (name === 'cachecord') return cachecord;
    return Object.hasOwn(modules, name) ? modules[name] : nodeRequire(name);
  };
  const end = wanted === undefined ? '' : `\nreturn { ${wanted.join(', ')} };`;
  const parameters = { ...names, require: requireOf, module: { exports: {} } };
  const [file = '', line = '1'] = block.place.split(':');
  // The same realm as the test, so that its errors and classes are the ones that the test knows.
  const run = compileFunction(block.code + end, Object.keys(parameters), {
    filename: join(ROOT, file),
    lineOffset: Number(line) - 1,
  });
  const result: unknown = run(...Object.values(parameters));
  return wanted === undefined ? parameters.module.exports : result;
}
