/** Reads and runs the JavaScript of our pages, so that no page shows what does not work. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScript, type Surroundings } from '../support/run-script.ts';

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

/** Runs a block. Gives what it exports, or the constants that are wanted. */
export function runBlock({ code, place }: CodeBlock, surroundings: Surroundings = {}): unknown {
  return runScript(code, place, surroundings);
}
