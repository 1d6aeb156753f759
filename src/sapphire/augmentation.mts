/** What `cachecord/sapphire/register` adds to the types of discord.js and Sapphire. For CommonJS see `register.cts`. */
import type { Cache } from '../cache/cache.ts';
import type { Cachecord, CachecordOptions } from '../plugin/cachecord.ts';

declare module 'discord.js' {
  interface ClientOptions {
    /** The cache, its warmers and its admin commands. */
    cachecord?: CachecordOptions;
  }
}

declare module '@sapphire/pieces' {
  interface Container {
    cachecord: Cachecord;
    /** The same as `cachecord.cache`. */
    cache: Cache;
  }
}
