/** What a reader sees of a message: its texts and labels, whichever style it is in; and Discord's own schema for it. */
import { expect } from 'vitest';
import type { MessageBody } from '../../src/commands/views/render.ts';

interface Schema {
  safeParse(value: unknown): { readonly error?: { readonly issues: readonly unknown[] } };
}

// The name is computed because the package's types point to its JavaScript.
const spec: Record<string, Schema | undefined> = await import(['discord-api-spec', 'zod'].join('/'));

/** What Discord's published schema of this name finds wrong. */
export function schemaIssues(name: string, body: unknown): readonly unknown[] {
  const schema = spec[`${name}Schema`];
  if (schema === undefined) throw new Error(`discord-api-spec has no schema named ${name}`);
  return schema.safeParse(body).error?.issues ?? [];
}

/** Every text of a message, one line each, in order. */
export function textOf(body: unknown): string {
  const texts: string[] = [];
  collect(body, texts);
  return texts.join('\n');
}

const TEXT_FIELDS = new Set([
  'content',
  'title',
  'description',
  'name',
  'value',
  'label',
  'placeholder',
  'text',
]);

function collect(node: unknown, texts: string[]): void {
  if (Array.isArray(node)) for (const item of node) collect(item, texts);
  else if (typeof node === 'object' && node !== null) {
    for (const [name, value] of Object.entries(node)) {
      if (typeof value === 'string' && TEXT_FIELDS.has(name)) texts.push(value);
      else collect(value, texts);
    }
  }
}

/** Markdown that Discord renders: the texts without buttons, selects and files. */
export function markdownOf(body: {
  readonly components: readonly unknown[];
  readonly embeds?: MessageBody['embeds'];
}): string {
  const texts: string[] = [];
  const visit = (component: unknown): void => {
    if (typeof component !== 'object' || component === null) return;
    if ('content' in component && typeof component.content === 'string') texts.push(component.content);
    if ('components' in component && Array.isArray(component.components)) component.components.forEach(visit);
  };
  body.components.forEach(visit);
  for (const embed of body.embeds ?? []) {
    texts.push(embed.title ?? '', embed.description ?? '');
    for (const field of embed.fields ?? []) texts.push(field.name, field.value);
  }
  return texts.join('\n');
}

/** Fails unless Discord's published schema takes the message, and its limits that the schema does not know hold. */
export function expectDiscordTakes(body: MessageBody): void {
  const { files, ...sent } = body;
  expect(schemaIssues('IncomingWebhookInteractionRequest', { ...sent, flags: sent.flags | 64 })).toEqual([]);
  if (body.embeds === undefined) {
    expect(countComponents(body.components)).toBeLessThanOrEqual(40);
    expect(markdownOf(body).replaceAll('\n', '').length).toBeLessThanOrEqual(4_000);
  }
  for (const embed of body.embeds ?? []) {
    expect(embed.fields?.length ?? 0).toBeLessThanOrEqual(25);
    for (const field of embed.fields ?? []) {
      expect(field.name.length).toBeGreaterThan(0);
      expect(field.name.length).toBeLessThanOrEqual(256);
      expect(field.value.length).toBeGreaterThan(0);
      expect(field.value.length).toBeLessThanOrEqual(1_024);
    }
    expect(embed.title?.length ?? 0).toBeLessThanOrEqual(256);
    expect(markdownOf(body).replaceAll('\n', '').length).toBeLessThanOrEqual(6_000);
  }
  expect(files.length).toBeLessThanOrEqual(1);
  expect(body.allowed_mentions).toEqual({ parse: [] });
}

function countComponents(components: readonly unknown[]): number {
  return components.reduce<number>((sum, component) => {
    const inner =
      typeof component === 'object' && component !== null && 'components' in component
        ? component.components
        : [];
    return sum + 1 + (Array.isArray(inner) ? countComponents(inner) : 0);
  }, 0);
}

/** What Discord renders once inline code is taken out: where nothing of a key may be left. */
export function outsideCode(markdown: string): string {
  return markdown.replace(/`[^`\n]*`/g, '');
}
