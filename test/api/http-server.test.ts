/** The server underneath: who is answered, and how it ends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type HttpServerOptions, serveHttp } from '../../src/api/http-server.ts';
import { silentLogger } from '../../src/logger.ts';

async function server(handle: HttpServerOptions['handle'], more: Partial<HttpServerOptions> = {}) {
  const started = await serveHttp({ port: 0, handle, logger: silentLogger, ...more });
  onTestFinished(() => started.stop());
  return started;
}

/** Sends these lines as they are. */
async function raw(url: string, ...lines: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

describe('on this machine alone', () => {
  it.each(['127.0.0.1', 'localhost', '[::1]'])('it answers to the name %s', async (name) => {
    const { url } = await server(() => new Response('hello'));
    const host = `Host: ${name}:${new URL(url).port}`;
    expect(await raw(url, 'GET / HTTP/1.1', host)).toMatch(/^HTTP\/1\.1 200 .*hello/s);
  });

  it.each(['evil.example', '127.0.0.1.evil.example', 'localhost:1', ''])(
    'it refuses whoever comes under the name "%s" (DNS rebinding)',
    async (name) => {
      let calls = 0;
      const { url } = await server(() => new Response(String(++calls)));
      expect(await raw(url, 'GET / HTTP/1.1', `Host: ${name}`)).toMatch(/^HTTP\/1\.1 403 /);
      expect(calls).toBe(0);
    },
  );

  it('says where it is', async () => {
    const { url } = await server(() => new Response(''));
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });
});

it('answers to any name where the author lets it listen elsewhere', async () => {
  const { url } = await server(() => new Response('hello'), { host: '0.0.0.0' });
  expect(await raw(url, 'GET / HTTP/1.1', 'Host: bot.example')).toMatch(/^HTTP\/1\.1 200 /);
});

describe('the name in Host', () => {
  it.each(['h/metrics?', 'a:b@c', 'evil.example:99999', '[', ' ', 'bot.example'])(
    'leads nowhere else, and breaks nothing: %s',
    async (name) => {
      const { url } = await server((request) => new Response(new URL(request.url).pathname), {
        host: '0.0.0.0',
      });
      const answer = await raw(url, 'GET /api/status?x=1 HTTP/1.1', `Host: ${name}`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(answer).toContain('/api/status');
      expect(answer).not.toContain('/metrics');
    },
  );
});

describe('a request', () => {
  it('reaches the handler whole: method, address, headers and body', async () => {
    const { url } = await server(async (request) =>
      Response.json([
        request.method,
        new URL(request.url).pathname,
        request.headers.get('x-a'),
        await request.text(),
      ]),
    );
    const response = await fetch(`${url}//evil.example/x?y=1`, {
      method: 'POST',
      headers: { 'x-a': 'b' },
      body: 'body',
    });
    expect(await response.json()).toEqual(['POST', '//evil.example/x', 'b', 'body']);
  });

  it('for what is no address is refused', async () => {
    const { url } = await server(() => new Response(''));
    const host = `Host: ${new URL(url).host}`;
    expect(await raw(url, 'GET http://evil.example/ HTTP/1.1', host)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(url, 'OPTIONS * HTTP/1.1', host)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('with TRACE is answered 405, and nothing is logged', async () => {
    const logged: string[] = [];
    const { url } = await server(() => new Response('never'), {
      logger: { error: (text) => void logged.push(text) },
    });
    const answer = await raw(url, 'TRACE / HTTP/1.1', `Host: ${new URL(url).host}`);
    expect(answer).toMatch(/^HTTP\/1\.1 405 .*allow: GET, HEAD/is);
    expect(answer).not.toContain('never');
    expect(logged).toEqual([]);
  });

  it('whose handler throws is answered with 500, and the log knows', async () => {
    const logged: unknown[] = [];
    const { url } = await server(
      () => {
        throw new Error('broken');
      },
      { logger: { error: (message, fields) => void logged.push([message, fields?.error]) } },
    );
    expect((await fetch(url)).status).toBe(500);
    expect(logged).toEqual([['A request could not be answered.', new Error('broken')]]);
  });
});

describe('an answer', () => {
  it('has each of its cookies', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ]);
    const { url } = await server(() => new Response('', { headers }));
    expect((await fetch(url)).headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('streams as it comes, and its source hears when the client leaves', async () => {
    const cancelled = Promise.withResolvers<void>();
    const signals: AbortSignal[] = [];
    const { url } = await server((request) => {
      signals.push(request.signal);
      return new Response(
        new ReadableStream({
          start: (stream) => stream.enqueue(new TextEncoder().encode('first')),
          cancel: () => cancelled.resolve(),
        }),
      );
    });
    const leaving = new AbortController();
    const response = await fetch(url, { signal: leaving.signal });
    const { value } = (await response.body?.getReader().read()) ?? {};
    expect(new TextDecoder().decode(value)).toBe('first');
    leaving.abort();
    await cancelled.promise;
    await expect.poll(() => signals[0]?.aborted).toBe(true);
  });
});

describe('its end', () => {
  it('waits for the answers under way and takes no more (I13)', async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const begun = Promise.withResolvers<void>();
    const { url, stop } = await serveHttp({
      port: 0,
      logger: silentLogger,
      handle: () => {
        begun.resolve();
        return promise;
      },
    });
    const asked = fetch(url);
    await begun.promise;
    const stopped = stop();
    await expect(fetch(url)).rejects.toThrow();
    resolve(new Response('in time'));
    expect(await (await asked).text()).toBe('in time');
    await stopped;
  });

  it('does not wait for connections that nobody uses', async () => {
    const { url, stop } = await serveHttp({ port: 0, logger: silentLogger, handle: () => new Response('') });
    await (await fetch(url)).text();
    const startedAt = performance.now();
    await stop();
    expect(performance.now() - startedAt).toBeLessThan(900);
  });
});
