/**
 * HTTP: what the caching agent saves of another API's requests, beside bare undici; and what `cacheResponse` saves of a
 * handler that asks a database. The origin is a real server, in a thread of its own.
 */
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { Agent, type Dispatcher, interceptors, request } from 'undici';
import { createCache } from '../src/cache/create-cache.ts';
import { defineTier } from '../src/cache/tiers/define-tier.ts';
import { cacheResponse } from '../src/http/cache-response.ts';
import { cachingAgent } from '../src/http/caching-agent.ts';
import { inTurns, median, type Row, report } from './measure.ts';

/** What an API on the internet takes at least. */
const ORIGIN_MS = 10;
const REQUESTS = 2_000;
const AT_A_TIME = 10;
const RESOURCES = 100;
const CALLERS = 200;

const ORIGIN = `
const { createServer } = require('node:http');
const { parentPort } = require('node:worker_threads');
let asked = 0;
const body = JSON.stringify({ items: Array.from({ length: 40 }, (_, id) => ({ id, name: 'Item ' + id, price: id * 7 })) });
const headers = { 'content-type': 'application/json', 'cache-control': 'max-age=600', etag: '"1"' };
const server = createServer((incoming, response) => {
  asked++;
  const ms = incoming.url.startsWith('/slow') ? ${ORIGIN_MS} : 0;
  const answer = () => response.writeHead(200, headers).end(body);
  if (ms === 0) answer(); else setTimeout(answer, ms);
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
parentPort.on('message', () => { parentPort.postMessage(asked); asked = 0; });
`;

const worker = new Worker(ORIGIN, { eval: true });
const [port] = await once(worker, 'message');
const url = `http://127.0.0.1:${port}`;

/** How often the origin was asked since the last look. */
async function asked(): Promise<number> {
  worker.postMessage('asked');
  const [count] = await once(worker, 'message');
  return count;
}

function newCache() {
  return createCache({
    maxWeightBytes: 50 * 2 ** 20,
    cleanupIntervalMs: 3_600_000,
    tiers: [defineTier('api', { ttlMs: 600_000 })],
  });
}

async function fetched(dispatcher: Dispatcher, path: string): Promise<number> {
  const { body } = await request(url + path, { dispatcher });
  return (await body.arrayBuffer()).byteLength;
}

/** Few resources are asked for often, many seldom; the same in each run. */
function* paths(count: number): Generator<string> {
  let seed = 42;
  for (let i = 0; i < count; i++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    yield `/slow/${Math.floor(RESOURCES ** (seed / 2 ** 31))}`;
  }
}

interface Run {
  readonly ms: number;
  readonly requests: number;
}

async function bot(dispatcher: Dispatcher): Promise<Run> {
  const beganAt = performance.now();
  const all = paths(REQUESTS);
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (const path of all) await fetched(dispatcher, path);
    }),
  );
  return { ms: performance.now() - beganAt, requests: await asked() };
}

async function crowd(dispatcher: Dispatcher, path: string): Promise<Run> {
  const beganAt = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, () => fetched(dispatcher, path)));
  return { ms: performance.now() - beganAt, requests: await asked() };
}

const bare = new Agent();
const cache = newCache();
const cached = cachingAgent(cache);
const withOwnStore = new Agent().compose(interceptors.cache());
const told = ({ ms, requests }: Run) => `${requests} requests, ${ms.toFixed(0)} ms`;

async function outgoing(): Promise<void> {
  await bot(bare);
  const [without, withUndici, withOurs] = [await bot(bare), await bot(withOwnStore), await bot(cached)];
  const [crowdBare, crowdUndici, crowdOurs] = [
    await crowd(bare, '/slow/crowd'),
    await crowd(withOwnStore, '/slow/crowd'),
    await crowd(cached, '/slow/crowd'),
  ];
  const hitAfterMiss = async (dispatcher: Dispatcher) => {
    for (let i = 0; i < 500; i++) await fetched(dispatcher, '/quick');
  };
  for (const dispatcher of [bare, withOwnStore, cached]) await hitAfterMiss(dispatcher);
  const perRequest = new Map<string, number[]>();
  for (let round = 0; round < 7; round++) {
    for (const [name, dispatcher] of [
      ['bare', bare],
      ['undici', withOwnStore],
      ['ours', cached],
    ] as const) {
      const beganAt = performance.now();
      await hitAfterMiss(dispatcher);
      const micros = ((performance.now() - beganAt) * 1_000) / 500;
      perRequest.set(name, [...(perRequest.get(name) ?? []), micros]);
    }
  }
  const micros = (name: string) => median(perRequest.get(name) ?? []);
  const rows: Row[] = [
    {
      what: `${REQUESTS} requests for ${RESOURCES} resources`,
      measured: `${withOurs.requests} reach the origin, ${(without.ms / withOurs.ms).toFixed(1)} times as fast`,
      goal: `≤ ${RESOURCES}, faster`,
      holds: withOurs.requests <= RESOURCES && withOurs.ms < without.ms,
    },
    {
      what: `${CALLERS} callers at once of what is not kept yet`,
      measured: `${crowdOurs.requests} reaches the origin`,
      goal: '1',
      holds: crowdOurs.requests === 1,
    },
    {
      what: 'a kept answer, beside asking a server on this machine',
      measured: `${micros('ours').toFixed(0)} µs to ${micros('bare').toFixed(0)} µs`,
      goal: 'not slower',
      holds: micros('ours') <= micros('bare'),
    },
  ];
  report(`Answers of another API that takes ${ORIGIN_MS} ms`, rows, [
    `bare undici: ${told(without)} · undici's cache and memory store: ${told(withUndici)} · cachingAgent: ${told(withOurs)}`,
    `${CALLERS} at once: bare undici: ${told(crowdBare)} · undici's cache: ${told(crowdUndici)} · cachingAgent: ${told(crowdOurs)}`,
    `one kept answer of 1.5 kB: undici's cache ${micros('undici').toFixed(0)} µs · cachingAgent ${micros('ours').toFixed(0)} µs`,
  ]);
}

async function incoming(): Promise<void> {
  const database = new Database(':memory:');
  database.exec('CREATE TABLE products (id INTEGER PRIMARY KEY, name TEXT, category TEXT, price INTEGER)');
  const insert = database.prepare('INSERT INTO products (name, category, price) VALUES (?, ?, ?)');
  for (let i = 0; i < 1_000; i++) insert.run(`Product ${i}`, i % 2 === 0 ? 'gaming' : 'books', i * 10);
  const select = database.prepare('SELECT * FROM products WHERE category = ? ORDER BY price DESC LIMIT 50');
  const handler = () => Response.json(select.all('gaming'));
  const kept = cacheResponse(newCache(), handler, { keyPrefix: 'products', ttlMs: 600_000 });
  const get = (headers: Record<string, string> = {}) =>
    new Request('http://localhost/api/products?category=gaming', { headers });
  const etag = (await kept(get())).headers.get('etag') ?? '';
  const nanoseconds = await inTurns(
    [
      { name: 'uncached', run: (count) => times(count, async () => (await handler()).arrayBuffer()) },
      { name: 'cached', run: (count) => times(count, async () => (await kept(get())).arrayBuffer()) },
      { name: '304', run: (count) => times(count, async () => kept(get({ 'if-none-match': etag }))) },
    ],
    () => 1_000,
  );
  const perSecond = (name: string) => 1e9 / (nanoseconds.get(name) ?? Number.NaN);
  const ratio = perSecond('cached') / perSecond('uncached');
  report(
    'Answers of the bot’s own API: 50 rows of 1,000, from SQLite in memory',
    [
      {
        what: 'kept answers a second, beside the handler alone',
        measured: `${thousands('cached')} to ${thousands('uncached')}: ${ratio.toFixed(1)} times`,
        goal: 'faster',
        holds: ratio > 1,
      },
    ],
    [`not modified: ${thousands('304')} a second`],
  );
  database.close();

  function thousands(name: string): string {
    return `${(perSecond(name) / 1_000).toFixed(1)} k`;
  }
}

async function times(count: number, run: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await run();
}

await outgoing();
await incoming();
await Promise.all([bare.close(), cached.close(), withOwnStore.close()]);
await wait(0);
await worker.terminate();
