/** Forced reads: what was given once is not followed by what is older. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import { bench, heldLoader } from './support.ts';

const KEY = 'user::1';

function forced() {
  const { cache, clock } = bench();
  cache.set(KEY, 'v0');
  const loader = heldLoader<string>();
  const begin = () => {
    const read = cache.getOrLoad(KEY, loader.load, { fresh: true });
    read.catch(() => undefined);
    return read;
  };
  return { cache, clock, begin, ...loader, give: loader.give, fail: loader.fail };
}

it('keeps the value of the first where the second of two fails', async () => {
  const { cache, begin, give, fail } = forced();
  const [first, second] = [begin(), begin()];
  give('v1', 0);
  expect(await first).toBe('v1');
  expect(cache.get(KEY)).toBe('v1');
  fail(new Error('down'), 1);
  await expect(second).rejects.toThrow('down');
  expect(cache.get(KEY)).toBe('v1');
  expect(cache.stats().loading).toBe(0);
});

it('keeps the value of the first, too, where it comes after the second has failed', async () => {
  const { cache, begin, give, fail } = forced();
  const [first, second] = [begin(), begin()];
  fail(new Error('down'), 1);
  await expect(second).rejects.toThrow('down');
  expect(cache.get(KEY)).toBe('v0');
  give('v1', 0);
  await first;
  expect(cache.get(KEY)).toBe('v1');
});

it('keeps the value of the second, whichever of two ends first', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { cache, begin, give } = forced();
    const reads = [begin(), begin()];
    for (const load of order) {
      give(`v${load + 1}`, load);
      await reads[load];
    }
    expect(cache.get(KEY)).toBe('v2');
  }
});

it('lets go of the old value where the new one is void by a tag or dependency that was learnt too late', async () => {
  for (const link of [
    (of: LoadContext) => of.tag('late'),
    (of: LoadContext) => of.dependsOn('config::late'),
  ]) {
    const { cache, begin, give, contexts } = forced();
    const read = begin();
    cache.invalidate({ tag: 'late' }, 'config::late');
    link(contexts[0] as LoadContext);
    give('v1');
    expect(await read).toBe('v1');
    expect(cache.get(KEY)).toBeUndefined();
  }
});

it('I2: invalidations and writes cover a load whose place a newer one took', async () => {
  for (const cover of ['key', 'pattern', 'tag', 'dependency', 'clear', 'set'] as const) {
    const { cache, begin, give, fail, contexts } = forced();
    const [first, second] = [begin(), begin()];
    contexts[0]?.tag('t');
    contexts[0]?.dependsOn('config::a');
    if (cover === 'key') cache.invalidate(KEY);
    if (cover === 'pattern') cache.invalidate('user::*');
    if (cover === 'tag') cache.invalidate({ tag: 't' });
    if (cover === 'dependency') cache.invalidate('config::a');
    if (cover === 'clear') cache.clear();
    if (cover === 'set') cache.set(KEY, 'written');
    fail(new Error('down'), 1);
    await expect(second).rejects.toThrow('down');
    give('v1', 0);
    expect(await first).toBe('v1');
    expect(cache.get(KEY), cover).toBe(cover === 'set' ? 'written' : undefined);
    expect(cache.stats().loading).toBe(0);
  }
});

it('never goes back, whatever the order in which loads begin, end, fail and are invalidated', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('begin', 'give', 'fail', 'invalidate', 'tag', 'late', 'set'), {
        maxLength: 25,
      }),
      fc.infiniteStream(fc.nat()),
      async (steps, choices) => {
        const { cache, begin, give, fail, contexts } = forced();
        const running = new Set<number>();
        // What the key stands for at least: the number of the newest load that has given its value.
        let newest = 0;
        let begun = 0;
        const choose = () => [...running][Number(choices.next().value) % Math.max(1, running.size)];
        for (const step of steps) {
          const load = step === 'begin' ? undefined : choose();
          if (step === 'begin') {
            void begin();
            running.add(begun++);
          } else if (step === 'invalidate') cache.invalidate(KEY);
          else if (step === 'tag') cache.invalidate({ tag: 't' });
          else if (step === 'set') {
            newest = Math.max(newest, begun);
            cache.set(KEY, `v${newest}`);
          } else if (load !== undefined) {
            if (step === 'late') contexts[load]?.tag('t');
            else {
              running.delete(load);
              if (step === 'give') {
                give(`v${load + 1}`, load);
                newest = Math.max(newest, load + 1);
              } else fail(new Error('down'), load);
            }
          }
          for (let ticks = 0; ticks < 10; ticks++) await undefined;
          const kept = cache.get<string>(KEY);
          if (kept !== undefined) expect(Number(kept.slice(1))).toBeGreaterThanOrEqual(newest);
        }
      },
    ),
    { numRuns: 300 },
  );
});
