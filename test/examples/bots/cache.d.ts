/** The bot's `cache.js`, which the test hands in. */
import type { Cache } from '../../../src/index.ts';

export const cache: Cache;
