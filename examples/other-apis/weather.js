import { cachingAgent } from 'cachecord/undici';

/** An API that says itself how long its answers hold: HTTP's own rules, over the bot's cache. */
export function weatherFrom(url, cache) {
  const dispatcher = cachingAgent(cache, { maxTtlMs: 600_000, tags: ['weather'] });
  return {
    async in(city) {
      const response = await fetch(`${url}/weather/${encodeURIComponent(city)}`, { dispatcher });
      if (!response.ok) throw new Error(`The weather API answered ${response.status}.`);
      return response.json();
    },
    close: () => dispatcher.close(),
  };
}
