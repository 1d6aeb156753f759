/**
 * Texts with placeholders, such as `user::{0}::profile`, compiled once into functions from arguments to text.
 *
 * A placeholder is a position (`{0}`), or a name where the parameters' names are given, and may go on into fields
 * (`{0.id}`). What it stands for is escaped, or hashed where it has a structure, so that two calls with different
 * arguments never give the same text. A placeholder that names no parameter fails here, before anything is called:
 * JavaScript forgets the names of parameters, and reading them from a function's source breaks under minifiers.
 */
import { CacheError } from '../errors.ts';
import { colonsMeant } from './colons.ts';
import { assertKey, escapeSegment, hashParameters, type KeyPart } from './keys.ts';
import { compilePattern } from './pattern.ts';

/** What a template may refer to: how many parameters there are, or what they are called. */
export type Parameters = number | readonly string[];

/** The function a template is for. */
export interface TemplateScope {
  /** For messages. */
  readonly functionName: string;
  /** Parameters before the first with a default, and before the rest; what `Function.length` says. */
  readonly length: number;
  /** What the author said of the parameters. */
  readonly parameters?: Parameters | undefined;
}

/** Text made from the arguments of a call. */
export type Render = (args: readonly unknown[]) => string;

/**
 * Compiles what stands for a key.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for a malformed template or a placeholder that names no parameter,
 * `ERR_KEY_INVALID` for text that can be no key
 */
export function compileKeyTemplate(template: string, scope: TemplateScope): Render {
  const render = compileTemplate(template, scope);
  assertColons(template, scope);
  assertKey(template.replaceAll(/\{[^{}]*\}/g, 'x'));
  return render;
}

/**
 * Compiles what stands for a key or a pattern.
 * @throws CacheError as {@link compileKeyTemplate}, and `ERR_PATTERN_INVALID`
 */
export function compileTargetTemplate(template: string, scope: TemplateScope): Render {
  if (!template.includes('*')) return compileKeyTemplate(template, scope);
  const render = compileTemplate(template, scope);
  assertColons(template, scope);
  compilePattern(template.replaceAll(/\{[^{}]*\}/g, 'x'));
  return render;
}

/**
 * Compiles any text with placeholders, such as a tag.
 * @throws CacheError `ERR_ARGUMENT_INVALID`
 */
export function compileTemplate(template: string, scope: TemplateScope): Render {
  if (typeof template !== 'string') throw invalid(template, scope, 'a template is text');
  // Literal texts at even places, placeholders at odd ones.
  const pieces = template.split(/\{([^{}]*)\}/);
  const literals = pieces.filter((_, i) => i % 2 === 0);
  if (literals.some((literal) => /[{}]/.test(literal))) {
    throw invalid(template, scope, 'a brace is not closed, or not opened');
  }
  // Without a separator between them, ("a", "bc") and ("ab", "c") would be the same text. Values have their ":" escaped.
  if (literals.slice(1, -1).some((literal) => !literal.includes(':'))) {
    throw invalid(template, scope, 'put "::" between two placeholders');
  }
  const parts = pieces.filter((_, i) => i % 2 === 1).map((text) => compilePlaceholder(text, template, scope));
  const [first = '', second = ''] = literals;
  const [only] = parts;
  if (only === undefined) return () => first;
  if (parts.length === 1) return (args) => first + segmentOf(only(args)) + second;
  return (args) => {
    let text = first;
    for (let i = 0; i < parts.length; i++) text += segmentOf(parts[i]?.(args)) + literals[i + 1];
    return text;
  };
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for the template of a key that would make a namespace of each value */
export function assertColons(template: string, scope: TemplateScope): void {
  const meant = colonsMeant(template);
  if (meant === undefined) return;
  throw invalid(template, scope, `the segments of a key are joined by two colons, so write '${meant}'`);
}

/** One argument as a segment: readable where it is text or a number, hashed where it has a structure. */
export function segmentOf(value: unknown): string {
  return isKeyPart(value) ? escapeSegment(value) : `%h${hashParameters(value)}`;
}

function isKeyPart(value: unknown): value is KeyPart {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return true;
    default:
      return value === null;
  }
}

/** `0.id` → the field `id` of the first argument. */
function compilePlaceholder(
  text: string,
  template: string,
  scope: TemplateScope,
): (args: readonly unknown[]) => unknown {
  const [head = '', ...path] = text.split('.');
  if (head === '' || path.includes('')) {
    throw invalid(template, scope, `"{${text}}" is no placeholder: write {0}, {1} or {0.id}`);
  }
  const position = positionOf(head, template, scope);
  if (path.length === 0) return (args) => args[position];
  return (args) => {
    let value = args[position];
    for (const name of path) {
      if (value === null || value === undefined) return undefined;
      value = (value as Readonly<Record<string, unknown>>)[name];
    }
    return value;
  };
}

function positionOf(head: string, template: string, scope: TemplateScope): number {
  const { parameters, length, functionName } = scope;
  if (!/^\d+$/.test(head)) {
    if (typeof parameters !== 'object') {
      throw invalid(
        template,
        scope,
        `"{${head}}" is a name, and JavaScript does not keep the names of parameters: use positions ({0} is the first), or say what they are called with parameters: ['${head}', …]`,
      );
    }
    const position = parameters.indexOf(head);
    if (position !== -1) return position;
    throw invalid(template, scope, `"{${head}}" is none of its parameters (${parameters.join(', ')})`);
  }
  const position = Number(head);
  const known = typeof parameters === 'object' ? parameters.length : (parameters ?? length);
  if (position < known) return position;
  const hint =
    parameters === undefined
      ? `; if it has more (JavaScript does not count rest parameters, nor those from the first default on), say how many with parameters: ${position + 1}`
      : '';
  throw invalid(
    template,
    scope,
    `"{${head}}" names parameter ${position + 1}, but ${functionName} has ${known === 0 ? 'none' : known}${hint}`,
  );
}

function invalid(template: unknown, scope: TemplateScope, problem: string): CacheError {
  return new CacheError(
    'ERR_ARGUMENT_INVALID',
    `The template ${JSON.stringify(template)} for ${scope.functionName} is not valid: ${problem}.`,
  );
}
