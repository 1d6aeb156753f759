/** Reads Prometheus's text format, strictly: what does not fit its grammar is an error. */

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly series: readonly Series[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const LINE = new RegExp(`^(?<name>${NAME})(?:\\{(?<labels>${LABEL}(?:,${LABEL})*)\\})? (?<value>\\S+)$`);
const VALUE = /^(?:[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|Nan)$/i;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

/** @throws Error with the line that does not fit */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The text does not end with a line break.');
  const families = new Map<string, { type: string; help: string; series: Series[] }>();
  const seen = new Set<string>();
  let name = '';
  let help = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line);
    if (comment?.[1] === 'HELP') {
      help = comment[3] ?? '';
      continue;
    }
    if (comment?.[1] === 'TYPE') {
      name = comment[2] ?? '';
      if (families.has(name)) throw new Error(`Twice: ${line}`);
      families.set(name, { type: comment[3] ?? '', help, series: [] });
      continue;
    }
    const groups = LINE.exec(line)?.groups;
    const family = families.get(name);
    if (groups === undefined || family === undefined || !VALUE.test(groups.value ?? '')) {
      throw new Error(`Does not fit: ${line}`);
    }
    const names = (SUFFIXES[family.type] ?? ['']).map((suffix) => name + suffix);
    if (!names.includes(groups.name ?? '')) throw new Error(`Not of ${name}: ${line}`);
    const id = line.slice(0, line.lastIndexOf(' '));
    if (seen.has(id)) throw new Error(`Twice: ${line}`);
    seen.add(id);
    family.series.push({
      name: groups.name ?? '',
      labels: labelsOf(groups.labels ?? ''),
      value: Number(groups.value?.replace('Inf', 'Infinity')),
    });
  }
  return families;
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(new RegExp(LABEL, 'g'))].map(([label]) => {
      const end = label.indexOf('=');
      const value = label.slice(end + 2, -1).replace(/\\(.)/g, (_, one) => (one === 'n' ? '\n' : one));
      return [label.slice(0, end), value];
    }),
  );
}
