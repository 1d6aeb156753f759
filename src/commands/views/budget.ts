/**
 * Makes a view fit into what Discord takes: 40 components and 4,000 characters with Components V2; 25 fields, 1,024
 * characters a field and 6,000 in all with embeds. What does not fit leaves from the longest block, and the block says
 * how many lines are missing. Lengths are UTF-16 units, which are never fewer than Discord counts.
 */
import type { Block, View } from './view.ts';

export interface Limits {
  /** Characters of all texts together. */
  readonly characters: number;
  readonly blocks: number;
  readonly blockCharacters: number;
  readonly titleCharacters: number;
}

/** Blocks leave room for the container, title, notes, separators and at most five rows of controls. */
export const COMPONENT_LIMITS: Limits = {
  characters: 4_000,
  blocks: 12,
  blockCharacters: 3_000,
  titleCharacters: 200,
};

export const EMBED_LIMITS: Limits = {
  characters: 6_000,
  // One field is kept for the notes.
  blocks: 24,
  blockCharacters: 1_024,
  titleCharacters: 256,
};

/** Longer lines are cut: a list stays a list. */
const LINE_CHARACTERS = 400;
/** Markdown around titles, headings and notes, counted generously. */
const MARKUP_CHARACTERS = 16;
const NOTES_CHARACTERS = 900;
const HEADING_CHARACTERS = 120;

/** The text of a block as it will be shown, without its heading. */
export function blockBody(block: Block): string {
  const lines =
    block.more === undefined || block.more <= 0 ? block.lines : [...block.lines, moreText(block.more)];
  return lines.join('\n');
}

function moreText(count: number): string {
  return `-# … and ${count} more`;
}

function blockLength(block: Block): number {
  return (block.heading?.length ?? 0) + blockBody(block).length + MARKUP_CHARACTERS;
}

/** The same view, trimmed to the limits. */
export function fitView(view: View, limits: Limits): View {
  const title = cut(view.title, limits.titleCharacters);
  const subtitle = view.subtitle === undefined ? undefined : cut(view.subtitle, LINE_CHARACTERS);
  const notes = fitNotes(view.notes ?? []);
  let blocks = view.blocks.slice(0, limits.blocks).map((block) => fitBlock(block, limits.blockCharacters));
  const fixed = title.length + (subtitle?.length ?? 0) + notes.join('\n').length + 4 * MARKUP_CHARACTERS;
  let left = limits.characters - fixed - blocks.reduce((sum, block) => sum + blockLength(block), 0);
  while (left < 0 && blocks.length > 0) {
    const longest = blocks.reduce((a, b) => (blockLength(b) > blockLength(a) ? b : a));
    const shorter = longest.lines.length > 1 ? withoutLastLine(longest) : undefined;
    left += blockLength(longest) - (shorter === undefined ? 0 : blockLength(shorter));
    blocks = blocks.flatMap((block) =>
      block !== longest ? [block] : shorter === undefined ? [] : [shorter],
    );
  }
  return {
    ...view,
    title,
    ...(subtitle === undefined ? {} : { subtitle }),
    blocks,
    notes,
  };
}

function fitBlock(block: Block, limit: number): Block {
  let fitted: Block = {
    ...block,
    ...(block.heading === undefined ? {} : { heading: cut(block.heading, HEADING_CHARACTERS) }),
    lines: block.lines.map((line) => cut(line, LINE_CHARACTERS)),
  };
  while (fitted.lines.length > 1 && blockBody(fitted).length > limit) fitted = withoutLastLine(fitted);
  return fitted;
}

function withoutLastLine(block: Block): Block {
  return { ...block, lines: block.lines.slice(0, -1), more: (block.more ?? 0) + 1 };
}

function fitNotes(notes: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let left = NOTES_CHARACTERS;
  for (const note of notes) {
    const line = cut(note, LINE_CHARACTERS);
    left -= line.length + 4;
    if (left < 0) break;
    kept.push(line);
  }
  return kept;
}

/** Cuts text at a whole character; inline code that was cut open is closed again. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  let end = length - 2;
  // Not between the halves of a surrogate pair.
  if (/[\ud800-\udbff]/.test(text.charAt(end - 1))) end--;
  const head = text.slice(0, end);
  const isCodeOpen = head.split('`').length % 2 === 0;
  return `${head}…${isCodeOpen ? '`' : ''}`;
}
