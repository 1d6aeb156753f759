/**
 * The package as `npm pack` makes it, built once a run of the tests, by whoever asks first: the others wait for it.
 * It is made of a copy of the sources, so that a build of the checkout's own is not disturbed.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inject } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder of this run, which is removed at its end. */
    runFolder: string;
  }
}

/** How long the first who asks may take, on a machine that is busy: two compilers and npm. */
export const PACK_MS = 120_000;

export interface PackedPackage {
  /** The file that `npm pack` made. */
  readonly tarball: string;
  /** What is in it, beside no other package: to be linked, or copied, into a host's `node_modules`. */
  readonly folder: string;
}

export function packedPackage(): PackedPackage {
  const folder = join(inject('runFolder'), 'packed');
  const ready = join(folder, 'ready.json');
  try {
    mkdirSync(folder); // only one can
  } catch (error) {
    if (!existsSync(folder)) throw error;
    for (const until = Date.now() + PACK_MS; !existsSync(ready); ) {
      if (Date.now() > until) throw new Error('The package was not packed in time.');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
    return JSON.parse(readFileSync(ready, 'utf8')) as PackedPackage;
  }
  const packed = pack(folder);
  writeFileSync(`${ready}.part`, JSON.stringify(packed));
  renameSync(`${ready}.part`, ready);
  return packed;
}

function pack(folder: string): PackedPackage {
  const copy = join(folder, 'checkout');
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  const needed = [
    ...files.filter((file) => file !== 'dist' && !file.startsWith('!')),
    'src',
    'scripts',
    'package.json',
    'README.md',
    'LICENSE',
  ];
  for (const file of [...needed, 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(join(root, file), join(copy, file), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  // What npm would run before, with this very Node.
  execFileSync(process.execPath, [join(copy, 'scripts/build.ts')], { encoding: 'utf8', stdio: 'pipe' });
  const options = ['--json', '--ignore-scripts', '--pack-destination', folder];
  const told = execFileSync('npm', ['pack', ...options], { cwd: copy, encoding: 'utf8' });
  const [{ filename }] = JSON.parse(told) as [{ filename: string }];
  const tarball = join(folder, filename);
  execFileSync('tar', ['-xzf', tarball, '-C', folder]);
  return { tarball, folder: join(folder, 'package') };
}
