/**
 * The REST side's way from a request to an answer: who may ask, which route, whether the body is fit, which fault
 * strikes, and what is written to the log. What a route does is the route's own affair.
 */
import type { Clock } from '../../../src/cache/clock.ts';
import { ApiError } from '../api-error.ts';
import type { Faults } from '../faults.ts';
import { isRecord } from '../json.ts';
import { schemaProblems } from '../schema-check.ts';
import type { BodyProblem, Fault, RequestRecord } from '../types.ts';
import { findRoute, type RestAnswer, type RestRequest, type Route, type UploadedFile } from './route.ts';

/** Discord refuses more than this with 40005; ten files of 10 MiB would be more, and are never sent at once. */
const MOST_BODY_BYTES = 25 * 1024 * 1024;

const API = /^\/api(?:\/v10)?(?=\/)/;

export interface RestParts {
  readonly routes: readonly Route[];
  readonly token: string;
  readonly clock: Clock;
  readonly faults: Faults;
  record(entry: RequestRecord): void;
}

/** `null` means: close the socket without a word. */
export type RestServer = (request: Request) => Promise<Response | null>;

export function isApiPath(path: string): boolean {
  return API.test(path);
}

export function restServer(parts: RestParts): RestServer {
  return async (request) => {
    const startedAt = parts.clock.precise();
    const url = new URL(request.url);
    const path = url.pathname.replace(API, '');
    const found = findRoute(parts.routes, request.method, path);
    const route = found?.route.pattern ?? path;
    const { body, files, error } = await readBody(request);
    let problems: readonly BodyProblem[] = [];
    const carryOut = async (): Promise<RestAnswer> => {
      if (!found) throw ApiError.status(404, '404: Not Found');
      if (
        found.route.needsBotToken !== false &&
        request.headers.get('authorization') !== `Bot ${parts.token}`
      ) {
        throw ApiError.refuse(0);
      }
      if (error) throw error;
      const asked: RestRequest = {
        method: request.method,
        path,
        params: found.params,
        query: url.searchParams,
        body,
        files,
      };
      problems = await bodyProblems(found.route, asked);
      if (problems.length > 0) throw ApiError.invalidBody(problems);
      return found.route.answer(asked);
    };
    const fault = parts.faults.take({ method: request.method, path, route });
    const answer = await (fault ? strike(fault, carryOut, parts.clock) : refusing(carryOut));
    parts.record({
      at: parts.clock.epochAt(parts.clock.now()),
      method: request.method,
      path: withoutToken(path, found?.params.token),
      route,
      status: answer?.status ?? 0,
      body,
      problems,
      answer: answer?.body,
      durationMs: parts.clock.precise() - startedAt,
    });
    return answer && respond(answer, route, fault);
  };
}

/** An interaction's token lets its holder speak as the bot: the log, which the page shows, goes without. */
function withoutToken(path: string, token: string | undefined): string {
  return token === undefined ? path : path.replace(token, '…');
}

/** Refusals become answers; anything else is our own fault and says so. */
async function refusing(carryOut: () => Promise<RestAnswer>): Promise<RestAnswer> {
  try {
    return await carryOut();
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, body: error.toJSON() };
    console.error('local Discord failed to answer', error);
    return { status: 500, body: { code: 0, message: '500: Internal Server Error' } };
  }
}

async function strike(
  fault: Fault,
  carryOut: () => Promise<RestAnswer>,
  clock: Clock,
): Promise<RestAnswer | null> {
  if (fault.afterEffect) await refusing(carryOut);
  const { delayMs = 0 } = fault;
  if (delayMs > 0) await new Promise<void>((resolve) => clock.after(delayMs, resolve));
  if (fault.drop) return null;
  const status = fault.status ?? 500;
  if (fault.status === undefined && fault.body === undefined && delayMs > 0) return refusing(carryOut);
  if (status !== 429) return { status, body: fault.body ?? { code: 0, message: `${status}: injected` } };
  const limit = {
    message: 'You are being rate limited.',
    retry_after: fault.retryAfter ?? 1,
    global: fault.global ?? false,
  };
  return { status, body: fault.body ?? limit };
}

async function bodyProblems(route: Route, request: RestRequest): Promise<readonly BodyProblem[]> {
  const limits = route.check?.(request) ?? [];
  const { body } = request;
  const name = isRecord(body) || Array.isArray(body) ? route.schema?.(body) : null;
  if (!name) return limits;
  const published = Array.isArray(body)
    ? (await Promise.all(body.map((one) => schemaProblems(name, one)))).flatMap((list, index) =>
        list.map((one) => ({ ...one, path: `${index}.${one.path}` })),
      )
    : await schemaProblems(name, body);
  // Both know most limits; the documented words are the better ones.
  return limits.length > 0 ? limits : published;
}

interface ReadBody {
  readonly body: unknown;
  readonly files: readonly UploadedFile[];
  readonly error?: ApiError;
}

async function readBody(request: Request): Promise<ReadBody> {
  const type = request.headers.get('content-type') ?? '';
  if (Number(request.headers.get('content-length') ?? 0) > MOST_BODY_BYTES) {
    return { body: undefined, files: [], error: ApiError.refuse(40005) };
  }
  try {
    if (type.startsWith('multipart/form-data')) return await readForm(await request.formData());
    const text = await request.text();
    return { body: text === '' ? undefined : JSON.parse(text), files: [] };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      return { body: undefined, files: [], error: ApiError.refuse(50109) };
    }
    throw error;
  }
}

async function readForm(form: FormData): Promise<ReadBody> {
  const files: UploadedFile[] = [];
  let body: unknown;
  for (const [name, value] of form) {
    const key = /^files\[(\d+)\]$/.exec(name)?.[1];
    if (name === 'payload_json') body = JSON.parse(typeof value === 'string' ? value : await value.text());
    else if (key !== undefined && typeof value !== 'string') {
      const bytes = new Uint8Array(await value.arrayBuffer());
      files.push({ key, name: value.name, contentType: value.type || 'application/octet-stream', bytes });
    }
  }
  return { body: body ?? {}, files };
}

/** Limits generous enough that a client never waits, unless a 429 was asked for. */
function respond(answer: RestAnswer, route: string, fault: Fault | null): Response {
  const headers = new Headers({
    'x-ratelimit-limit': '50',
    'x-ratelimit-remaining': '49',
    'x-ratelimit-reset-after': '1.000',
    'x-ratelimit-bucket': Buffer.from(route).toString('hex').slice(0, 32),
  });
  if (answer.status === 429) {
    const seconds = String(fault?.retryAfter ?? 1);
    headers.set('retry-after', seconds);
    headers.set('x-ratelimit-remaining', '0');
    headers.set('x-ratelimit-reset-after', seconds);
    headers.set('x-ratelimit-scope', fault?.global ? 'global' : 'user');
    if (fault?.global) headers.set('x-ratelimit-global', 'true');
  }
  if (answer.body === undefined) return new Response(null, { status: answer.status, headers });
  headers.set('content-type', 'application/json');
  return new Response(JSON.stringify(answer.body), { status: answer.status, headers });
}
