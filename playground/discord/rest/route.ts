/** What a REST route is, and how one is found for a method and path. */
import type { JsonRecord } from '../json.ts';
import type { BodyProblem } from '../types.ts';

export interface UploadedFile {
  /** The `n` of `files[n]`. */
  readonly key: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** An object, or a list for bulk overwrites; `undefined` without a body. */
  readonly body: unknown;
  readonly files: readonly UploadedFile[];
}

export interface RestAnswer {
  readonly status: number;
  readonly body?: unknown;
}

export interface Route {
  readonly method: string;
  /** Segments after `/api/v10`; those that begin with `:` are parameters. */
  readonly pattern: string;
  /** Interaction callbacks and webhooks carry their token in the path, and ask for no other. @default true */
  readonly needsBotToken?: boolean;
  /** The name of the published schema that this body must match, if any. */
  schema?(body: JsonRecord | readonly unknown[]): string | null;
  /** Documented limits that the schema cannot say. May throw an `ApiError`. */
  check?(request: RestRequest): readonly BodyProblem[];
  answer(request: RestRequest): RestAnswer | Promise<RestAnswer>;
}

export interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** The first route that matches; literal segments come before parameters by their order in the list. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found | undefined {
  const segments = path.split('/').filter(Boolean);
  for (const route of routes) {
    if (route.method !== method) continue;
    const params = matchSegments(route.pattern.split('/').filter(Boolean), segments);
    if (params) return { route, params };
  }
  return undefined;
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = decodeURIComponent(segments[index] ?? '');
    if (part.startsWith(':')) params[part.slice(1)] = segment;
    else if (part !== segment) return null;
  }
  return params;
}

export const ok = (body: unknown): RestAnswer => ({ status: 200, body });
export const noContent: RestAnswer = { status: 204 };

/** A parameter that the route's own pattern names. */
export function param(request: RestRequest, name: string): string {
  const value = request.params[name];
  if (value === undefined) throw new Error(`the route has no parameter named ${name}`);
  return value;
}
