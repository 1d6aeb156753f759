/** Fields and errors as one line of text for people: no line breaks, no control characters, the causes of an error in a row. */
import { inspect } from 'node:util';

type Fields = Readonly<Record<string, unknown>>;

/** Causes deeper than this are left out. */
const MAX_CAUSES = 5;

/** `name value, name value`; fields without a value are left out. */
export function fieldsText(fields: Fields | undefined): string {
  return Object.entries(fields ?? {})
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name} ${valueText(value)}`)
    .join(', ');
}

/** One value on one line. Of an error its name and message. */
export function valueText(value: unknown): string {
  if (value instanceof Error) return oneLine(`${value.name}: ${value.message}`);
  if (typeof value !== 'object') return oneLine(String(value));
  try {
    return oneLine(JSON.stringify(value));
  } catch {
    // A circle or a bigint: shown as the console would.
    return oneLine(inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 2 }));
  }
}

/** An error with what caused it: `Error: outer, caused by TypeError: inner`. */
export function errorChainText(error: Error): string {
  const texts: string[] = [];
  for (let each: unknown = error; each !== undefined && texts.length < MAX_CAUSES; ) {
    const parts = each instanceof AggregateError ? each.errors.slice(0, MAX_CAUSES).map(valueText) : [];
    texts.push(parts.length === 0 ? valueText(each) : `${valueText(each)} [${parts.join('; ')}]`);
    each = each instanceof Error ? each.cause : undefined;
  }
  return texts.join(', caused by ');
}

/** What comes from elsewhere can neither begin a line of its own nor move the cursor. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
