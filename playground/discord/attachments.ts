/** Files that came with messages: kept in memory, served back from loopback, and written into the messages that show them. */
import type { APIAttachment } from 'discord-api-types/v10';
import { isRecord, type JsonRecord, recordsOf, stringOf } from './json.ts';
import type { UploadedFile } from './rest/route.ts';
import type { SnowflakeMaker } from './snowflake.ts';

const ATTACHMENT = 'attachment://';

export class Attachments {
  readonly #files = new Map<string, UploadedFile>();
  readonly #ids: SnowflakeMaker;
  readonly #origin: () => string;

  /** @param origin where the files are served, known once the server listens */
  constructor(ids: SnowflakeMaker, origin: () => string) {
    this.#ids = ids;
    this.#origin = origin;
  }

  /**
   * The attachments that a message has after this body: those it names and already had, those it uploads, and,
   * where it names none, all it had before.
   */
  resolve(
    channelId: string,
    body: JsonRecord,
    files: readonly UploadedFile[],
    before: readonly APIAttachment[],
  ) {
    const named = Array.isArray(body.attachments) ? recordsOf(body.attachments) : null;
    const kept =
      named === null ? before : before.filter(({ id }) => named.some((one) => String(one.id) === id));
    const fresh = files.map((file) =>
      this.#keep(
        channelId,
        file,
        named?.find((one) => String(one.id) === file.key),
      ),
    );
    return [...kept, ...fresh];
  }

  /** The message that showed them is gone. */
  forget(attachments: readonly APIAttachment[]): void {
    for (const { id } of attachments) this.#files.delete(id);
  }

  /** The file behind `/attachments/:channel/:id/:name`. */
  serve(path: string): Response | null {
    const id = /^\/attachments\/\d+\/(\d+)\//.exec(path)?.[1];
    const file = id === undefined ? undefined : this.#files.get(id);
    if (!file) return null;
    const headers = {
      'content-type': file.contentType,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    };
    return new Response(new Uint8Array(file.bytes), { headers });
  }

  #keep(channelId: string, file: UploadedFile, described: JsonRecord | undefined): APIAttachment {
    const id = this.#ids();
    this.#files.set(id, file);
    const filename = stringOf(described?.filename) || file.name;
    const url = `${this.#origin()}/attachments/${channelId}/${id}/${encodeURIComponent(filename)}`;
    const description = stringOf(described?.description);
    return {
      id,
      filename,
      size: file.bytes.length,
      url,
      proxy_url: url,
      content_type: file.contentType,
      ...pngSize(file.bytes),
      ...(description === '' ? {} : { description }),
    };
  }
}

/** Width and height from a PNG's first chunk. */
function pngSize(bytes: Uint8Array): { width?: number; height?: number } {
  const isPng = bytes.length > 24 && bytes[0] === 0x89 && bytes[1] === 0x50;
  if (!isPng) return {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** The same value with every `attachment://name` turned into the address of that file. */
export function withAddresses<T>(value: T, attachments: readonly APIAttachment[]): T {
  const walk = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(walk);
    if (!isRecord(node)) return node;
    const copy: JsonRecord = {};
    for (const [key, inner] of Object.entries(node)) copy[key] = walk(inner);
    const named =
      typeof copy.url === 'string' && copy.url.startsWith(ATTACHMENT)
        ? copy.url.slice(ATTACHMENT.length)
        : null;
    const found = named === null ? undefined : attachments.find(({ filename }) => filename === named);
    if (!found) return copy;
    const { url, proxy_url, width, height, content_type, id } = found;
    const size = width === undefined ? {} : { width, height };
    return { ...copy, url, proxy_url, content_type, attachment_id: id, ...size };
  };
  return walk(value) as T; // the shape is kept; only addresses change
}
