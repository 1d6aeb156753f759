/** The HTTP API of the real bot, in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { Person, RunningBot } from './running-bot.ts';

const ADDRESS = /The HTTP API is at (http:\/\/127\.0\.0\.1:\d+)\/api\/status/;

async function atWork(options: ConstructorParameters<typeof RunningBot>[1] = {}) {
  const local = await LocalDiscord.start();
  onTestFinished(() => local.stop());
  const bot = await RunningBot.atWork(local, options);
  onTestFinished(async () => void (await bot.stop()));
  return { local, bot };
}

function addressOf(output: string): string {
  const [, address = ''] = ADDRESS.exec(output) ?? [];
  expect(address, output).not.toBe('');
  return address;
}

it('is served beside Discord, and what people buy there shows at once', async () => {
  const { local, bot } = await atWork();
  const url = addressOf(bot.output);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${url}/api/status`)).json()).toMatchObject({ online: true, guilds: 2 });
  const { products } = (await (await fetch(`${url}/api/products`)).json()) as {
    products: { id: number; name: string; category: string; priceCents: number; stock: number | null }[];
  };
  const product = products
    .filter(({ stock }) => stock !== null && stock > 5)
    .toSorted((a, b) => a.priceCents - b.priceCents)[0];
  if (product === undefined) throw new Error('Everything is sold out.');
  const stock = async () => {
    const answer = await fetch(`${url}/api/products?category=${encodeURIComponent(product.category)}`);
    const { products: all } = (await answer.json()) as { products: typeof products };
    return all.find(({ id }) => id === product.id)?.stock;
  };
  expect(await stock()).toBe(product.stock);
  const [shopper] = local.world.shoppers;
  const person = new Person(local, shopper?.id ?? '', local.world.channels.shop);
  const wallet = await person.run('wallet');
  await wallet.click('Take $25.00');
  await wallet.shows('$25.00');
  const offer = await person.run('buy', { product: String(product.id) });
  const [label = ''] = /Buy for \S+/.exec(offer.text) ?? [];
  await offer.click(label);
  await offer.shows('Bought');
  expect(await stock()).toBe((product.stock ?? 0) - 1);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/^cachecord_hits_total\{tier="reference",layer="memory"\} [1-9]/m);
});

it('keeps no bot from Discord whose port is taken: one line says so and what to do', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  onTestFinished(() => void taken.close());
  const address = taken.address();
  const port = String(typeof address === 'object' && address !== null ? address.port : 0);
  const { bot } = await atWork({ env: { API_PORT: port } });
  const lines = bot.output.split('\n').filter((line) => line.includes('HTTP API'));
  expect(lines).toEqual([expect.stringContaining(`is not served: port ${port} is in use. Set \`api.port\``)]);
});

it('is not served where the configuration says so', async () => {
  const { bot } = await atWork({ config: { api: { enabled: false } } });
  expect(bot.output).not.toContain('HTTP API');
});

it('ends with the bot, whoever is connected (I13)', async () => {
  const { bot } = await atWork();
  const url = addressOf(bot.output);
  await (await fetch(`${url}/api/status`)).text();
  const { code } = await bot.stop();
  expect(code).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
});

it('is served in the playground, on a free port that one line tells', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../start.js')], {
    env: { PATH: process.env.PATH, PORT: '0' },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    output += chunk;
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await expect.poll(() => output, { timeout: 15_000 }).toMatch(ADDRESS);
  expect((await fetch(`${addressOf(output)}/api/products`)).status).toBe(200);
});
