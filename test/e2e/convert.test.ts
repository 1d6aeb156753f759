/** `/convert` of the real bot, which asks the playground's exchange-rate API over real HTTP. */
import { expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { RatesApi } from '../../playground/rates-api.ts';
import { Person, RunningBot } from './running-bot.ts';

async function atWork({ ttlSeconds }: { readonly ttlSeconds?: number } = {}) {
  const api = new RatesApi(() => undefined, ttlSeconds);
  const local = await LocalDiscord.start({ extend: (request) => api.handle(request) });
  onTestFinished(() => local.stop());
  const bot = await RunningBot.atWork(local, { env: { RATES_URL: RatesApi.urlOn(local.origin) } });
  onTestFinished(async () => void (await bot.stop()));
  onTestFinished(() => api.setTrouble('healthy'));
  const registered = () => local.registeredCommands(local.world.home.id).map(({ name }) => name);
  await expect.poll(registered, { timeout: 15_000 }).toContain('convert');
  const ada = new Person(local, local.world.people.ada.id, local.world.channels.ops);
  const convert = async (product = '1') => {
    const panel = await ada.run('convert', { product, currency: 'EUR' });
    await expect.poll(() => panel.text, { timeout: 15_000 }).toMatch(/costs|called/);
    return panel.text;
  };
  return { api, ada, convert };
}

it('asks the API once for many, shows its answer in /cache-info, and anew after /cache-clear api::*', async () => {
  const { api, ada, convert } = await atWork();
  await Promise.all(Array.from({ length: 5 }, () => convert()));
  for (let i = 0; i < 5; i++) expect(await convert()).toMatch(/costs \$[\d,.]+, which is \*\*€[\d,.]+/);
  expect(api.status.requests).toBe(1);
  const [key = ''] = await ada.complete('cache-info', 'key', 'api::');
  expect(key).toMatch(/^api::.*GET \/rates$/);
  const cleared = await ada.run('cache-clear', { pattern: 'api::*' });
  await cleared.shows('1 entry');
  await convert();
  expect(api.status.requests).toBe(2);
});

it('says that nothing can be had of an API that fails, and goes on with the price', async () => {
  const { api, convert } = await atWork();
  api.setTrouble('failing');
  expect(await convert()).toMatch(/No exchange rates[\s\S]*costs \$/);
  api.setTrouble('healthy');
  expect(await convert()).toContain('which is **€');
});

it('answers with old rates and their age while the API fails, and validates them afterwards', async () => {
  const { api, convert } = await atWork({ ttlSeconds: 0 });
  await convert();
  api.setTrouble('failing');
  expect(await convert()).toMatch(/old rates[\s\S]*does not answer: these are its rates of <t:\d+:R>/);
  api.setTrouble('healthy');
  expect(await convert()).toMatch(/Converted\n(?!.*old)/);
  expect(api.status.notModified).toBe(1);
});
