/**
 * `Cache-Control` as a grammar has it (RFC 9111, section 5.2): names in any case, values as tokens or quoted strings,
 * commas within quotes that separate nothing. Doubtful input is read so that less is kept, and for a shorter time.
 */

/** The directives of a header by name in lower case; all values of one that is repeated, `undefined` where it has none. */
export type Directives = ReadonlyMap<string, readonly (string | undefined)[]>;

/** The fields of a request or an answer; several lines of one field are a list. */
type FieldValue = string | readonly string[] | null | undefined;

/** RFC 9111, section 1.2.2: a greater number means this one. */
const MOST_SECONDS = 2 ** 31 - 1;

export function cacheDirectives(field: FieldValue): Directives {
  const directives = new Map<string, (string | undefined)[]>();
  for (const part of listed([field ?? ''].flat().join(','))) {
    const at = part.indexOf('=');
    const name = (at === -1 ? part : part.slice(0, at)).trim().toLowerCase();
    if (name === '') continue;
    const value = at === -1 ? undefined : unquoted(part.slice(at + 1));
    directives.set(name, [...(directives.get(name) ?? []), value]);
  }
  return directives;
}

/** Whether a directive stands there for the whole answer, not only for the fields that it names (`no-cache="set-cookie"`). */
export function isUnqualified(directives: Directives, name: string): boolean {
  return (directives.get(name) ?? []).some((value) => value === undefined || value === '');
}

/**
 * The seconds of a directive, the least where it is repeated; `undefined` where it is absent, `NaN` where its value is
 * no number of seconds.
 */
export function secondsOf(directives: Directives, name: string): number | undefined {
  const values = directives.get(name);
  if (values === undefined) return undefined;
  return Math.min(...values.map((value) => (value === undefined ? Number.NaN : deltaSeconds(value))));
}

/** Seconds as HTTP writes them: digits alone. `NaN` for anything else. */
export function deltaSeconds(text: string): number {
  return /^\d+$/.test(text) ? Math.min(Number(text), MOST_SECONDS) : Number.NaN;
}

/** The names that a field lists, such as `Vary` and `Connection`, in lower case. */
export function listedNames(field: FieldValue): string[] {
  return [field ?? '']
    .flat()
    .join(',')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/** Splits at the commas that stand outside quotes. A quote that never ends is taken for a character. */
function listed(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^,])+/g) ?? [];
}

/** White space before a value is not allowed, so that such a value is no number. */
function unquoted(value: string): string {
  const text = value.trimEnd();
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(text);
  return quoted === null ? text : (quoted[1] ?? '').replace(/\\(.)/g, '$1');
}
