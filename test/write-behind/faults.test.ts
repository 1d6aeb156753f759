/** What goes wrong with the journal's file: a full disk, damage, somebody else's file, a newer version. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { silentLogger } from '../../src/logger.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import { tiers } from '../cache/support.ts';
import { bench, folder, keptLog, openFile, rows, source } from './support.ts';

describe('a full disk', () => {
  it('refuses the write with ERR_STORE_FAILED: nothing was written, and reads see nothing of it', async () => {
    const { behind, cache, db, clock } = bench();
    const shop = source<string>();
    const write = behind.writeBehind('names', shop.save);
    await write('user::1', 'Ada');
    db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true }))}`);
    const large = Array.from({ length: 20_000 }, (_, n) => n.toString(36)).join(' ');
    await expect(write('user::2', large)).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringContaining('Nothing was written.'),
    });
    expect(() => write.sync('user::2', large)).toThrow(expect.objectContaining({ code: 'ERR_STORE_FAILED' }));
    expect(cache.has('user::2')).toBe(false);
    expect(write.pending('user::2')).toEqual({ state: 'miss' });
    expect(behind.stats().writers).toMatchObject([{ refused: 2, waiting: 1 }]);
    await clock.advanceAsync(100);
    expect([...shop.values]).toEqual([['user::1', 'Ada']]);
    db.pragma('max_page_count = 1000000');
    await write('user::2', large);
    await clock.advanceAsync(100);
    expect(shop.values.get('user::2')).toBe(large);
  });

  it('that keeps the write before it keeps that one whole', async () => {
    const { behind, db, clock } = bench();
    const shop = source<string>();
    const write = behind.writeBehind('names', shop.save);
    await write('user::1', 'first');
    db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true }))}`);
    const large = Array.from({ length: 20_000 }, (_, n) => n.toString(36)).join(' ');
    await expect(write('user::1', large)).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
    expect(rows(db)).toHaveLength(1);
    await clock.advanceAsync(100);
    expect(shop.values.get('user::1')).toBe('first');
  });
});

describe('a file that stops taking changes', () => {
  it('fails no save that the source has accepted, and removes its row with the next write that is taken', async () => {
    const { behind, db, clock, lines } = bench();
    const shop = source<string>();
    const write = behind.writeBehind('names', shop.save);
    await write('user::1', 'Ada');
    db.pragma('query_only = ON');
    await clock.advanceAsync(100);
    expect(shop.values.get('user::1')).toBe('Ada');
    expect(behind.stats()).toMatchObject({ waiting: 0, saved: 1 });
    expect(lines.map(({ message }) => message).join()).toContain('some writes may be saved twice');
    db.pragma('query_only = OFF');
    expect(rows(db)).toHaveLength(1);
    await write('user::2', 'Grace');
    expect(rows(db)).toMatchObject([{ key: 'user::2' }]);
  });
});

describe('a row that is damaged', () => {
  it('goes to the list with what is known of it; the others are saved', async () => {
    const first = bench();
    const write = first.behind.writeBehind('names', source().save);
    await write('user::1', 'Ada');
    await write('user::2', 'Grace');
    first.db.prepare("UPDATE writes SET value = 'cc1j-00000000\"Eve\"' WHERE key = 'user::1'").run();
    first.die();
    const second = bench(first.file);
    const shop = source<string>();
    second.behind.writeBehind('names', shop.save);
    await second.clock.settle();
    expect([...shop.values]).toEqual([['user::2', 'Grace']]);
    expect(second.behind.list()).toMatchObject(
      [{ key: 'user::1', value: undefined, error: /damaged/ }].map((one) => ({
        ...one,
        error: expect.stringMatching(one.error),
      })),
    );
    expect(second.behind.retry('all')).toBe(0);
    expect(second.behind.drop('all')).toBe(1);
    expect(rows(second.db)).toEqual([]);
  });
});

describe('a file that is damaged', () => {
  it('is set aside under a dated name and begun anew, said as an error with the way to what it held', () => {
    const file = join(folder(), 'write-behind.db');
    writeFileSync(file, 'this was a database once '.repeat(400));
    const { lines, logger } = keptLog();
    const db = openJournal(file, openFile, { logger, now: () => Date.UTC(2026, 0, 2) });
    onTestFinished(() => void db.close());
    const aside = `${file}.damaged-2026-01-02T00-00-00-000Z`;
    expect(lines).toMatchObject([
      { level: 'error', message: expect.stringContaining(`sqlite3 ${aside} ".recover"`) },
    ]);
    expect(readFileSync(aside, 'utf8')).toContain('once');
    expect(rows(db)).toEqual([]);
    expect(readdirSync(dirname(file))).toContain('write-behind.db');
  });
});

describe('a file that is not ours', () => {
  const opening = (file: string) => () => openJournal(file, openFile, { logger: silentLogger });

  it('is refused and left as it is where it is another program’s', () => {
    const file = join(folder(), 'shop.db');
    const shop = new Database(file);
    shop.exec('CREATE TABLE users (id TEXT)');
    shop.close();
    expect(opening(file)).toThrow(/belongs to another program\. It was left as it is/);
    const again = new Database(file);
    expect(again.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['users']);
    again.close();
  });

  it('is refused where it is of a newer version', () => {
    const file = join(folder(), 'write-behind.db');
    const db = openJournal(file, openFile, { logger: silentLogger });
    db.pragma('user_version = 99');
    db.close();
    expect(opening(file)).toThrow(/of a newer version of Cachecord/);
  });

  it('is refused where somebody has it already, in this process as well', () => {
    const { file } = bench();
    expect(opening(file)).toThrow(expect.objectContaining({ code: 'ERR_STORE_FAILED' }));
  });
});

describe('what makes no sense', () => {
  const { behind } = (() => {
    const cache = createCache({ maxWeightBytes: 1_000, tiers, cleanupIntervalMs: 1_000 });
    return {
      behind: () => createWriteBehind(openJournal(':memory:', openFile), cache, { logger: silentLogger }),
    };
  })();

  it.each([
    [{ maxBatch: 0 }, 'maxBatch of n is a count from 1, not 0.'],
    [{ maxBatch: 1.5 }, 'maxBatch of n is a count from 1, not 1.5.'],
    [{ maxPending: Number.NaN }, 'maxPending of n is a count from 1, not NaN.'],
    [{ maxDelayMs: -1 }, 'maxDelayMs of n is a time in milliseconds from 0, not -1.'],
    [{ coalesce: 'no' }, 'coalesce of n is a boolean, not no.'],
    [{ maxbatch: 3 }, 'there is no option "maxbatch" (did you mean maxBatch?)'],
  ])('is refused: %j', (options, message) => {
    expect(() => behind().writeBehind('n', () => undefined, options as object)).toThrow(message);
  });

  it('is refused as a name, a saver, a key or a synchronous level', async () => {
    const made = behind();
    const save = () => undefined;
    expect(() => made.writeBehind('', save)).toThrow('text of up to 100 characters');
    expect(() => made.writeBehind('x'.repeat(101), save)).toThrow('text of up to 100 characters');
    expect(() => made.writeBehind('n', null as never)).toThrow('takes the saver second');
    const write = made.writeBehind('n', save);
    expect(() => made.writeBehind('n', save)).toThrow('There is a writer called n already.');
    await expect(write('', 1)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    await expect(write('a*', 1)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    const { cache, db } = bench();
    expect(() => createWriteBehind(db, cache, { synchronous: 'off' as never })).toThrow(
      "'normal' or 'full', not off",
    );
  });

  it('zero is honoured: no delay, no pause, no list', async () => {
    const { behind: own, clock } = bench();
    const shop = source<number>();
    shop.failWith(() => new Error('down'));
    own
      .writeBehind('n', shop.save, { maxDelayMs: 0, maxDead: 0, maxAttempts: 1, backoffMs: 1_000 })
      .sync('user::1', 1);
    await clock.advanceAsync(1_500);
    expect(own.list()).toEqual([]);
    expect(own.stats().waiting).toBe(1);
  });
});

describe('synchronous', () => {
  it.each([
    ['normal', 1, 'kill'],
    ['full', 2, 'power-cut'],
  ] as const)(
    '%s is what the file is set to, and what it survives is told',
    (synchronous, level, survives) => {
      const { behind, db } = bench(undefined, { synchronous });
      expect(db.pragma('synchronous', { simple: true })).toBe(level);
      expect(behind.stats().survives).toBe(survives);
    },
  );
});
