/**
 * RFC 9111 as a table, section by section, with RFC 5861 and RFC 8246: what an origin answers, what a client asks, and
 * where each answer comes from. Each row holds for our agent, and undici's own interceptor is asked the same.
 */
import { Agent, type Dispatcher, interceptors } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CachingAgentOptions } from '../../src/http/caching-agent.ts';
import { ask, type Origin, outgoing, type Told } from './origin.ts';

type Type = 'shared' | 'private';
/** Where an answer comes from: kept, kept and confirmed by a 304, or sent anew; or the status where the origin is not asked. */
type From = 'kept' | 'confirmed' | 'sent' | '504';

interface Step {
  readonly after?: number;
  readonly method?: Dispatcher.HttpMethod;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly from: From;
}

interface Row {
  readonly section: string;
  readonly says: string;
  /** Headers of every answer, or all answers in turn, the last one again and again. */
  readonly answers: Readonly<Record<string, string>> | readonly Told[];
  readonly steps: readonly Step[];
  /** @default both */
  readonly only?: Type;
  readonly options?: CachingAgentOptions;
}

const EPOCH = Date.UTC(2026, 0, 1);
const at = (seconds: number) => new Date(EPOCH + seconds * 1_000).toUTCString();
const cc = (cacheControl: string, more: Readonly<Record<string, string>> = {}) => ({
  'cache-control': cacheControl,
  ...more,
});
const wish = (cacheControl: string) => ({ headers: cc(cacheControl) });
const etag = { etag: '"one"' };
const sent: Step = { from: 'sent' };
const kept: Step = { from: 'kept' };
const confirmed: Step = { from: 'confirmed' };
const twice = (from: From, after = 1): Step[] => [sent, { after, from }];

function row(
  section: string,
  says: string,
  answers: Row['answers'],
  steps: readonly Step[],
  more: Partial<Row> = {},
): Row {
  return { section, says, answers, steps, ...more };
}

const ROWS: readonly Row[] = [
  // ---- 3: storing ----
  row('3', 'no-store is not kept', cc('no-store, max-age=60'), twice('sent')),
  row('3', 'NO-STORE in capitals is not kept', cc('max-age=60, NO-STORE'), twice('sent')),
  row('3', 'private is not for a shared cache', cc('private, max-age=60'), twice('sent'), { only: 'shared' }),
  row('3', 'private is for a private cache', cc('private, max-age=60'), twice('kept'), { only: 'private' }),
  row('3', 'a request with no-store is not kept', cc('max-age=60'), [
    { ...wish('no-store'), from: 'sent' },
    sent,
    kept,
  ]),
  row(
    '3',
    'a status without meaning to heuristics is kept where its time is said',
    [{ status: 299, headers: cc('max-age=60') }],
    twice('kept'),
  ),
  row(
    '3',
    'a part is not taken for the whole',
    [
      { status: 206, headers: cc('max-age=60', { 'content-range': 'bytes 0-0/5' }), body: 'a' },
      { headers: cc('max-age=60') },
    ],
    [{ headers: { range: 'bytes=0-0' }, from: 'sent' }, sent, kept],
  ),
  row(
    '3.5',
    'an answer to Authorization is not kept by a shared cache',
    cc('max-age=60'),
    [
      { headers: { authorization: 'a' }, from: 'sent' },
      { headers: { authorization: 'a' }, from: 'sent' },
    ],
    { only: 'shared' },
  ),
  ...['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60'].map((said) =>
    row(
      '3.5',
      `an answer to Authorization is kept with ${said}`,
      cc(said),
      [
        { headers: { authorization: 'a' }, from: 'sent' },
        { headers: { authorization: 'a' }, from: 'kept' },
      ],
      { only: 'shared' },
    ),
  ),

  // ---- 4: who is answered ----
  row('4', 'other queries are other resources', cc('max-age=60'), [
    { path: '/?a', from: 'sent' },
    { path: '/?b', from: 'sent' },
    { path: '/?a', from: 'kept' },
  ]),
  row('4', 'another host than that of the address is not answered with what is kept', cc('max-age=60'), [
    sent,
    { headers: { host: 'other.example' }, from: 'sent' },
    { headers: { host: 'other.example' }, from: 'sent' },
    kept,
  ]),
  row('4.1', 'an answer is for requests whose headers match', cc('max-age=60', { vary: 'X-A' }), [
    { headers: { 'x-a': '1' }, from: 'sent' },
    { headers: { 'x-a': '2' }, from: 'sent' },
    { headers: { 'x-a': '1' }, from: 'kept' },
    { headers: { 'x-a': '2' }, from: 'kept' },
    { from: 'sent' },
    { from: 'kept' },
  ]),
  row('4.1', 'all headers that Vary names must match', cc('max-age=60', { vary: 'X-A, X-B' }), [
    { headers: { 'x-a': '1', 'x-b': '1' }, from: 'sent' },
    { headers: { 'x-a': '1', 'x-b': '2' }, from: 'sent' },
    { headers: { 'x-a': '1', 'x-b': '1', 'x-c': '9' }, from: 'kept' },
  ]),
  row('4.1', 'Vary: * matches nothing', cc('max-age=60', { vary: '*' }), twice('sent')),
  row('4.1', 'Vary with * among names matches nothing', cc('max-age=60', { vary: 'X-A, *' }), twice('sent')),

  // ---- 4.2: freshness ----
  row('4.2', 'max-age', cc('max-age=60'), [sent, { after: 59, from: 'kept' }, { after: 2, from: 'sent' }]),
  row(
    '4.2',
    'max-age wins over Expires',
    { ...cc('max-age=60'), expires: at(-60), date: at(0) },
    twice('kept'),
  ),
  row('4.2', 's-maxage wins for a shared cache', cc('max-age=1, s-maxage=60'), twice('kept', 30), {
    only: 'shared',
  }),
  row('4.2', 's-maxage says nothing to a private cache', cc('max-age=1, s-maxage=60'), twice('sent', 30), {
    only: 'private',
  }),
  row('4.2', 'Expires', { expires: at(60), date: at(0) }, [
    sent,
    { after: 59, from: 'kept' },
    { after: 2, from: 'sent' },
  ]),
  ...['0', '-1', 'soon'].map((expires) =>
    row('5.3', `Expires: ${expires} has passed`, { expires, date: at(0) }, twice('sent')),
  ),
  ...['-1', '60.5', 'abc', '', '60a', '1e3'].map((value) =>
    row('4.2.1', `max-age=${value} is no time`, cc(`max-age=${value}`), twice('sent')),
  ),
  row('4.2.1', 'max-age in quotes is a time', cc('max-age="60"'), twice('kept')),
  row('4.2.1', 'MAX-AGE is max-age', cc('MAX-AGE=60'), twice('kept')),
  row('4.2.1', 'x-max-age is another directive', cc('x-max-age=60'), twice('sent')),
  row('4.2.1', 'max-age within quotes is none', cc('ext="a, max-age=60"'), twice('sent')),
  row('4.2.1', 'of two max-age the lesser one counts', cc('max-age=60, max-age=5'), twice('sent', 10)),
  row('4.2.1', 'a time beyond all numbers is long', cc('max-age=99999999999'), twice('kept', 86_400)),
  row('4.2.1', 'no-store within quotes is none', cc('max-age=60, ext="no-store, x"'), twice('kept')),
  row('4.2.1', 'x-no-cache-y is another directive', cc('max-age=60, x-no-cache-y'), twice('kept')),
  row('4.2.3', 'Age counts', cc('max-age=60', { age: '50' }), [
    sent,
    { after: 9, from: 'kept' },
    { after: 2, from: 'sent' },
  ]),
  row('4.2.3', 'an old Date counts', cc('max-age=60', { date: at(-50) }), [
    sent,
    { after: 9, from: 'kept' },
    { after: 2, from: 'sent' },
  ]),
  row('4.2.3', 'Age beyond max-age is stale from the start', cc('max-age=60', { age: '61' }), twice('sent')),

  // ---- 4.2.4: stale ----
  row('4.2.4', 'a stale answer is not given while the origin is there', cc('max-age=1'), twice('sent', 5)),
  ...['must-revalidate', 'no-cache'].map((said) =>
    row(
      '4.2.4',
      `${said} is not given in place of an error`,
      [{ headers: cc(`max-age=1, stale-if-error=600, ${said}`, etag) }, { status: 503 }],
      twice('sent', 5),
      { options: { staleIfErrorMs: 600_000 } },
    ),
  ),
  ...['proxy-revalidate, max-age=1', 's-maxage=1'].map((said) =>
    row(
      '4.2.4',
      `${said} is not given in place of an error by a shared cache`,
      [{ headers: cc(`stale-if-error=600, ${said}`, etag) }, { status: 503 }],
      twice('sent', 5),
      { only: 'shared', options: { staleIfErrorMs: 600_000 } },
    ),
  ),

  // ---- 4.3: validation ----
  row('4.3', 'an ETag is asked about', cc('max-age=1', etag), twice('confirmed', 5)),
  row(
    '4.3',
    'Last-Modified is asked about',
    cc('max-age=1', { 'last-modified': at(-600) }),
    twice('confirmed', 5),
  ),
  row(
    '4.3.3',
    'what has changed comes anew',
    [{ headers: cc('max-age=60', etag) }, { headers: cc('max-age=60', { etag: '"two"' }) }],
    [sent, { after: 61, from: 'sent' }, kept],
  ),
  row('4.3.3', 'a 500 is handed on', [{ headers: cc('max-age=1', etag) }, { status: 500 }], twice('sent', 5)),
  row('4.3.4', 'a 304 makes it fresh again', cc('max-age=60', etag), [
    sent,
    { after: 61, from: 'confirmed' },
    { after: 59, from: 'kept' },
  ]),
  row('4.3.5', 'HEAD is answered without a body, and is no GET', cc('max-age=60'), [
    { method: 'HEAD', from: 'sent' },
    { method: 'HEAD', from: 'kept' },
    sent,
  ]),

  // ---- 4.4: invalidation ----
  ...(['POST', 'PUT', 'DELETE', 'PATCH', 'PURGE'] as const).flatMap((method) =>
    [{}, wish('no-store'), wish('no-cache'), wish('max-age=0')].map((said) =>
      row('4.4', `${method} ${JSON.stringify(said)} invalidates`, cc('max-age=60'), [
        sent,
        kept,
        { method: method as Dispatcher.HttpMethod, ...said, from: 'sent' },
        sent,
      ]),
    ),
  ),
  row(
    '4.4',
    'a redirect is no error',
    [
      { headers: cc('max-age=60') },
      { status: 303, headers: { location: '/other' } },
      { headers: cc('max-age=60') },
    ],
    [sent, { method: 'POST', from: 'sent' }, sent],
  ),
  row(
    '4.4',
    'an error invalidates nothing',
    [{ headers: cc('max-age=60') }, { status: 400 }],
    [sent, { method: 'POST', from: 'sent' }, kept],
  ),
  row(
    '4.4',
    'what Location and Content-Location name goes, too',
    [
      { headers: cc('max-age=60') },
      { headers: cc('max-age=60') },
      { status: 201, headers: { location: '/a', 'content-location': '/b' } },
      { headers: cc('max-age=60') },
    ],
    [
      { path: '/a', from: 'sent' },
      { path: '/b', from: 'sent' },
      { method: 'POST', path: '/', ...wish('no-store'), from: 'sent' },
      { path: '/a', from: 'sent' },
      { path: '/b', from: 'sent' },
    ],
  ),
  row(
    '4.4',
    'of another origin nothing goes',
    [{ headers: cc('max-age=60') }, { status: 201, headers: { location: 'http://other.example/a' } }],
    [
      { path: '/a', from: 'sent' },
      { method: 'POST', path: '/', from: 'sent' },
      { path: '/a', from: 'kept' },
    ],
  ),

  // ---- 5.2.1: what a request says ----
  row('5.2.1.1', 'max-age=0 asks', cc('max-age=60', etag), [
    sent,
    { ...wish('max-age=0'), from: 'confirmed' },
  ]),
  row('5.2.1.1', 'max-age takes what is younger', cc('max-age=60', etag), [
    sent,
    { after: 10, ...wish('max-age=20'), from: 'kept' },
    { after: 10, ...wish('max-age=5'), from: 'confirmed' },
  ]),
  row('5.2.1.2', 'max-stale takes what is stale for less', cc('max-age=10', etag), [
    sent,
    { after: 15, ...wish('max-stale=10'), from: 'kept' },
    { after: 1, ...wish('max-stale=10'), from: 'kept' },
    { after: 10, ...wish('max-stale=10'), from: 'confirmed' },
  ]),
  row('5.2.1.2', 'max-stale without a value takes anything', cc('max-age=10', etag), [
    sent,
    { after: 900, ...wish('max-stale'), from: 'kept' },
    confirmed,
  ]),
  ...['must-revalidate, max-age=1', 'no-cache'].map((said) =>
    row('5.2.1.2', `max-stale does not take ${said}`, cc(said, etag), [
      sent,
      { after: 5, ...wish('max-stale'), from: 'confirmed' },
    ]),
  ),
  row(
    '5.2.1.2',
    'max-stale does not take s-maxage of a shared cache',
    cc('s-maxage=1', etag),
    [sent, { after: 5, ...wish('max-stale'), from: 'confirmed' }],
    { only: 'shared' },
  ),
  row(
    '5.2.1.2',
    'max-stale that is exceeded leaves stale-if-error as it is',
    [{ headers: cc('max-age=1, stale-if-error=600') }, { status: 503 }],
    [sent, { after: 60, ...wish('max-stale=5'), from: 'kept' }],
  ),
  row('5.2.1.3', 'min-fresh takes what is fresh for longer', cc('max-age=60', etag), [
    sent,
    { after: 10, ...wish('min-fresh=20'), from: 'kept' },
    { after: 10, ...wish('min-fresh=50'), from: 'confirmed' },
  ]),
  row('5.2.1.4', 'no-cache asks', cc('max-age=60', etag), [
    sent,
    { ...wish('no-cache'), from: 'confirmed' },
    kept,
  ]),
  row('5.2.1.4', 'x-no-cache-y does not', cc('max-age=60', etag), [
    sent,
    { ...wish('x-no-cache-y'), from: 'kept' },
  ]),
  row('5.4', 'Pragma: no-cache asks where there is no Cache-Control', cc('max-age=60', etag), [
    sent,
    { headers: { pragma: 'no-cache' }, from: 'confirmed' },
    { headers: { pragma: 'no-cache', 'cache-control': 'max-age=60' }, from: 'kept' },
  ]),
  row('5.2.1.7', 'only-if-cached is 504 where nothing is kept', cc('max-age=10', etag), [
    { ...wish('only-if-cached'), from: '504' },
    sent,
    { ...wish('only-if-cached'), from: 'kept' },
    { after: 11, ...wish('only-if-cached'), from: '504' },
    { ...wish('only-if-cached, max-stale'), from: 'kept' },
    { ...wish('only-if-cached, no-cache'), from: '504' },
    { ...wish('x-only-if-cached'), from: 'confirmed' },
  ]),

  // ---- 5.2.2: what an answer says ----
  row('5.2.2.4', 'no-cache is asked about at each use', cc('no-cache, max-age=60', etag), twice('confirmed')),
  row(
    '5.2.2.4',
    'no-cache for a field is not for the answer',
    cc('no-cache="x-a", max-age=60'),
    twice('kept'),
  ),
  row(
    '5.2.2.4',
    'no-cache beside its fields is for the answer',
    cc('no-cache="x-a", no-cache, max-age=60', etag),
    twice('confirmed'),
  ),

  // ---- RFC 5861 ----
  row(
    'RFC 5861, 4',
    'stale-if-error while the origin fails',
    [{ headers: cc('max-age=1, stale-if-error=600') }, { status: 503 }],
    [sent, { after: 500, from: 'kept' }, { after: 200, from: 'sent' }],
  ),

  // ---- RFC 8246 ----
  row('RFC 8246, 2', 'immutable alone is no time', cc('public, immutable'), twice('sent')),
  row('RFC 8246, 2', 'immutable within its time', cc('max-age=60, immutable', etag), [
    sent,
    kept,
    { after: 61, from: 'confirmed' },
  ]),
  // Heuristics (4.2.2) are allowed, and not used here.
  row(
    '4.2.2',
    's-maxage in a private cache is followed by no guess',
    cc('private, s-maxage=1', { 'last-modified': at(-86_400) }),
    twice('confirmed'),
    { only: 'private' },
  ),
];

/** Sends the answers of a row in turn, and a 304 where the request names the one that is next. */
function originOf({ answers }: Row): Origin {
  return ({ headers }, call) => {
    const told: Told = Array.isArray(answers)
      ? (answers[Math.min(call, answers.length) - 1] as Told)
      : { headers: answers as Record<string, string> };
    const { etag: tag, 'last-modified': modified } = told.headers ?? {};
    const asked = headers['if-none-match'] ?? headers['if-modified-since'];
    const isSame = asked !== undefined && asked === (headers['if-none-match'] === undefined ? modified : tag);
    return isSame && told.status === undefined
      ? { status: 304, headers: told.headers ?? {} }
      : { body: `answer ${call}`, ...told };
  };
}

async function run(one: Row, type: Type, who: 'ours' | 'undici'): Promise<From[]> {
  const statuses: number[] = [];
  const origin = originOf(one);
  const counted: Origin = (asked, call, response) => {
    const told = origin(asked, call, response);
    statuses.push(told?.status ?? 200);
    return told;
  };
  const { url, agent, advance } = await outgoing(counted, { type, ...one.options });
  const own = new Agent().compose(interceptors.cache({ type, methods: ['GET', 'HEAD'] }));
  onTestFinished(() => own.close());
  const from: From[] = [];
  for (const { after = 0, method = 'GET', path = '/', headers = {} } of one.steps) {
    advance(after * 1_000);
    const before = statuses.length;
    const { status } = await ask(who === 'ours' ? agent : own, url + path, { method, headers });
    const last = statuses.length === before ? undefined : statuses.at(-1);
    if (last === undefined) from.push(status === 504 ? '504' : 'kept');
    else if (last === 304) from.push('confirmed');
    // Where the origin failed, something else may have been given.
    else from.push(last >= 500 && status < 500 ? 'kept' : 'sent');
  }
  return from;
}

const typesOf = ({ only }: Row): readonly Type[] => (only === undefined ? ['shared', 'private'] : [only]);
const CASES = ROWS.flatMap((one) => typesOf(one).map((type) => ({ ...one, type })));
const expected = ({ steps }: Row): From[] => steps.map(({ from }) => from);

describe('RFC 9111', () => {
  it.each(CASES)('$section: $says ($type)', async (one) => {
    expect(await run(one, one.type, 'ours')).toEqual(expected(one));
  });

  it("nothing that undici's own interceptor does right is wrong here, and more is right", async () => {
    const right = { ours: new Set<string>(), undici: new Set<string>() };
    for (const one of CASES) {
      const name = `${one.section}: ${one.says} (${one.type})`;
      for (const who of ['ours', 'undici'] as const) {
        const from = await run(one, one.type, who);
        if (JSON.stringify(from) === JSON.stringify(expected(one))) right[who].add(name);
      }
    }
    expect([...right.undici].filter((name) => !right.ours.has(name))).toEqual([]);
    expect(right.ours.size).toBeGreaterThan(right.undici.size);
  });
});

describe('what comes through redirects beneath the agent', () => {
  const following = () => new Agent().compose(interceptors.redirect({ maxRedirections: 2 }));

  it.each(['max-age=1', 'no-cache', 'max-age=1, stale-while-revalidate=600'])(
    'a 304 of another resource confirms nothing: %s',
    async (said) => {
      const headers = cc(said, etag);
      let isMoved = false;
      const { get, advance } = await outgoing(
        ({ path, headers: { 'if-none-match': asked } }) => {
          if (path === '/a' && isMoved) return { status: 302, headers: { location: '/b' } };
          return asked === '"one"' ? { status: 304, headers } : { headers, body: `of ${path}` };
        },
        { dispatcher: following() },
      );
      expect((await get('/a')).body).toBe('of /a');
      isMoved = true;
      advance(5_000);
      if (said.includes('stale-while')) expect((await get('/a')).body).toBe('of /a');
      advance(700_000);
      expect((await get('/a')).body).toBe('of /b');
      expect((await get('/a')).body).toBe('of /b');
    },
  );

  it('is not taken for the address itself when that has an answer of its own again', async () => {
    let isMoved = true;
    const { get, advance } = await outgoing(
      ({ path, headers: asked }) => {
        if (path === '/a' && isMoved)
          return { status: 301, headers: { location: '/b', ...cc('max-age=10') } };
        if (asked['if-none-match'] === '"one"') return { status: 304, headers: cc('max-age=10', etag) };
        return { headers: cc('max-age=10', etag), body: `of ${path}` };
      },
      { dispatcher: following() },
    );
    for (let i = 0; i < 2; i++) expect((await get('/a')).body).toBe('of /b');
    isMoved = false;
    expect((await get('/a', cc('no-cache'))).body).toBe('of /a');
    advance(11_000);
    expect((await get('/a')).body).toBe('of /a');
  });

  it('I2: leaves when a resource on its way is invalidated', async () => {
    const { get, ask: send } = await outgoing(
      ({ path }, call) =>
        path === '/a'
          ? { status: 301, headers: { location: '/b', ...cc('max-age=60') } }
          : { headers: cc('max-age=60'), body: `answer ${call}` },
      { dispatcher: following() },
    );
    const first = (await get('/a')).body;
    expect((await get('/a')).body).toBe(first);
    await send('/b', { method: 'POST' });
    expect((await get('/a')).body).not.toBe(first);
  });

  it('an unsafe request invalidates each resource that it is led to', async () => {
    const {
      get,
      ask: send,
      asked,
    } = await outgoing(
      ({ path, method }) =>
        path === '/a' && method === 'POST'
          ? { status: 307, headers: { location: '/b' } }
          : { headers: cc('max-age=60') },
      { dispatcher: following() },
    );
    await get('/b');
    await send('/a', { method: 'POST' });
    asked.length = 0;
    await get('/b');
    expect(asked).toHaveLength(1);
  });
});

describe('Vary of one resource', () => {
  it('is not asked of the others, and makes nothing unreachable', async () => {
    const { get, asked, cache } = await outgoing(({ path }) => ({
      headers: cc('max-age=60', path === '/varies' ? { vary: 'x-trace' } : {}),
    }));
    await get('/plain', { 'x-trace': 'first' });
    await get('/varies', { 'x-trace': 'first' });
    for (let i = 0; i < 5; i++) await get('/varies', { 'x-trace': `${i}` });
    asked.length = 0;
    for (let i = 0; i < 20; i++) await get('/plain', { 'x-trace': `${i}` });
    await get('/varies', { 'x-trace': 'first' });
    for (let i = 0; i < 5; i++) await get('/varies', { 'x-trace': `${i}` });
    expect(asked).toHaveLength(0);
    expect(cache.keys('api', 99)).toHaveLength(7);
  });

  it('is found again where more resources vary than are remembered', async () => {
    const { get, asked } = await outgoing(() => ({ headers: cc('max-age=600', { vary: 'x-a' }) }));
    const all = async () => {
      for (let i = 0; i < 1_050; i++) for (const a of ['1', '2']) await get(`/${i}`, { 'x-a': a });
    };
    await all();
    const before = asked.length;
    await all();
    expect({ before, more: asked.length - before }).toEqual({ before: 2_100, more: 0 });
  });
});
