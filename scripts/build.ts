/**
 * Builds the package: `node scripts/build.ts [folder]`, by default into `dist/`. The compiler gives declarations and ES
 * modules; the modules are then put together as CommonJS, which `require`, `import` and Jest load alike, so that a
 * process has one copy of the code, by whichever of them it comes. `docs/decisions.md` says why.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

const root = resolve(import.meta.dirname, '..');
const folder = resolve(process.argv[2] ?? join(root, 'dist'));
/** What the entries of the package load. */
const PARTS = ['index', 'http/undici', 'http/hono', 'metrics/prometheus', 'sapphire/hooks', 'deploy/main'];
/** The only dependency that is an ES module and nothing else; it comes along. */
const INLINED = 'devalue';

rmSync(folder, { recursive: true, force: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', folder];
execFileSync(process.execPath, [compiler, ...options], { stdio: 'inherit' });

const bundle = await rolldown({
  input: Object.fromEntries(PARTS.map((part) => [part, join(folder, `${part}.js`)])),
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id) && id !== INLINED,
  resolve: { modules: [join(root, 'node_modules')] },
  // So that hosts which bundle the package again find no `import.meta`, nor what stands for it: see own-place.ts.
  transform: { define: { 'import.meta.url': 'undefined' } },
});
const { output } = await bundle.generate({
  format: 'cjs',
  exports: 'named',
  chunkFileNames: 'parts/[name].js',
});
await bundle.close();
for (const file of filesIn(folder)) if (file.endsWith('.js')) rmSync(file);
for (const chunk of output) {
  if (chunk.type === 'chunk') writeTo(chunk.fileName, chunk.code);
}
writeTo('package.json', '{ "type": "commonjs" }\n');
copyFileSync(join(root, 'node_modules', INLINED, 'LICENSE'), join(folder, `LICENSE-${INLINED}`));

for (const file of filesIn(folder)) {
  if (/\.d\.[mc]?ts$/.test(file)) {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll(/(['"]\.{1,2}\/[^'"]*)\.([mc]?)ts(['"])/g, '$1.$2js$3'));
  }
}

// ES modules get the names of the one copy.
const require = createRequire(join(folder, 'package.json'));
const entries = join(folder, 'entries');
for (const name of readdirSync(entries).filter((file) => file.endsWith('.mjs'))) {
  const from = `./${name.replace('.mjs', '.cjs')}`;
  const names = Object.keys(require(join(entries, from))).sort();
  writeFileSync(
    join(entries, name),
    `import api from '${from}';\n\nexport const { ${names.join(', ')} } = api;\n`,
  );
}

function writeTo(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
