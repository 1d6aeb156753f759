/** What the host hands over may throw: no read fails for it, and none is out of date. */
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import type { TableRules } from '../../src/feed/rules.ts';
import type { WatchOptions } from '../../src/feed/watch-options.ts';
import { brokenLogger } from '../cache/support.ts';
import { makeFolder, openFile, SHOP, watch } from './support.ts';

afterEach(() => void vi.restoreAllMocks());

function shop(rules: TableRules, options: WatchOptions) {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const folder = makeFolder();
  const db = openFile(folder.file());
  const other = openFile(folder.file());
  db.exec(`${SHOP}; INSERT INTO users (id, name) VALUES ('1', 'Ada')`);
  const watched = watch(db, rules, options);
  onTestFinished(async () => {
    watched.feed.stop();
    await watched.cache.stop();
    for (const connection of [db, other]) connection.close();
    folder.remove();
  });
  const select = db.prepare<[], number>("SELECT cents FROM users WHERE id = '1'").pluck();
  const read = () => watched.sql.cache.getOrLoadSync('user::1', () => select.get());
  return { ...watched, db, other, read, warnings };
}

const MISTAKE = () => {
  throw new Error('mistake');
};
const UNDERIVED: TableRules = { users: { from: ['id'], derive: MISTAKE } };

it('I4: a rule and a logger that throw fail no read, and nothing old is served', async () => {
  const { cache, db, other, read, warnings } = shop(UNDERIVED, { logger: brokenLogger });
  read();
  db.exec('UPDATE users SET cents = 1');
  expect(read()).toBe(1);
  other.exec('UPDATE users SET cents = 2');
  await cache.clock.advanceAsync(250);
  expect(read()).toBe(2);
  expect(warnings).toHaveBeenCalled();
});

it('I4: nor does an onGap that throws', async () => {
  const { cache, db, other, read } = shop(UNDERIVED, { onGap: MISTAKE });
  read();
  db.exec('UPDATE users SET cents = 1');
  expect(read()).toBe(1);
  other.exec('CREATE TABLE another (id); UPDATE users SET cents = 2');
  await cache.clock.advanceAsync(250);
  expect(read()).toBe(2);
  other.exec('UPDATE users SET cents = 3');
  await cache.clock.advanceAsync(250);
  expect(read()).toBe(3);
});
