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

  it('lets what is being saved end, and does not try it again', async () => {
    const { behind, clock, db } = bench();
    const shop = source<string>();
    shop.hold();
    shop.failWith(() => new Error('down'));
    behind.writeBehind('names', shop.save).sync(`user::${PERSON}`, 'Secret');
    await clock.advanceAsync(100);
    expect(behind.forget(`*::${PERSON}`)).toBe(1);
    shop.release();
    await clock.advanceAsync(600_000);
    expect(shop.batches).toHaveLength(1);
    expect(rows(db)).toEqual([]);
    expect(behind.figures()).toMatchObject({ waiting: 0, dead: 0 });
  });

  it('counts none where there is no write-behind', async () => {
    const { cache } = bench();
    expect(await forget(cache, 'guild', PERSON)).toMatchObject({ writes: 0 });
  });
});
