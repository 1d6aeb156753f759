/** I4, for the host's logger: one that throws takes neither an answer nor the process with it. */
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Logger } from '../../src/logger.ts';
import { textOf } from '../commands/spoken.ts';
import { host } from './setup.ts';

const down = () => {
  throw new Error('The log is down.');
};
const hostile: Logger = { debug: down, info: down, warn: down, error: down };

/** Node would write them to the test's output. */
function warnings(): readonly string[] {
  const told: string[] = [];
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation((text) => void told.push(String(text)));
  onTestFinished(() => spy.mockRestore());
  return told;
}

it('I4: a logger that throws holds back neither the start nor an answer, and Node is told', async () => {
  const told = warnings();
  const { local, plugin, errors } = await host({ plugin: { logger: hostile } });
  const { people, channels } = local.world;
  const answered = async (userId: string) =>
    textOf(await (await local.as(userId).run(channels.ops, 'cache-stats')).reply());
  expect(await answered(people.ada.id)).toContain('Entries');
  expect(await answered(people.grace.id)).toContain('Not allowed');
  expect(told.some((text) => text.includes('logger'))).toBe(true);
  expect(errors).toEqual([]);
  await plugin.stop();
});
