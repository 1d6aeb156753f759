/** The database in trouble, and what the loading policies make of it: seen on the page, as a person would. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/db/open.ts';
import { launchBrowser, type PlaygroundProcess, startPlaygroundProcess } from './playground-process.ts';

/** For a machine that is busy with other tests; nothing takes this long by itself. */
const PATIENCE_MS = 15_000;
/** The leaderboard grows old at once, and nothing but grace and the timeouts covers it then. */
const CONFIG = {
  cache: {
    ttl_query: 0.2,
    jitter: 0,
    tiers: { query: { grace: 600, grace_backoff: 0.1, soft_timeout: 0.2, hard_timeout: 2.5 } },
  },
};

let folder: string;
let browser: Browser;
let playground: PlaygroundProcess;
let page: Page;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cachecord-e2e-'));
  [playground, browser] = await Promise.all([startPlaygroundProcess(folder, CONFIG), launchBrowser()]);
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(playground.url);
  await page.locator('.status.online').waitFor({ state: 'attached' });
});

afterAll(async () => {
  await browser?.close();
  playground?.child.kill('SIGTERM');
  await playground?.ended;
  rmSync(folder, { recursive: true, force: true });
});

async function trouble(kind: string): Promise<void> {
  onTestFinished(async () => void (await page.locator('#database').selectOption('healthy')));
  await page.locator('#database').selectOption(kind);
  await page.locator(`#database[data-trouble=${kind}]`).waitFor();
}

/** Runs /leaderboard. @returns what it is answered with */
async function leaderboard(): Promise<string> {
  const messages = page.locator('#feed .message');
  const before = await messages.count();
  await page.locator('#composer').fill('/leaderboard');
  await page.getByRole('option', { name: '/leaderboard' }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const answer = messages.nth(before);
  await answer.locator('.container').waitFor();
  return answer.innerText();
}

/** How many old values were served for this reason, as the page tells it. */
async function stale(reason: string): Promise<number> {
  const text = await page.locator('#stale').textContent();
  return Number(new RegExp(`${reason} ([\\d,]+)`).exec(text ?? '')?.[1] ?? 0);
}

const shown = () => page.locator('#stale').innerText();

it('serves the old leaderboard while the database fails and says so, and a fresh one afterwards', async () => {
  expect(await leaderboard()).toContain('Leaderboard');
  await trouble('failing');
  await expect
    .poll(
      async () => {
        expect(await leaderboard()).toContain('Leaderboard');
        return page.locator('#stale').count();
      },
      { timeout: PATIENCE_MS },
    )
    .toBe(1);
  await expect.poll(() => stale('failed'), { timeout: PATIENCE_MS }).toBeGreaterThan(0);
  expect(await shown()).toMatch(/\d+ loads? failed/);
  expect(await shown()).toContain('query::leaderboard::top10');

  const db = openDatabase(playground.databasePath);
  db.exec("UPDATE users SET name = 'Renamed'");
  db.close();
  await page.locator('#database').selectOption('healthy');
  await expect.poll(() => leaderboard(), { timeout: PATIENCE_MS }).toContain('Renamed');
});

it('serves the old leaderboard rather than wait for a slow database', async () => {
  await leaderboard();
  await trouble('slow');
  await expect
    .poll(
      async () => {
        expect(await leaderboard()).toContain('Leaderboard');
        return stale('slow');
      },
      { timeout: PATIENCE_MS },
    )
    .toBeGreaterThan(0);
});

it('gives up a load that gets no answer, and serves the old leaderboard meanwhile', async () => {
  await leaderboard();
  await trouble('stuck');
  await expect
    .poll(
      async () => {
        expect(await leaderboard()).toContain('Leaderboard');
        return shown();
      },
      { timeout: PATIENCE_MS },
    )
    .toMatch(/\d+ timed out/);
});
