/**
 * Request bodies against Discord's published schemas, as the `discord-api-spec` package holds them (Zod, generated
 * from Discord's OpenAPI file). They are loaded on the first body that needs them.
 *
 * The schemas are a preview by their own word, and Discord's documentation outranks them: where it takes more than
 * they do, {@link asDocumented} says so. Limits that cross fields are in `limits.ts`.
 */
import { isRecord } from './json.ts';
import type { BodyProblem } from './types.ts';

interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly errors?: readonly (readonly Issue[])[];
}

interface Schema {
  safeParse(value: unknown): { success: boolean; error?: { issues: readonly Issue[] } };
}

type Schemas = Readonly<Record<string, Schema | undefined>>;

let loading: Promise<Schemas | null> | undefined;

/** `null` where the package is not installed: it is a development dependency. */
async function load(): Promise<Schemas | null> {
  // The name is computed because the package's types point to its JavaScript.
  const name = ['discord-api-spec', 'zod'].join('/');
  try {
    return (await import(name)) as Schemas;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    console.warn(
      "discord-api-spec is not installed: bodies are held against our own limits only, not Discord's schemas",
    );
    return null;
  }
}

/** What the named schema finds wrong with the body. */
export async function schemaProblems(name: string, body: unknown): Promise<BodyProblem[]> {
  loading ??= load();
  const schemas = await loading;
  if (!schemas) return [];
  const schema = schemas[`${name}Schema`];
  if (!schema) throw new Error(`discord-api-spec has no schema named ${name}`);
  const result = schema.safeParse(asDocumented(body));
  return result.success ? [] : (result.error?.issues ?? []).flatMap((issue) => problems(issue, []));
}

/** `default_member_permissions` is documented as a string of digits, and published as a number. */
function asDocumented(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(asDocumented);
  if (!isRecord(body)) return body;
  const bits = body.default_member_permissions;
  const isDigits = typeof bits === 'string' && /^\d+$/.test(bits);
  return isDigits ? { ...body, default_member_permissions: Number(bits) } : body;
}

/** Of a union's branches the one that got furthest into the body is what the writer meant. */
function problems(issue: Issue, before: readonly PropertyKey[]): BodyProblem[] {
  const path = [...before, ...issue.path];
  if (issue.errors && issue.errors.length > 0) {
    const meant = [...issue.errors].sort(
      (one, other) => wrongType(one) - wrongType(other) || depth(other) - depth(one),
    )[0];
    return (meant ?? []).flatMap((inner) => problems(inner, path));
  }
  return [{ path: path.map(String).join('.'), code: issue.code.toUpperCase(), message: issue.message }];
}

function wrongType(issues: readonly Issue[]): number {
  return issues.filter((issue) => issue.path.at(-1) === 'type' && issue.path.length === 1).length;
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}
