/** The way between the processes of ShardingManager: what is sent there must run without anything of here. */
import { runInNewContext } from 'node:vm';
import { Client } from 'discord.js';
import { describe, expect, it } from 'vitest';
import { broadcastLink } from '../../src/commands/shards/broadcast-link.ts';
import type { ShardMessage } from '../../src/commands/shards/shard-link.ts';

const MESSAGE: ShardMessage = { version: '1', nonce: 'n', from: 0, question: { topic: 'info' } };

interface Sent {
  readonly text: string;
  readonly options: { readonly shard: number; readonly context: unknown };
}

/** A client as in a process of ShardingManager, whose evaluations are given to `answer`. */
function clientAt(ids: readonly number[], count: number, answer: (sent: Sent) => unknown = () => undefined) {
  const client = new Client({ intents: [] });
  const broadcastEval = async (run: unknown, options: Sent['options']) =>
    answer({ text: String(run), options });
  return Object.assign(client, { shard: { ids, count, broadcastEval } }) as unknown as Client;
}

describe('the way to other shards', () => {
  it('is none in a bot of one process, however many shards are in it', () => {
    expect(broadcastLink(new Client({ intents: [] }))).toBeUndefined();
    expect(broadcastLink(clientAt([0, 1], 2))).toBeUndefined();
  });

  it('knows the others by number', () => {
    expect(broadcastLink(clientAt([1], 4))).toMatchObject({ ids: [1], count: 4, others: [0, 2, 3] });
  });

  it('sends a function that needs nothing of this process, and plain JSON', async () => {
    const there = clientAt([1], 2);
    const leave = broadcastLink(there)?.subscribe(async (message) => ({ ok: true, text: message.nonce }));
    const here = clientAt([0], 2, ({ text, options }) => {
      expect(options.shard).toBe(1);
      const context = JSON.parse(JSON.stringify(options.context));
      // Nothing is defined there: neither our imports nor what a compiler may have put around the function.
      return runInNewContext(`(${text})(client, context)`, { client: there, context });
    });
    const link = broadcastLink(here);
    expect(await link?.request(1, MESSAGE)).toEqual({ ok: true, text: 'n' });
    leave?.();
    expect(await link?.request(1, MESSAGE)).toBeUndefined();
  });

  it('leaves no trace on the client that others would meet', () => {
    const client = clientAt([1], 2);
    const keys = Reflect.ownKeys({ ...client });
    const leave = broadcastLink(client)?.subscribe(async () => ({ ok: true, text: '' }));
    expect(Reflect.ownKeys({ ...client })).toEqual(keys);
    leave?.();
    expect(Reflect.ownKeys(client)).not.toContain(Symbol.for('cachecord.shards'));
  });

  it('takes away only what is its own: a later plugin on the same client goes on answering', async () => {
    const client = clientAt([1], 2);
    const first = broadcastLink(client)?.subscribe(async () => ({ ok: true, text: 'first' }));
    broadcastLink(client)?.subscribe(async () => ({ ok: true, text: 'second' }));
    first?.();
    const asked = clientAt([0], 2, ({ text, options }) =>
      runInNewContext(`(${text})(client, context)`, { client, context: options.context }),
    );
    expect(await broadcastLink(asked)?.request(1, MESSAGE)).toEqual({ ok: true, text: 'second' });
  });

  it.each([
    ['Error [ShardingNoChildExists]', 'is not running'],
    ['Error [ShardingShardNotFound]', 'is not under the manager of this one'],
  ])('says what %s means', async (name, words) => {
    const client = clientAt([0], 2, () => {
      throw Object.assign(new Error('as it comes from the other process'), { name });
    });
    await expect(broadcastLink(client)?.request(1, MESSAGE)).rejects.toThrow(words);
  });
});
