/** What a `CREATE UNIQUE INDEX` says of expressions and conditions, which SQLite tells by its text alone. */

export interface IndexText {
  /** Columns or expressions, each as SQL. */
  readonly terms: readonly string[];
  /** The condition of a partial index. */
  readonly where: string | undefined;
}

/** Strings, quoted names, comments, words; else a character at a time. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*.*?(?:\*\/|$)|\w+|./gs;

export function readIndexText(sql: string): IndexText {
  const terms: string[] = [];
  let depth = 0;
  let term = '';
  let rest: string | undefined;
  for (const [found] of sql.matchAll(TOKEN)) {
    // A comment to the end of the line would swallow what comes after it in another statement.
    const token = found.startsWith('--') || found.startsWith('/*') ? ' ' : found;
    if (rest !== undefined) {
      rest += token;
      continue;
    }
    if (token === ')') depth--;
    if (depth === 0 && token === ')') {
      terms.push(term);
      rest = '';
    } else if (depth === 1 && token === ',') {
      terms.push(term);
      term = '';
    } else if (depth > 0) term += token;
    if (token === '(') depth++;
  }
  const where = /^\s*where\b(.*)$/is.exec(rest ?? '')?.[1];
  return {
    terms: terms.map((each) => each.replace(/\s+(?:asc|desc)\s*$/i, '').trim()),
    where: where?.trim(),
  };
}
