import { EventEmitter } from 'node:events';
import Database from 'better-sqlite3';
import type { Client } from 'discord.js';
import { expect, it, onTestFinished } from 'vitest';
import { BotWatch, type WatchMessage } from '../../playground/bot-watch.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { parseConfig } from '../../src/config/config.ts';
import { watchTables } from '../../src/feed/watch-tables.ts';
import { silentLogger } from '../../src/logger.ts';

/** A watched bot: a table behind a cache, and a client that is only listened to. */
function atWork() {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE users (id TEXT PRIMARY KEY, cents INTEGER)');
  const cache = createCache({ ...parseConfig({}).cache, logger: silentLogger });
  const feed = watchTables(db, cache, { users: 'user::{id}::*' }, { logger: silentLogger });
  onTestFinished(async () => {
    feed.stop();
    await cache.stop();
    db.close();
  });
  const client = new EventEmitter();
  const told: WatchMessage[] = [];
  const watch = new BotWatch((message) => told.push({ ...message }));
  watch.watch({ client: client as unknown as Client, cache, feed }); // it only listens
  return { db, cache, feed, client, watch, told };
}

it('counts the statements of each interaction apart, through everything that it awaits', async () => {
  const { client, watch, told } = atWork();
  const asked: string[] = [];
  const { beforeQuery } = watch.counted({ beforeQuery: () => void asked.push('asked') });
  client.on('interactionCreate', async () => {
    beforeQuery?.();
    await Promise.resolve();
    beforeQuery?.();
  });
  client.emit('interactionCreate', { id: '1' });
  client.emit('interactionCreate', { id: '2' });
  await new Promise((resolve) => setImmediate(resolve));
  const last = (id: string) => told.findLast((one) => one.type === 'queries' && one.interactionId === id);
  expect(last('1')).toMatchObject({ queries: 2 });
  expect(last('2')).toMatchObject({ queries: 2 });
  expect(asked).toHaveLength(4);
});

it('counts a read that waits for its database once, whether an answer comes or not', () => {
  const { client, watch, told } = atWork();
  const { beforeQuery, gate } = watch.counted({});
  client.on('interactionCreate', ({ id }: { id: string }) => {
    void gate?.();
    if (id === 'answered') beforeQuery?.();
  });
  for (const id of ['answered', 'stuck']) client.emit('interactionCreate', { id });
  expect(told).toEqual(
    ['answered', 'stuck'].map((interactionId) => ({ type: 'queries', interactionId, queries: 1 })),
  );
});

it('counts no statement that belongs to no interaction', () => {
  const { watch, told } = atWork();
  watch.counted({}).beforeQuery?.();
  expect(told).toEqual([]);
});

it('tells what went with a change, also when it had been noticed before it was asked about', () => {
  const { db, cache, feed, watch, told } = atWork();
  for (const key of ['user::1::profile', 'user::1::orders', 'user::2::profile']) cache.set(key, 1);
  db.prepare("INSERT INTO users VALUES ('2', 0)").run();
  feed.drain();
  db.prepare("INSERT INTO users VALUES ('1', 0)").run();
  feed.drain();
  watch.expect(feed.position().position);
  expect(told).toMatchObject([{ type: 'noticed', position: 2, entries: 2 }]);
});
