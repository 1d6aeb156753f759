/** What a bot asks of other APIs, asked once. In a bot the cache is `createCachecord(client, …).cache`. */
import { createCache, defineTier } from 'cachecord';
import { modelFrom } from './language-model.js';
import { weatherFrom } from './weather.js';

const url = process.env.API_URL ?? 'https://api.example.com';
const cache = createCache({
  maxWeightBytes: 50_000_000,
  cleanupIntervalMs: 60_000,
  tiers: [defineTier('api', { ttlMs: 60_000 }), defineTier('query', { ttlMs: 1_800_000 })],
});
const weather = weatherFrom(url, cache);
const complete = modelFrom(url, process.env.API_KEY ?? '', cache);

// Everybody in the channel asks for the same.
const reports = await Promise.all(Array.from({ length: 5 }, () => weather.in('Berlin')));
console.log(`Berlin: ${reports[0].celsius} °C`);
for (let i = 0; i < 3; i++) {
  const { text } = await complete({ model: 'small', prompt: 'Say hello in German.', max_tokens: 20 });
  console.log(`The model says: ${text}`);
}

const { total, tiers } = cache.stats();
for (const { tier, lookups, loads } of tiers) console.log(`${tier}: ${lookups} lookups, ${loads} requests`);
console.log(`Saved: $${total.savedCost.toFixed(4)}`);

await weather.close();
await cache.stop();
