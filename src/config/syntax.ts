/**
 * JSON's grammar, read only to say where a text leaves it and what a person should do about it. `JSON.parse` names a
 * place for some faults only, and takes a name given twice in silence. Values are left to `JSON.parse`.
 */

export interface SyntaxFault {
  /** Where, in characters from the beginning. */
  readonly offset: number;
  /** What is wrong there, and what to do. */
  readonly message: string;
}

/** Deeper than any configuration, and far from where recursion would end. */
const DEEPEST = 64;

const WHITESPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b/y;

/** The first fault of a text that should be JSON; `undefined` when there is none. */
export function findSyntaxFault(text: string): SyntaxFault | undefined {
  let offset = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = offset;
    const found = pattern.exec(text)?.[0] ?? '';
    offset += found.length;
    return found;
  };
  const fault = (message: string, where = offset): SyntaxFault => ({ offset: where, message });
  const expected = (what: string): SyntaxFault => {
    if (offset >= text.length) return fault(`the file ends here, but ${what} is missing`);
    if (text.startsWith('//', offset) || text.startsWith('/*', offset) || text[offset] === '#') {
      return fault('comments are not JSON: remove this one');
    }
    if (text[offset] === "'") return fault('JSON wants double quotes (") here');
    if (text[offset] === '"') {
      return what === 'a value' || what === 'a name in double quotes'
        ? fault('this text has no end, a line break, or a backslash that means nothing in JSON')
        : fault(`${what} is missing before this`);
    }
    const [word] = /^[-+]?[\w.$]+/.exec(text.slice(offset, offset + 40)) ?? [];
    return fault(word ? `"${word}" stands where ${what} is expected` : `${what} is expected here`);
  };

  const value = (depth: number): SyntaxFault | undefined => {
    if (depth > DEEPEST) return fault('nested too deeply');
    take(WHITESPACE);
    if (text[offset] === '{') return list(depth, '}', member);
    if (text[offset] === '[') return list(depth, ']', (inner) => value(inner));
    if (take(STRING) || take(LITERAL)) return undefined;
    return expected('a value');
  };
  const member = (depth: number, names: Set<string>): SyntaxFault | undefined => {
    const nameAt = offset;
    const quoted = take(STRING);
    if (!quoted) return expected('a name in double quotes');
    const name = String(JSON.parse(quoted));
    if (names.has(name)) return fault(`"${name}" is given twice: keep one`, nameAt);
    names.add(name);
    take(WHITESPACE);
    if (text[offset] !== ':') return expected('a colon (:)');
    offset++;
    return value(depth);
  };
  const list = (
    depth: number,
    end: '}' | ']',
    item: (depth: number, names: Set<string>) => SyntaxFault | undefined,
  ): SyntaxFault | undefined => {
    const names = new Set<string>();
    offset++;
    take(WHITESPACE);
    if (text[offset] === end) {
      offset++;
      return undefined;
    }
    while (true) {
      const found = item(depth + 1, names);
      if (found) return found;
      take(WHITESPACE);
      if (text[offset] === end) {
        offset++;
        return undefined;
      }
      if (text[offset] !== ',') return expected(`a comma (,) or ${end}`);
      const commaAt = offset++;
      take(WHITESPACE);
      if (text[offset] === end) return fault(`remove this comma: ${end} follows`, commaAt);
    }
  };

  const found = value(0);
  if (found) return found;
  take(WHITESPACE);
  return offset < text.length ? fault('the file should end here') : undefined;
}

/** Line and column of an offset, counted from 1, and that line's text. */
export function placeOf(text: string, offset: number): { line: number; column: number; text: string } {
  const before = text.slice(0, offset).split(/\r\n|\n|\r/);
  const line = before.length;
  return {
    line,
    column: (before.at(-1)?.length ?? 0) + 1,
    text: text.split(/\r\n|\n|\r/)[line - 1] ?? '',
  };
}
