/** The built package as a host with a Hono API, Prometheus and undici has it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HostFolder } from '../plugin/built-package.ts';
import { PACK_MS } from '../support/packed-package.ts';
import { startOrigin } from './origin.ts';

/** The compiler reads Hono's, prom-client's, undici's and Node's types, on a machine that may be busy. */
const COMPILER_MS = 60_000;

let host: HostFolder;
beforeAll(() => {
  host = new HostFolder();
  host.write('package.json', '{ "type": "module" }');
}, PACK_MS);
afterAll(() => host.remove());

const PROGRAM = `
import { cacheResponse, createCache, defineTier } from 'cachecord';
import { cacheResponse as middleware } from 'cachecord/hono';
import { cacheMetrics } from 'cachecord/prometheus';
import { apiPattern, cachingAgent, type CachingAgentOptions } from 'cachecord/undici';
import { Hono } from 'hono';
import { Registry } from 'prom-client';

const cache = createCache({
  maxWeightBytes: 1_000_000,
  cleanupIntervalMs: 60_000,
  tiers: [defineTier('api', { ttlMs: 5_000 })],
});
const registry = new Registry();
const metrics = cacheMetrics(cache, registry);
let calls = 0;
const app = new Hono().get('/status', middleware(cache, { keyPrefix: 'status' }), (c) => c.json(++calls));
await app.request('/status');
const hit: Response = await app.request('/status');
const plain = cacheResponse(cache, () => new Response('plain'), { keyPrefix: 'plain', edgeMaxAgeMs: 5_000 });
await plain(new Request('http://localhost/'));
const options: CachingAgentOptions = { maxTtlMs: 60_000, defaultTtlMs: 60_000 };
const agent = cachingAgent(cache, options);
cache.invalidate(apiPattern('https://api.example.com', '/v1/*'));
await agent.close();
console.log(await hit.text(), /cachecord_hits_total\\{tier="api",layer="memory"\\} (\\d+)/.exec(await registry.metrics())?.[1]);
metrics.stop();
await cache.stop();
`;

it('has the types of the middleware, the metrics and the agent', { timeout: COMPILER_MS }, () => {
  expect(host.checkTypes([host.write('types.ts', PROGRAM)])).toBe('');
});

it('has the middleware, the metrics and the agent under their own names', async () => {
  const file = host.write('api.ts', PROGRAM);
  const program = host.start(host.path, file, {});
  expect(await program.ended, program.output()).toBe(0);
  expect(program.output()).toBe('1 1\n');
});

it('can be required by a CommonJS bot', async () => {
  const file = host.write(
    'api.cjs',
    `const { cacheResponse } = require('cachecord/hono');
     const { cacheMetrics } = require('cachecord/prometheus');
     const { cachingAgent } = require('cachecord/undici');
     console.log(typeof cacheResponse, typeof cacheMetrics, typeof cachingAgent);`,
  );
  const program = host.start(host.path, file, {});
  expect(await program.ended, program.output()).toBe(0);
  expect(program.output()).toBe('function function function\n');
});

it('lets the example ask other APIs once, and tells what that saves', async () => {
  const { url, asked } = await startOrigin(({ method, path, headers }) =>
    method === 'GET'
      ? {
          headers: { 'cache-control': 'max-age=600', 'content-type': 'application/json' },
          body: JSON.stringify({ celsius: path === '/weather/Berlin' ? 21 : 0 }),
        }
      : {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            text: headers.authorization === 'Bearer secret' ? 'Hallo!' : '',
            stop_reason: 'end_turn',
            usage: { input_tokens: 100, output_tokens: 20 },
          }),
        },
  );
  const folder = host.copyExample('other-apis');
  const program = host.start(folder, 'index.js', { API_URL: url, API_KEY: 'secret' });
  expect(await program.ended, program.output()).toBe(0);
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /weather/Berlin',
    'POST /v1/complete',
  ]);
  expect(program.output()).toBe(
    [
      'Berlin: 21 °C',
      ...Array.from({ length: 3 }, () => 'The model says: Hallo!'),
      'api: 5 lookups, 1 requests',
      'query: 3 lookups, 1 requests',
      'Saved: $0.0012',
      '',
    ].join('\n'),
  );
});
