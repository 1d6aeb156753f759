import { describe, expect, it } from 'vitest';
import { diskOf, feedOf, INTERVAL_MS, never, placeForEach } from './support.ts';

const place = placeForEach();

describe('two processes on one file', () => {
  it('I8: what one is writing while the other invalidates it is not served by either', () => {
    const second = place.start();
    let isWriting = false;
    const first = place.start(
      {},
      feedOf({
        drain() {
          // Between this and its commit the other process hears of a change that was not there yet.
          if (isWriting) second.invalidate('config::a');
          return true;
        },
      }),
    );
    isWriting = true;
    first.set('config::a', 'outdated');
    isWriting = false;
    expect(place.rows()).toEqual(['config::a']);
    expect(second.getOrLoadSync('config::a', () => 'new', { persist: 'memory' })).toBe('new');
    place.clock.advance(1_000);
    expect(place.rows()).toEqual([]);
    expect(diskOf(second)).toMatchObject({ state: 'ready' });
  });

  it('I8: an entry that a change has outdated is not written, though the other process has applied it long since', async () => {
    let isBehind = false;
    const first = place.start(
      {},
      feedOf({
        drain() {
          if (isBehind) first.invalidate('products::a');
          return true;
        },
      }),
    );
    first.set('products::a', 'outdated');
    const second = place.start();
    second.invalidate('products::a');
    isBehind = true;
    await first.persist();
    expect(place.rows()).toEqual([]);
  });

  it('I9: what the other has written is believed where the feed tells of it, and only there', () => {
    const first = place.start();
    const second = place.start({}, feedOf({ tellsOf: (key) => key !== 'config::untold' }));
    first.set('config::told', 'there');
    first.set('config::untold', 'there');
    expect(second.getOrLoadSync('config::told', never)).toBe('there');
    expect(second.getOrLoadSync('config::untold', () => 'loaded', { persist: 'memory' })).toBe('loaded');
    // Its own it follows as it follows memory.
    expect(diskOf(second)).toMatchObject({ hits: 1, unproven: 1 });
  });

  it('I9: a gap that could not be written down at once is, before anything else', async () => {
    const first = place.start();
    first.set('config::a', 'old');
    await first.stop();
    const writer = place.connect();
    const second = place.start({}, null);
    writer.exec('BEGIN IMMEDIATE');
    second.provenBy(feedOf({ beginning: 'gap' }));
    expect(second.getOrLoadSync('config::a', () => 'new', { persist: 'memory' })).toBe('new');
    writer.exec('ROLLBACK');
    place.clock.advance(INTERVAL_MS);
    await place.clock.settle();
    place.kill(second);
    const third = place.start();
    expect(third.getOrLoadSync('config::a', () => 'new', { persist: 'memory' })).toBe('new');
  });

  it('a value that memory has lost again does not give way to an older one on disk', async () => {
    const cache = place.start({ maxWeightBytes: 20_000 });
    cache.set('config::a', 'old');
    // Not written down, as others of its kind are.
    cache.getOrLoadSync('config::a', () => 'new', { fresh: true, persist: 'memory' });
    for (let i = 0; i < 500; i++) cache.set(`user::${i}`, 'x'.repeat(100));
    expect(cache.has('config::a')).toBe(false);
    expect(cache.getOrLoadSync('config::a', () => 'newest', { persist: 'memory' })).toBe('newest');
    await cache.persist();
    expect(place.rows()).toEqual([]);
  });
});

describe('an invalidation', () => {
  it('reaches what depends on what it covers, through any number of others, in memory or on disk alone', async () => {
    const first = place.start();
    const fill = () => {
      first.set('config::c', 3, { dependsOn: ['config::b'] });
      first.set('config::b', 2, { dependsOn: ['config::a'] });
      first.set('config::a', 1, { tags: ['t'] });
    };
    for (const target of ['config::a', { tag: 't' }, 'config::a*'] as const) {
      fill();
      const other = place.start();
      other.invalidate(target);
      expect(place.rows(), JSON.stringify(target)).toEqual([]);
      first.clear();
    }
  });

  it('reaches what is on disk and depends on what is in memory alone', () => {
    const cache = place.start({ maxWeightBytes: 20_000 });
    cache.set('user::a', 1, { tags: ['t'] });
    cache.set('config::b', 2, { dependsOn: ['user::a'] });
    cache.invalidate({ tag: 't' });
    expect(place.rows()).toEqual([]);
  });

  it('of a pattern covers keys that end in the last character there is', () => {
    const cache = place.start();
    cache.set('config::\u{10ffff}z', 1);
    cache.invalidate('config::*');
    expect(place.rows()).toEqual([]);
  });

  it('I2: that covers much is not served once it has returned, though the disk was locked meanwhile', async () => {
    const cache = place.start();
    for (let i = 0; i < 900; i++) cache.set(`config::${i}`, i, { dependsOn: i === 899 ? ['config::0'] : [] });
    cache.invalidate('config::*');
    const writer = place.connect();
    writer.exec('BEGIN IMMEDIATE');
    await place.clock.settle();
    writer.exec('ROLLBACK');
    expect(place.rows().length).toBeGreaterThan(600);
    const next = place.start();
    expect(next.getOrLoadSync('config::899', () => 'loaded', { persist: 'memory' })).toBe('loaded');
    expect(next.getOrLoadSync('config::77', () => 'loaded', { persist: 'memory' })).toBe('loaded');
    place.clock.advance(INTERVAL_MS);
    await place.clock.settle();
    expect(place.rows()).toEqual([]);
  });

  it('I12: that the disk does not take is kept, and many of them as one that covers everything', () => {
    const cache = place.start();
    for (let i = 0; i < 10; i++) cache.set(`config::${i}`, i);
    const writer = place.connect();
    writer.exec('BEGIN IMMEDIATE');
    const beganAt = performance.now();
    for (let i = 0; i < 1_000; i++) cache.invalidate(`user::${i}`);
    expect(performance.now() - beganAt).toBeLessThan(1_000);
    cache.invalidate('config::1');
    expect(cache.getOrLoadSync('config::1', () => 'loaded', { persist: 'memory' })).toBe('loaded');
    writer.exec('ROLLBACK');
    place.clock.advance(1_000);
    expect(place.rows()).toEqual([]);
    cache.set('config::1', 'again');
    expect(place.rows()).toEqual(['config::1']);
  });
});
