/** I13: a Discord that does not answer keeps no stopped bot alive. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/config.ts';
import { createCachecord } from '../../src/plugin/plugin.ts';
import { calmAfterEnd, Requests } from '../../src/plugin/requests.ts';
import { DiscordEdge } from '../commands/discord-edge.ts';
import { handClock } from '../support/hand-clock.ts';
import { eventually, keptLog } from './setup.ts';

/** `stop` takes two seconds for what is under way; discord.js alone would wait for a minute. */
const DEADLINE_MS = 15_000;

describe('where Discord is silent', () => {
  it('I13: the process ends once the plugin is stopped and the client destroyed, and nothing is called an error', async () => {
    const asked: string[] = [];
    const server = createServer(({ method, url }) => void asked.push(`${method} ${url}`));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`; // it listens on a port
    const child = fork(fileURLToPath(new URL('fixtures/silent-discord.ts', import.meta.url)), [api]);
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines: { readonly level: string }[] = [];
    child.on('message', (line) => lines.push(line as { readonly level: string }));
    await eventually(() => expect(asked).toContain('GET /api/v10/applications/@me'));
    const before = lines.length;
    child.send('stop');
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(DEADLINE_MS) });
    await expect(exited).resolves.toEqual([0, null]);
    expect(lines.slice(before).filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  it('I13: a line for the audit channel that is under way at the end is given up, and is in the log', async () => {
    const edge = new DiscordEdge();
    const { options } = edge.client.rest;
    const { makeRequest } = options;
    const signals: AbortSignal[] = [];
    options.makeRequest = (url, init) => {
      if (!url.includes('/channels/200000000000000001/messages')) return makeRequest(url, init);
      return new Promise((_, reject) => {
        const signal = init.signal as AbortSignal; // discord.js gives one
        signals.push(signal);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    };
    const clock = handClock();
    const { lines, logger } = keptLog();
    const config = parseConfig({
      admin: { guild_ids: ['100000000000000001'], audit_channel_id: '200000000000000001' },
    });
    const plugin = createCachecord(edge.client, { config, logger, clock });
    await plugin.start({ register: false });
    await plugin.handle(edge.command('cache-stats', {}, { userId: '300000000000000001' }));
    await eventually(() => expect(signals).toHaveLength(1));
    const stopping = plugin.stop();
    await clock.advanceAsync(2_000);
    await stopping;
    expect(signals[0]?.aborted).toBe(true);
    await clock.settle();
    const told = lines.filter(({ message }) => message.includes('audit channel'));
    expect(told.map(({ level }) => level)).toEqual(['debug']);
    expect(lines.some(({ level, message }) => level === 'info' && message.includes('refused'))).toBe(true);
  });
});

describe('requests of the plugin', () => {
  const silent = () => {
    const signals: AbortSignal[] = [];
    const request = (_route: string, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const requests = new Requests({ rest: { get: request, post: request, delete: request } } as never);
    return { signals, requests };
  };

  it('are all ended, whatever they are, with words that say why', async () => {
    const { signals, requests } = silent();
    const running = [requests.get('/a'), requests.post('/b', { body: {} }), requests.delete('/c')];
    const failures = Promise.allSettled(running);
    requests.end();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    for (const { reason } of (await failures) as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: 'ERR_CLOSED', message: expect.stringContaining('was stopped') });
  });

  it('are not begun after the end', async () => {
    const { signals, requests } = silent();
    requests.end();
    await expect(requests.get('/a')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(signals).toEqual([]);
  });

  it('that Discord refuses fail as they did, and so they are told', async () => {
    const refused = new Error('Missing Access');
    const requests = new Requests({ rest: { get: () => Promise.reject(refused) } } as never);
    await expect(requests.get('/a')).rejects.toBe(refused);
    const { lines, logger } = keptLog();
    const calm = calmAfterEnd(logger, requests);
    calm.warn('before');
    requests.end();
    calm.warn('after');
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual(['warn before', 'debug after']);
  });
});

it.each(['register', 'plan', 'unregister'] as const)('`%s` after `stop` is refused', async (what) => {
  const plugin = createCachecord(new DiscordEdge().client, { logger: keptLog().logger });
  await plugin.stop();
  await expect(plugin[what]()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
});
