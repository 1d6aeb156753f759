/** The query of an address, read strictly: what is not known is refused with what to do, so that no typo is ignored. */
import { nearestName } from '../nearest-name.ts';

const SHOWN_LENGTH = 40;

/** What a query says, by the names of its parameters. */
export type Query<Name extends string> = { readonly [name in Name]?: string };

/** The parameters, each given once, or the answer that says what is wrong with them. */
export function readQuery<Name extends string>(
  request: Request,
  known: readonly Name[],
): Query<Name> | Response {
  const found: { [name in Name]?: string } = {};
  for (const [name, value] of new URL(request.url).searchParams) {
    const match = known.find((each) => each === name);
    if (match === undefined) return problem(400, unknownParameter(name, known));
    if (found[match] !== undefined) return problem(400, `"${match}" is given twice: give it once.`);
    found[match] = value;
  }
  return found;
}

/** An answer that says in one sentence what is wrong and what to do. */
export function problem(
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json({ error }, { status, headers: { 'cache-control': 'no-store', ...headers } });
}

/** Text from outside, as far as it is worth repeating. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text);
}

function unknownParameter(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const advice =
    known.length === 0
      ? 'leave it out, this address takes none'
      : nearest === undefined
        ? `this address takes ${known.map((each) => `"${each}"`).join(' and ')}`
        : `did you mean "${nearest}"?`;
  return `There is no parameter ${quoted(name)}: ${advice}${advice.endsWith('?') ? '' : '.'}`;
}
