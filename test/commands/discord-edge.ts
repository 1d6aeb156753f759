/**
 * Discord at its true edge: a real discord.js client whose HTTP requests are answered here, and whose interactions come
 * from here as the raw JSON of the gateway. What the bot says is kept as the JSON that it sent.
 */
import {
  type APIEmbed,
  type APIInteraction,
  type AutocompleteInteraction,
  ChatInputCommandInteraction,
  Client,
  Events,
  type Interaction,
  type MessageComponentInteraction,
} from 'discord.js';

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly body: SentBody;
  /** Names and texts of attached files. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

export interface SentBody {
  readonly type?: number;
  readonly data?: Record<string, unknown>;
  readonly flags?: number;
  readonly components?: unknown[];
  readonly embeds?: APIEmbed[];
}

const APPLICATION_ID = '100000000000000001';
const GUILD_ID = '200000000000000001';
const CHANNEL_ID = '300000000000000001';
export const OPERATOR_ID = '400000000000000001';
export const OTHER_ID = '400000000000000002';

type OptionValue = string | boolean;

export class DiscordEdge {
  readonly requests: SentRequest[] = [];
  readonly client: Client;
  /** Set to make requests fail: gives the API's error code for a request, or nothing. */
  refuse: (request: SentRequest) => number | undefined = () => undefined;
  #serial = 0n;

  constructor() {
    this.client = new Client({
      intents: [],
      rest: { retries: 0, makeRequest: (url, init) => this.#answer(url, init) },
    });
    this.client.rest.setToken('a-token');
    this.client.token = 'a-token';
    Object.assign(this.client, { application: { id: APPLICATION_ID } });
  }

  /** Bodies that hold a message, in the order they were sent; those of callbacks without their envelope. */
  get messages(): SentBody[] {
    return this.requests.flatMap(({ body }) => {
      const message = body.data ?? body;
      return 'components' in message || 'embeds' in message ? [message as SentBody] : [];
    });
  }

  get lastMessage(): SentBody {
    const last = this.messages.at(-1);
    if (last === undefined) throw new Error('Nothing was said.');
    return last;
  }

  /** The types of the interaction callbacks, in order: 4 message, 5 deferral, 6 deferred update, 7 update, 8 choices. */
  get callbacks(): number[] {
    return this.requests.flatMap(({ body }) => (body.type === undefined ? [] : [body.type]));
  }

  /** @param name with a subcommand after a space, where there is one */
  command(
    name: string,
    options: Readonly<Record<string, OptionValue>> = {},
    by: { readonly userId?: string; readonly locale?: string } = {},
  ): ChatInputCommandInteraction {
    const raw = this.#raw(2, by, {
      data: { id: this.#id(), type: 1, guild_id: GUILD_ID, ...within(name, this.#options(options)) },
    });
    const interaction = this.#receive(raw);
    if (!(interaction instanceof ChatInputCommandInteraction)) throw new Error('Not a command.');
    return interaction;
  }

  typing(name: string, option: string, typed: string): AutocompleteInteraction {
    const options = [{ name: option, type: 3, value: typed, focused: true }];
    const interaction = this.#receive(
      this.#raw(4, {}, { data: { id: this.#id(), type: 1, ...within(name, { options }) } }),
    );
    if (!interaction.isAutocomplete()) throw new Error('Not an autocompletion.');
    return interaction;
  }

  /** Presses what carries this label (a button) or, with `picks`, picks a value in the select of this placeholder. */
  press(
    label: string,
    by: {
      readonly userId?: string;
      readonly locale?: string;
      readonly picks?: string;
      readonly on?: SentBody;
    } = {},
  ): MessageComponentInteraction {
    const component = find(by.on ?? this.lastMessage, label);
    if (component === undefined)
      throw new Error(`There is no ${label} in ${JSON.stringify(by.on ?? this.lastMessage)}`);
    const { custom_id, type = 2 } = component;
    return this.pressId(custom_id, { ...by, type });
  }

  pressId(
    customId: string,
    by: {
      readonly userId?: string;
      readonly locale?: string;
      readonly picks?: string;
      readonly type?: number;
    } = {},
  ): MessageComponentInteraction {
    const { picks } = by;
    const resolved = { users: picks === undefined ? {} : { [picks]: user(picks) } };
    const values = picks === undefined ? {} : { values: [picks], resolved };
    const raw = this.#raw(3, by, {
      data: { custom_id: customId, component_type: picks === undefined ? 2 : (by.type ?? 3), ...values },
      message: this.#message(),
    });
    const interaction = this.#receive(raw);
    if (!interaction.isMessageComponent()) throw new Error('Not a component.');
    return interaction;
  }

  #receive(raw: unknown): Interaction {
    let received: Interaction | undefined;
    this.client.once(Events.InteractionCreate, (interaction) => {
      received = interaction;
    });
    // What the client does with a gateway event; not public, hence the cast.
    const { actions } = this.client as unknown as {
      actions: { InteractionCreate: { handle(raw: APIInteraction): void } };
    };
    actions.InteractionCreate.handle(raw as APIInteraction);
    if (received === undefined) throw new Error('The client took no interaction.');
    return received;
  }

  #options(options: Readonly<Record<string, OptionValue>>): object {
    const users: Record<string, object> = {};
    const list = Object.entries(options).map(([name, value]) => {
      if (name !== 'user') return { name, type: typeof value === 'boolean' ? 5 : 3, value };
      users[String(value)] = user(String(value));
      return { name, type: 6, value };
    });
    return { options: list, resolved: { users } };
  }

  #raw(type: number, by: { readonly userId?: string; readonly locale?: string }, rest: object): object {
    const author = user(by.userId ?? OPERATOR_ID);
    return {
      id: this.#id(),
      application_id: APPLICATION_ID,
      type,
      token: `token-${this.#serial}`,
      version: 1,
      guild_id: GUILD_ID,
      channel_id: CHANNEL_ID,
      channel: { id: CHANNEL_ID, type: 0, guild_id: GUILD_ID, name: 'ops' },
      member: { user: author, roles: [], permissions: '0', joined_at: new Date().toISOString(), flags: 0 },
      app_permissions: '0',
      locale: by.locale ?? 'en-US',
      guild_locale: 'en-US',
      entitlements: [],
      authorizing_integration_owners: {},
      context: 0,
      attachment_size_limit: 10_485_760,
      ...rest,
    };
  }

  #message(): object {
    return {
      id: this.#id(),
      channel_id: CHANNEL_ID,
      author: user(APPLICATION_ID),
      content: '',
      timestamp: new Date().toISOString(),
      edited_timestamp: null,
      tts: false,
      mention_everyone: false,
      mentions: [],
      mention_roles: [],
      attachments: [],
      embeds: [],
      components: [],
      pinned: false,
      type: 20,
      flags: 64,
    };
  }

  async #answer(url: string, init: unknown): Promise<Response> {
    const { method = 'GET', body } = init as RequestInit;
    const request: SentRequest = { method, path: new URL(url).pathname, ...(await parse(body)) };
    this.requests.push(request);
    const code = this.refuse(request);
    if (code !== undefined) return Response.json({ code, message: 'Refused by the test' }, { status: 400 });
    return request.path.includes('/callback')
      ? new Response(null, { status: 204 })
      : Response.json(this.#message());
  }

  /** A snowflake of this moment. */
  #id(): string {
    this.#serial++;
    return ((BigInt(Date.now() - 1_420_070_400_000) << 22n) | this.#serial).toString();
  }
}

async function parse(body: unknown): Promise<Pick<SentRequest, 'body' | 'files'>> {
  if (typeof body === 'string') return { body: JSON.parse(body) as SentBody, files: [] };
  // discord.js brings its own FormData, which has the same shape.
  if (typeof body === 'object' && body !== null && Symbol.iterator in body) {
    let json: SentBody = {};
    const files: { name: string; text: string }[] = [];
    for (const [name, value] of body as Iterable<[string, string | File]>) {
      if (name === 'payload_json') json = JSON.parse(String(value)) as SentBody;
      else if (typeof value !== 'string') files.push({ name: value.name, text: await value.text() });
    }
    return { body: json, files };
  }
  return { body: {}, files: [] };
}

function user(id: string): object {
  return { id, username: `user${id.slice(-2)}`, discriminator: '0', global_name: null, avatar: null };
}

/** The component with this label or placeholder. */
export function find(
  node: unknown,
  label: string,
): { custom_id: string; type?: number; disabled?: boolean } | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const record = node as Record<string, unknown>;
  if (record.label === label || record.placeholder === label) {
    if (typeof record.custom_id === 'string') return record as { custom_id: string };
  }
  for (const value of Object.values(node)) {
    const found = find(value, label);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The options of a command, or those of its subcommand. */
function within(name: string, options: object): object {
  const [command, subcommand] = name.split(' ');
  if (subcommand === undefined) return { name, ...options };
  return { name: command, options: [{ name: subcommand, type: 1, ...options }] };
}
