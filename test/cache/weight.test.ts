import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { HEAP_SHAPES } from '../../bench/heap-shapes.ts';

const FIXTURE = 'test/cache/fixtures/heap-ratios.ts';

describe('I5: what is counted is what the heap grows by, within a tenth', () => {
  const ratios: Record<string, number> = {};
  beforeAll(async () => {
    const measured = async (names: readonly string[]) => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', FIXTURE, ...names]);
      Object.assign(ratios, JSON.parse(stdout));
    };
    // By itself: zstd holds memory of its own, which comes and goes.
    const names = Object.keys(HEAP_SHAPES);
    await measured(names.filter((name) => name.startsWith('compressed')));
    await measured(names.filter((name) => !name.startsWith('compressed')));
  }, 180_000);

  it.each(Object.keys(HEAP_SHAPES))('for %s', (name) => {
    expect(ratios[name]).toBeGreaterThanOrEqual(0.9);
    expect(ratios[name]).toBeLessThanOrEqual(1.1);
  });
});
