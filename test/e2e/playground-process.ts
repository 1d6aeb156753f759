/** `npm start` without a token in a process of its own, with a small shop in a folder that goes with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';
// @ts-expect-error it is plain JavaScript, so that any Node can run it
import { findBrowser } from '../../scripts/ensure-browser.js';
import { generateShop } from '../../src/db/generator.ts';
import { openDatabase } from '../../src/db/open.ts';

const START = path.join(import.meta.dirname, '../../start.js');

export interface PlaygroundProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly databasePath: string;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/**
 * Runs start.js; resolves when it tells where the page is.
 * @param within a folder that the caller removes
 * @param config what config.json says there
 */
export async function startPlaygroundProcess(
  within: string,
  config: object = {},
): Promise<PlaygroundProcess> {
  const cwd = mkdtempSync(path.join(within, 'playground-'));
  writeFileSync(path.join(cwd, 'config.json'), JSON.stringify(config));
  const databasePath = path.join(cwd, 'shop.sqlite');
  const db = openDatabase(databasePath);
  generateShop(db, { products: 120, users: 40, orders: 600, now: Date.now() });
  db.close();
  const child = spawn(process.execPath, [START], {
    cwd,
    env: { PATH: process.env.PATH, PORT: '0', DATABASE_PATH: databasePath },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: PlaygroundProcess['ended'] = new Promise((done) => {
    child.once('exit', (code, signal) => done({ code, signal }));
  });
  let output = '';
  const url = await new Promise<string>((found, fail) => {
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
      const address = /playground is at (http:\S+)/.exec(output)?.[1];
      if (address !== undefined) found(address);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void ended.then(() => fail(new Error(`start.js has ended:\n${output}`)));
  });
  return { child, url, databasePath, ended };
}

/** A real Chromium. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  return chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  });
}
