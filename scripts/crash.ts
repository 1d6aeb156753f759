/**
 * `npm run crash -- --kills 1000 --seed 7`: kills bots at random instants, and looks whether anything stale is served
 * or anything acknowledged is lost afterwards. See `test/crash/harness.ts`.
 */
import { parseArgs } from 'node:util';
import { runCrashes } from '../test/crash/harness.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    bots: { type: 'string', default: '2' },
  },
});
const [kills, seed, slots] = [values.kills, values.seed, values.bots].map(Number);
if (![kills, seed, slots].every((each) => Number.isSafeInteger(each) && Number(each) > 0)) {
  console.error('npm run crash -- --kills 1000 --seed 7 --bots 2');
  process.exit(2);
}

console.log(`${kills} kills of ${slots} bots with seed ${seed}`);
const beganAt = performance.now();
const report = await runCrashes({
  kills: Number(kills),
  seed: Number(seed),
  slots: Number(slots),
  onProgress: (killed) => {
    if (killed % 100 === 0) console.log(`${killed} killed`);
  },
});
const { problems, folder, ...figures } = report;
console.log({ ...figures, seconds: Math.round((performance.now() - beganAt) / 1_000) });
if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  console.error(`Again: npm run crash -- --kills ${kills} --seed ${seed}; the files are in ${folder}`);
  process.exitCode = 1;
}
