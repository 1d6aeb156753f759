/** Forgetting: what the journal and the list hold of somebody goes, also from the bytes of the file. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { forget } from '../../src/forget.ts';
import { bench, rows, source } from './support.ts';

const PERSON = '80351110224678912';
const OTHER = '803511102246789125';

describe('forgetting a person', () => {
  it('removes what waits, what rests, what cannot be saved and what nobody has taken, and counts it', async () => {
    const before = bench();
    await before.behind.writeBehind('old', source().save)(`user::${PERSON}::old`, 'Secret Old');
    before.die();
    const { behind, cache, clock, db, file } = bench(before.file);
    const broken = source();
    broken.failWith(() => new Error('down'));
    const dead = behind.writeBehind('dead', broken.save, { maxAttempts: 1 });
    const resting = behind.writeBehind('resting', broken.save, { backoffMs: 60_000 });
    dead.sync(`user::${PERSON}::dead`, 'Secret Dead');
    resting.sync(`user::${PERSON}::resting`, 'Secret Resting');
    await clock.advanceAsync(100);
    const waiting = behind.writeBehind('waiting', source().save, { maxDelayMs: 60_000 });
    waiting.sync(`user::${PERSON}`, 'Secret Waiting');
    waiting.sync(`guild::1::${PERSON}`, 'Secret Also');
    waiting.sync(`user::${OTHER}`, 'Other');

    const receipt = await forget(cache, 'user', PERSON, [], { writeBehind: behind });
    expect(receipt).toMatchObject({ writes: 5 });
    expect(rows(db)).toMatchObject([{ key: `user::${OTHER}` }]);
    expect(waiting.pending(`user::${PERSON}`)).toEqual({ state: 'miss' });
    expect(cache.getOrLoadSync(`user::${PERSON}`, () => null)).toBeNull();
    const bytes = [file, `${file}-wal`].filter(existsSync).map((path) => readFileSync(path, 'latin1'));
    expect(bytes.join()).toContain('Other');
    expect(bytes.join()).not.toContain('Secret');
  });

  it('I15: removes what is written in any spelling of the id, wherever it stands in the key', async () => {
    const { behind, cache, db } = bench();
    const write = behind.writeBehind('names', source().save, { maxDelayMs: 60_000 });
    const theirs = [PERSON, `${PERSON}::a`, `user::%i${PERSON}::a`, `user::0${PERSON}`, `user:${PERSON}:a`];
    for (const key of [...theirs, `user::${OTHER}`]) write.sync(key, 'Secret');
    expect(await forget(cache, 'user', PERSON, [], { writeBehind: behind })).toMatchObject({
      writes: theirs.length,
    });
    expect(rows(db)).toMatchObject([{ key: `user::${OTHER}` }]);
    write.sync('user::#7', 1);
    expect(behind.forget('user::7')).toMatchObject({ writes: 1 });
  });

  it('lets what is being saved end, and does not try it again', async () => {
    const { behind, clock, db } = bench();
    const shop = source<string>();
    shop.hold();
    shop.failWith(() => new Error('down'));
    behind.writeBehind('names', shop.save).sync(`user::${PERSON}`, 'Secret');
    await clock.advanceAsync(100);
    expect(behind.forget(`*::${PERSON}`)).toEqual({ writes: 1, isUnfinished: false });
    shop.release();
    await clock.advanceAsync(600_000);
    expect(shop.batches).toHaveLength(1);
    expect(rows(db)).toEqual([]);
    expect(behind.stats()).toMatchObject({ waiting: 0, dead: 0 });
  });

  it('says that it is unfinished where the file takes no removal, saves nothing of them, and goes on later', async () => {
    const { behind, cache, clock, db, file } = bench();
    const shop = source<string>();
    const write = behind.writeBehind('names', shop.save, { maxDelayMs: 60_000 });
    cache.set(`user::${PERSON}::profile`, 'Secret Profile');
    write.sync(`user::${PERSON}`, 'Secret Waiting');
    write.sync(`user::${OTHER}`, 'Other');
    db.pragma('query_only = ON');
    expect(await forget(cache, 'user', PERSON, [], { writeBehind: behind })).toMatchObject({
      entries: 1,
      writes: 0,
      isUnfinished: true,
    });
    expect(write.pending(`user::${PERSON}`)).toEqual({ state: 'miss' });
    await clock.advanceAsync(10_000);
    db.pragma('query_only = OFF');
    await clock.advanceAsync(5_000);
    expect(rows(db)).toMatchObject([{ key: `user::${OTHER}` }]);
    const bytes = [file, `${file}-wal`].filter(existsSync).map((path) => readFileSync(path, 'latin1'));
    expect(bytes.join()).not.toContain('Secret');
    await clock.advanceAsync(60_000);
    expect([...shop.values.keys()]).toEqual([`user::${OTHER}`]);
    const timers = clock.pendingTimers;
    await behind.stop();
    expect(clock.pendingTimers).toBeLessThanOrEqual(timers);
  });

  it('gives a name that is taken later none of what is to be forgotten', async () => {
    const before = bench();
    await before.behind.writeBehind('old', source().save)(`user::${PERSON}::old`, 'Secret Old');
    before.die();
    const { behind, cache, clock, db } = bench(before.file);
    db.pragma('query_only = ON');
    expect(await forget(cache, 'user', PERSON, [], { writeBehind: behind })).toMatchObject({ writes: 0 });
    const shop = source();
    behind.writeBehind('old', shop.save);
    await clock.advanceAsync(60_000);
    expect(shop.batches).toEqual([]);
    db.pragma('query_only = OFF');
    await behind.stop();
    expect(rows(db)).toEqual([]);
  });

  it('forgets in the cache, too, where the journal cannot be read, and says so', async () => {
    const { behind, cache, db } = bench();
    behind.writeBehind('names', source().save);
    cache.set(`user::${PERSON}::profile`, 'Secret Profile');
    db.exec('DROP TABLE writes');
    await expect(forget(cache, 'user', PERSON, [], { writeBehind: behind })).rejects.toThrow('writes');
    expect(cache.has(`user::${PERSON}::profile`)).toBe(false);
  });

  it('I10: a write whose drop the file refused, and that is tried again, is not lost', async () => {
    const { behind, clock, db } = bench();
    const shop = source<string>();
    shop.failWith(() => new Error('down'));
    const write = behind.writeBehind('names', shop.save, { maxAttempts: 1 });
    write.sync(`user::${OTHER}`, 'Other');
    await clock.advanceAsync(1_000);
    const [letter] = behind.list();
    db.pragma('query_only = ON');
    expect(() => behind.drop(letter?.id ?? 0)).toThrow('readonly');
    db.pragma('query_only = OFF');
    behind.retry('all');
    write.sync('user::3', 'later');
    expect(rows(db)).toMatchObject([{ key: `user::${OTHER}` }, { key: 'user::3' }]);
  });

  it('counts none where there is no write-behind', async () => {
    const { cache } = bench();
    expect(await forget(cache, 'guild', PERSON)).toMatchObject({ writes: 0 });
  });
});
