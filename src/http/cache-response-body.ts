/**
 * What is kept of an answer, and how everybody gets one of their own from it: a body can be read once.
 * The body is text with one character a byte, so that the stored form freezes, weighs what it is long, and is
 * turned back by one copy (docs/decisions.md has the numbers).
 */
import { hash } from 'node:crypto';
import { listedNames } from './cache-control.ts';

/** An answer as plain data. */
export interface StoredResponse {
  readonly status: number;
  readonly statusText: string;
  /** By name in lower case. `Set-Cookie`, which may come more than once, is never kept. */
  readonly headers: Readonly<Record<string, string>>;
  /** One character a byte. */
  readonly body: string;
}

/** What belongs to a connection, or follows from the body. */
const NOT_KEPT = [
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/**
 * Reads an answer to its end. One whose body is larger than the bound comes back as a response that streams: what was
 * read of it, then the rest; no more than the bound and one chunk is ever held.
 */
export async function storeResponse(
  response: Response,
  maxBodyBytes: number,
): Promise<StoredResponse | Response> {
  if (Number(response.headers.get('content-length')) > maxBodyBytes) return response;
  const bytes = await readBody(response, maxBodyBytes);
  if (bytes instanceof Response) return bytes;
  const notKept = new Set([...NOT_KEPT, ...listedNames(response.headers.get('connection'))]);
  const headers = [...response.headers].filter(([name]) => !notKept.has(name));
  if (response.ok && !response.headers.has('etag')) headers.push(['etag', etagOf(response.headers, bytes)]);
  return {
    status: response.status,
    statusText: response.statusText,
    headers: Object.fromEntries(headers),
    body: bytes.toString('latin1'),
  };
}

/** Makes a response; without its body for HEAD, which tells its length all the same. */
export function restoreResponse(
  { status, statusText, body }: StoredResponse,
  headers: Headers,
  withBody: boolean,
): Response {
  if (status !== 204) headers.set('content-length', String(body.length));
  const bytes = withBody && body !== '' ? Buffer.from(body, 'latin1') : null;
  return new Response(bytes, { status, statusText, headers });
}

/** The same answer to HEAD. */
export function withoutBody(response: Response): Response {
  // Whoever makes the body may stop; that it cannot be stopped harms nobody.
  response.body?.cancel().catch(() => undefined);
  return new Response(null, response);
}

/** Strong: other bytes, or the same ones meant otherwise, have another. */
function etagOf(headers: Headers, bytes: Buffer): string {
  const meaning = `${headers.get('content-type')}\n${headers.get('content-encoding')}\n`;
  const digest = hash('sha256', Buffer.concat([Buffer.from(meaning), bytes]), 'base64url');
  return `"${digest.slice(0, 27)}"`;
}

async function readBody(response: Response, maxBytes: number): Promise<Buffer | Response> {
  if (response.body === null) return Buffer.alloc(0);
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, bytes);
    chunks.push(value);
    bytes += value.byteLength;
    if (bytes > maxBytes) return new Response(resumed(chunks, reader), response);
  }
}

/** A stream of what was read already, then of what is still to come. */
function resumed(
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = chunks.shift() ?? (await reader.read()).value;
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    async cancel(reason) {
      chunks.length = 0;
      await reader.cancel(reason);
    },
  });
}
