/** Reads PromQL as far as a dashboard of ours uses it, and says which series and labels it speaks of. */

export interface Selector {
  readonly metric: string;
  /** The labels of its matchers. */
  readonly labels: readonly string[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** Each aggregation with the labels it groups by and what lies in it. */
  readonly groups: readonly { readonly by: readonly string[]; readonly of: readonly Selector[] }[];
  /** The labels that the result still has; `undefined`: those of its series. */
  readonly resultLabels: readonly string[] | undefined;
}

const TOKEN =
  /\s*(?:(?<name>[a-zA-Z_:][\w:]*)|(?<text>"(?:[^"\\]|\\.)*")|(?<number>\d+(?:\.\d+)?)|(?<range>\[(?:\$__rate_interval|\d+[smhd])\])|(?<mark>=~|!~|!=|[-+*/(){},=]))/y;
const AGGREGATIONS = new Set(['sum', 'max', 'min', 'avg', 'count']);
const FUNCTIONS: Readonly<Record<string, readonly Kind[]>> = {
  rate: ['range'],
  increase: ['range'],
  histogram_quantile: ['scalar', 'instant'],
};
type Kind = 'scalar' | 'instant' | 'range';

/** @throws Error with where it does not fit */
export function parsePromql(text: string): Query {
  const tokens = tokensOf(text);
  const selectors: Selector[] = [];
  const groups: { by: readonly string[]; of: readonly Selector[] }[] = [];
  let at = 0;
  const fail = (wanted: string): never => {
    throw new Error(`${wanted} is wanted before "${tokens.slice(at).join(' ')}" in: ${text}`);
  };
  const take = (token: string) => (tokens[at] === token ? Boolean(++at) : false);
  const expect = (token: string) => take(token) || fail(`"${token}"`);
  const isName = () => /^[a-zA-Z_:]/.test(tokens[at] ?? '');
  const name = (): string => (isName() ? (tokens[at++] ?? '') : fail('a name'));
  type Part = { readonly kind: Kind; readonly labels: readonly string[] | undefined };

  const list = (read: () => void) => {
    expect('(');
    do read();
    while (take(','));
    expect(')');
  };
  const grouping = (): readonly string[] | undefined => {
    if (!take('by')) return undefined;
    const labels: string[] = [];
    list(() => labels.push(name()));
    return labels;
  };
  const aggregation = (): Part => {
    const before = grouping();
    const from = selectors.length;
    expect('(');
    if (expression().kind !== 'instant') fail('an instant vector');
    expect(')');
    const by = before ?? grouping() ?? [];
    groups.push({ by, of: selectors.slice(from) });
    return { kind: 'instant', labels: by };
  };
  const call = (kinds: readonly Kind[]): Part => {
    const parts: Part[] = [];
    list(() => parts.push(expression()));
    if (parts.map(({ kind }) => kind).join() !== kinds.join()) fail(`(${kinds.join(', ')})`);
    const labels = parts.at(-1)?.labels;
    return { kind: 'instant', labels: labels?.filter((label) => kinds.length === 1 || label !== 'le') };
  };
  const selector = (metric: string): Part => {
    const labels: string[] = [];
    if (take('{')) {
      do {
        labels.push(name());
        if (!['=', '!=', '=~', '!~'].some(take)) fail('a matcher');
        if (!tokens[at]?.startsWith('"')) fail('a text');
        at++;
      } while (take(','));
      expect('}');
    }
    selectors.push({ metric, labels });
    const isRange = tokens[at]?.startsWith('[') ?? false;
    if (isRange) at++;
    return { kind: isRange ? 'range' : 'instant', labels: undefined };
  };
  const primary = (): Part => {
    if (/^\d/.test(tokens[at] ?? '')) {
      at++;
      return { kind: 'scalar', labels: [] };
    }
    if (take('(')) {
      const inner = expression();
      expect(')');
      return inner;
    }
    const word = name();
    if (AGGREGATIONS.has(word)) return aggregation();
    const kinds = FUNCTIONS[word];
    if (kinds !== undefined) return call(kinds);
    if (tokens[at] === '(') fail(`a function we know, not ${word},`);
    return selector(word);
  };
  const expression = (): Part => {
    let left = primary();
    while (['+', '-', '*', '/'].some(take)) {
      const right = primary();
      if (left.kind === 'range' || right.kind === 'range') fail('no range');
      // Vectors match by equal labels.
      const isPair = left.kind === 'instant' && right.kind === 'instant';
      if (isPair && left.labels?.join() !== right.labels?.join()) fail('the same grouping on both sides');
      if (left.kind === 'scalar') left = right;
    }
    return left;
  };

  const result = expression();
  if (at < tokens.length) fail('the end');
  if (result.kind === 'range') fail('no range');
  return { selectors, groups, resultLabels: result.labels };
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.trimEnd().length) {
    const from = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new Error(`Does not fit: ${text.slice(from)}`);
    tokens.push(match[0].trim());
  }
  return tokens;
}
