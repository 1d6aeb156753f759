/** The warm tasks of docs/warming.md, as they stand there. */
import { expect, it } from 'vitest';
import {
  cachedSync,
  createCache,
  createWarmers,
  parseConfig,
  silentLogger,
  type WarmTask,
} from '../../src/index.ts';
import { handClock } from '../support/hand-clock.ts';
import { runBlock, scriptsUnder } from './code-blocks.ts';

it('fills what the tasks of the page name: a tier at the start, a person when seen', async () => {
  const clock = handClock();
  const cache = createCache({ clock, logger: silentLogger });
  const database = {
    getItems: cachedSync(cache, () => ['sword'], { key: 'products::all' }),
    getUser: cachedSync(cache, (id: string) => ({ id }), { key: 'user::{0}::profile' }),
  };
  const [block] = scriptsUnder('docs/warming.md', 'What you name yourself: warm tasks');
  if (block === undefined) throw new Error('The page shows warm tasks.');
  const tasks = runBlock(block, { modules: { './database.js': database } }) as WarmTask[];
  const warmers = createWarmers({ tasks, config: parseConfig({}).warmers, clock, logger: silentLogger });
  const starting = warmers.start();
  await clock.settle();
  await starting;
  expect([cache.has('products::all'), cache.has('user::1::profile')]).toEqual([true, false]);
  warmers.userSeen('1');
  await clock.advanceAsync(1_000);
  expect(cache.has('user::1::profile')).toBe(true);
  await warmers.stop();
  await cache.stop();
});
