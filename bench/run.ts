/**
 * `npm run bench [-- section …]`: every section in a process of its own, so that none finds the heap of another.
 * Ratios are measured in one run, contestants in turns; absolute times are this machine's.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SECTIONS = [
  'hits',
  'policies',
  'stampede',
  'invalidation',
  'memory',
  'shop',
  'feed',
  'disk',
  'http',
  'warmth',
  'prediction',
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SECTIONS.includes(name));
if (unknown.length > 0) {
  console.error(`There is no section ${unknown.join(', ')}; there are ${SECTIONS.join(', ')}.`);
  process.exit(2);
}
console.log(`# Cachecord beside its peers — Node ${process.version}`);
for (const section of wanted.length > 0 ? wanted : SECTIONS) {
  const file = fileURLToPath(new URL(`./${section}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--max-old-space-size=8192', file], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
