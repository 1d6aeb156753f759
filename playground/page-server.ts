/**
 * Serves the page beside the local Discord, on its port and behind its checks of Host and Origin: the page's files,
 * one stream of events for each window, and one address that takes what a person does. It decides who sees what;
 * what happens then is the local Discord's.
 */
import type { CacheStats } from '../src/cache/statistics/stats.ts';
import { carryOut, type PageParts } from './page-actions.ts';
import { HEADERS, type PageFile, readPageFiles } from './page-files.ts';
import { castOf, commandsOf, helloFor, summarize, summarizeRequest } from './page-view.ts';
import { type ActionResult, actionSchema, LOCALES, type PageEvent } from './protocol.ts';

/** A window that leaves so many events unread is asleep; it is let go, and asks anew when it wakes. */
const MOST_UNREAD = 5_000;
const MOST_ACTION_BYTES = 64 * 1024;

interface Window {
  readonly userId: string;
  send(event: PageEvent): void;
  close(): void;
}

export class PageServer {
  readonly #parts: PageParts;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #windows = new Set<Window>();
  readonly #undo: (() => void)[] = [];
  #stats: CacheStats | null = null;

  private constructor(parts: PageParts, files: ReadonlyMap<string, PageFile>) {
    this.#parts = parts;
    this.#files = files;
    this.#listen();
  }

  static async create(parts: PageParts): Promise<PageServer> {
    return new PageServer(parts, await readPageFiles());
  }

  /** `null` where the address is not the page's. */
  async handle(request: Request): Promise<Response | null> {
    const url = new URL(request.url);
    const file = this.#files.get(url.pathname);
    if (file !== undefined && ['GET', 'HEAD'].includes(request.method)) {
      return new Response(request.method === 'HEAD' ? null : file.bytes, {
        headers: { ...HEADERS, 'content-type': file.type },
      });
    }
    if (url.pathname === '/page/events' && request.method === 'GET') return this.#stream(request, url);
    if (url.pathname === '/page/act' && request.method === 'POST') return this.#take(request);
    return null;
  }

  /** To every window. */
  broadcast(event: PageEvent): void {
    if (event.type === 'stats') this.#stats = event.stats;
    for (const window of [...this.#windows]) window.send(event);
  }

  close(): void {
    for (const undo of this.#undo) undo();
    for (const window of [...this.#windows]) window.close();
  }

  #listen(): void {
    const { local } = this.#parts;
    const toReaders = (channelId: string, visibleTo: string | null, event: PageEvent) => {
      for (const window of [...this.#windows]) {
        const mayRead = visibleTo === null || visibleTo === window.userId;
        if (mayRead && local.as(window.userId).sees(channelId)) window.send(event);
      }
    };
    const toPerson = (userId: string, event: PageEvent) => {
      for (const window of [...this.#windows]) if (window.userId === userId) window.send(event);
    };
    this.#undo.push(
      local.on('message', ({ message, channelId, visibleTo }) =>
        toReaders(channelId, visibleTo, { type: 'message', message }),
      ),
      local.on('messageUpdate', ({ message, channelId, visibleTo }) =>
        toReaders(channelId, visibleTo, { type: 'messageUpdate', message }),
      ),
      local.on('messageDelete', ({ messageId, channelId, visibleTo }) =>
        toReaders(channelId, visibleTo, { type: 'messageDelete', messageId }),
      ),
      local.on('modal', (modal) => toPerson(modal.userId, { type: 'modal', modal })),
      local.on('interaction', (interaction) =>
        toPerson(interaction.userId, { type: 'interaction', interaction: summarize(interaction) }),
      ),
      local.on('commands', () => {
        for (const window of [...this.#windows])
          window.send({ type: 'commands', commands: commandsOf(local, window.userId) });
      }),
      local.on('request', (record) => this.broadcast({ type: 'request', request: summarizeRequest(record) })),
    );
  }

  #stream(request: Request, url: URL): Response {
    const { local } = this.#parts;
    const userId = url.searchParams.get('as') ?? local.world.people.ada.id;
    const locale = LOCALES.find((one) => one === url.searchParams.get('locale')) ?? 'en-US';
    if (!this.#isCast(userId)) return problem(404, 'nobody here has this id');
    let leave: () => void = () => undefined;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const encoder = new TextEncoder();
        const window: Window = {
          userId,
          send: (event) => {
            controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`));
            if ((controller.desiredSize ?? 0) < -MOST_UNREAD) window.close();
          },
          close: () => {
            leave();
            controller.close();
          },
        };
        leave = () => void this.#windows.delete(window);
        this.#windows.add(window);
        window.send(helloFor(this.#parts, userId, locale, this.#stats));
      },
      cancel: () => leave(),
    });
    request.signal.addEventListener('abort', () => leave());
    return new Response(stream, { headers: { ...HEADERS, 'content-type': 'text/event-stream' } });
  }

  async #take(request: Request): Promise<Response> {
    if (request.headers.get('content-type') !== 'application/json') return problem(415, 'JSON is wanted');
    const text = await request.text();
    if (text.length > MOST_ACTION_BYTES) return problem(413, 'that is too much');
    const parsed = actionSchema.safeParse(parseJson(text));
    if (!parsed.success) return problem(400, parsed.error.issues[0]?.message ?? 'not an action');
    if (!this.#isCast(parsed.data.as)) return problem(404, 'nobody here has this id');
    try {
      return Response.json(await carryOut(this.#parts, parsed.data), { headers: HEADERS });
    } catch (error) {
      // What a client refuses, it refuses in words for the person.
      return problem(422, error instanceof Error ? error.message : String(error));
    }
  }

  /** Whether it is one of those whom one can be. */
  #isCast(userId: string): boolean {
    return castOf(this.#parts.local).some(({ id }) => id === userId);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema then says that it is no action
  }
}

function problem(status: number, words: string): Response {
  const body: ActionResult = { ok: false, problem: words };
  return Response.json(body, { status, headers: HEADERS });
}
