/** An answer that Discord took and whose receipt was lost: nobody is left with "thinking…". */
import { type APIMessage, MessageFlags } from 'discord.js';
import { describe, expect, it } from 'vitest';
import { textOf } from '../commands/spoken.ts';
import { eventually, host } from './setup.ts';

const CALLBACK = 'POST /interactions/:id/:token/callback';

/** The last thing Ada sees in the operations channel. */
async function atWork() {
  const { local, plugin, log } = await host();
  const { people, channels } = local.world;
  for (let i = 0; i < 30; i++) plugin.cache.set(`products::${i}`, i);
  const ada = local.as(people.ada.id);
  const last = (): APIMessage | undefined => ada.messages(channels.ops).at(-1);
  const shows = (text: string) =>
    eventually(() => {
      const message = last();
      expect(message && textOf(message)).toContain(text);
      expect((message?.flags ?? 0) & MessageFlags.Loading).toBe(0);
    });
  return { local, plugin, log, ada, ops: channels.ops, last, shows };
}

describe('an answer whose receipt is lost', () => {
  it.each([
    ['once', { status: 503, afterEffect: true, times: 1 }],
    ['by a connection that breaks', { drop: true, afterEffect: true, times: 3 }],
    ['every time', { status: 503, afterEffect: true, times: 20 }],
  ] as const)('a deferral, %s: the answer follows all the same', async (_, fault) => {
    const { local, ada, ops, shows } = await atWork();
    local.failNext(CALLBACK, fault);
    await ada.run(ops, 'cache-clear', { pattern: 'products:*' });
    await shows('Clear cached entries?');
  });

  it('a press: the message changes as if nothing had been', async () => {
    const { local, plugin, ada, ops, last, shows } = await atWork();
    await ada.run(ops, 'cache-clear', { pattern: 'products:*' });
    await shows('Clear cached entries?');
    local.failNext(CALLBACK, { status: 503, afterEffect: true });
    const message = last();
    const id = /"custom_id":"(cacheadmin:1:cache-clear:confirm:[^"]+)"/.exec(JSON.stringify(message))?.[1];
    await ada.click(message?.id ?? '', id ?? '');
    await shows('Cleared 30 entries');
    expect(plugin.cache.stats(0).total.entries).toBe(0);
  });

  it('a reply: what was shown is shown once', async () => {
    const { local, ada, ops, shows } = await atWork();
    local.failNext(CALLBACK, { status: 503, afterEffect: true });
    await ada.run(ops, 'cache-stats');
    await shows('Cache Statistics');
    expect(ada.messages(ops)).toHaveLength(1);
  });
});
