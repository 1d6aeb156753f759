/** The entry `cachecord/undici`: caching the answers of other APIs. It needs undici 8, which the rest does not. */
export { type CachingAgentOptions, cachingAgent } from './caching-agent.ts';
export { apiPattern } from './outgoing-key.ts';
