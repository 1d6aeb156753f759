/**
 * The package as a host's `node_modules` has it: packed, beside the packages of this repository. Programs started here
 * find a local Discord where they would look for Discord, without a line of their own for it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { packedPackage } from '../support/packed-package.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Node does not know the local Discord; a program's REST clients are pointed to it before it begins. */
const PRELOAD = `
const { DefaultRestOptions } = require('@discordjs/rest');
DefaultRestOptions.api = process.env.LOCAL_DISCORD;
`;

export interface Program {
  readonly child: ChildProcess;
  /** What it wrote so far, to both of its outputs. */
  readonly output: () => string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

/** A folder whose `node_modules` has the built package, and what may be done in it. */
export class HostFolder {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'cachecord-host-'));
    const modules = join(this.path, 'node_modules');
    mkdirSync(modules);
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name !== 'cachecord') symlinkSync(join(root, 'node_modules', name), join(modules, name));
    }
    cpSync(packedPackage().folder, join(modules, 'cachecord'), { recursive: true });
    this.write('preload.cjs', PRELOAD);
  }

  write(file: string, text: string): string {
    const path = join(this.path, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Puts one of the examples here, as it is. */
  copyExample(name: string): string {
    const path = join(this.path, name);
    cpSync(join(root, 'examples', name), path, { recursive: true });
    return path;
  }

  /** Checks the types of a project that uses the package. */
  checkTypes(files: readonly string[]): string {
    const options = ['--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext', '--types', 'node'];
    const more = ['--allowImportingTsExtensions', '--verbatimModuleSyntax', '--skipLibCheck', 'false'];
    try {
      this.#node([join(root, 'node_modules/typescript/bin/tsc'), ...options, ...more, ...files], this.path);
      return '';
    } catch (error) {
      // What tsc found wrong is on its standard output.
      return String((error as { stdout?: unknown }).stdout);
    }
  }

  /** Starts a program of a host in `folder`; it ends with the test. */
  start(
    folder: string,
    script: string,
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
  ): Program {
    const child = spawn(process.execPath, ['--require', join(this.path, 'preload.cjs'), script, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    const ended = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { child, output: () => output, ended };
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #node(args: readonly string[], cwd: string = root): void {
    execFileSync(process.execPath, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
  }
}
