/**
 * `register.mts` for bots in CommonJS. Sapphire is built twice, and each build has a client and a container of its own:
 * whoever requires this file has the CommonJS build, and its hooks must go there.
 */
import '../entries/node-version.cts';
import type {} from '@sapphire/pieces';
import type {} from 'discord.js';
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

require('./hooks.js').hookInto(require('@sapphire/framework'));
