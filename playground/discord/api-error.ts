/**
 * Refusals in Discord's own shape: `{ code, message, errors? }` under an HTTP status.
 * The codes and their words are those of Discord's documentation ("Opcodes and Status Codes").
 */
import type { BodyProblem } from './types.ts';

const REFUSALS = {
  0: [401, '401: Unauthorized'],
  10002: [404, 'Unknown Application'],
  10003: [404, 'Unknown Channel'],
  10004: [404, 'Unknown Guild'],
  10007: [404, 'Unknown Member'],
  10008: [404, 'Unknown Message'],
  10011: [404, 'Unknown Role'],
  10013: [404, 'Unknown User'],
  10015: [404, 'Unknown Webhook'],
  10062: [404, 'Unknown interaction'],
  10063: [404, 'Unknown application command'],
  20012: [403, 'You are not authorized to perform this action on this application'],
  30032: [400, 'Maximum number of application commands reached (100)'],
  30034: [400, 'Max number of daily application command creates has been reached (200)'],
  40005: [413, 'Request entity too large'],
  40060: [400, 'Interaction has already been acknowledged.'],
  50001: [403, 'Missing Access'],
  50005: [403, 'Cannot edit a message authored by another user'],
  50006: [400, 'Cannot send an empty message'],
  50013: [403, 'Missing Permissions'],
  50021: [403, 'Cannot execute action on a system message'],
  50027: [401, 'Invalid Webhook Token'],
  50109: [400, 'The request body contains invalid JSON.'],
} as const satisfies Record<number, readonly [number, string]>;

export type RefusalCode = keyof typeof REFUSALS;

/** What a route throws to refuse. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: number;
  readonly problems: readonly BodyProblem[];

  private constructor(status: number, code: number, message: string, problems: readonly BodyProblem[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.problems = problems;
  }

  static refuse(code: RefusalCode): ApiError {
    const [status, message] = REFUSALS[code];
    return new ApiError(status, code, message);
  }

  /** A path or method that the API does not have. */
  static status(status: number, message: string): ApiError {
    return new ApiError(status, 0, message);
  }

  /** 50035 with Discord's tree of errors. */
  static invalidBody(problems: readonly BodyProblem[]): ApiError {
    return new ApiError(400, 50035, 'Invalid Form Body', problems);
  }

  toJSON(): Record<string, unknown> {
    const body = { message: this.message, code: this.code };
    return this.problems.length === 0 ? body : { ...body, errors: errorTree(this.problems) };
  }
}

interface ErrorNode {
  [key: string]: ErrorNode | { code: string; message: string }[];
}

/** `embeds.0.title` becomes `{ embeds: { 0: { title: { _errors: [...] } } } }`. */
function errorTree(problems: readonly BodyProblem[]): ErrorNode {
  const root: ErrorNode = {};
  for (const { path, code, message } of problems) {
    let node = root;
    for (const step of path === '' ? [] : path.split('.')) {
      const next = (node[step] ?? {}) as ErrorNode; // only `_errors` holds a list, and no field is named so
      node[step] = next;
      node = next;
    }
    const list = (node._errors ?? []) as { code: string; message: string }[];
    list.push({ code, message });
    node._errors = list;
  }
  return root;
}
