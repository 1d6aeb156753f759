import { expect, it } from 'vitest';
import { runCrashes } from './harness.ts';

const SEED = 20_260;

it('I9, I10: after each of 100 kills at random instants every cached read equals the database, every acknowledged write is there once, and all files are sound', async () => {
  const { problems, folder, ...figures } = await runCrashes({ kills: 100, seed: SEED });
  expect(problems, `npm run crash -- --kills 100 --seed ${SEED}; the files are in ${folder}`).toEqual([]);
  // All of it has happened.
  expect(figures.acknowledged).toBeGreaterThan(20);
  expect(figures.edits).toBeGreaterThan(100);
  expect(figures.restored).toBeGreaterThan(100);
  expect(figures.resumed).toBeGreaterThan(50);
}, 240_000);
