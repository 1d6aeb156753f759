/** The bot killed and started again, and its database changed behind its back: seen on the page, as a person would. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, type PlaygroundProcess, startPlaygroundProcess } from './playground-process.ts';

/** For a machine that is busy with other tests; nothing takes this long by itself. */
const PATIENCE_MS = 15_000;

let folder: string;
let browser: Browser;
let playground: PlaygroundProcess;
let page: Page;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cachecord-e2e-'));
  [playground, browser] = await Promise.all([startPlaygroundProcess(folder), launchBrowser()]);
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(playground.url);
  await page.locator('.status.online').waitFor({ state: 'attached' });
  await page.locator('#outsider summary').click();
});

afterAll(async () => {
  await browser?.close();
  playground?.child.kill('SIGTERM');
  await playground?.ended;
  rmSync(folder, { recursive: true, force: true });
});

/** Writes an amount behind the bot's back. @returns what the form says of it */
async function write(what: 'price' | 'wallet', amount: string): Promise<string> {
  await page.locator('#outsider-form select').first().selectOption(what);
  await page.locator('#outsider-form input').fill(amount);
  await page.locator('#outsider-form button[type=submit]').click();
  await page.getByText('Written.').waitFor();
  return page.locator('#outsider-form [role=status]').innerText();
}

/** Presses the button beside what was written. @returns what the bot answers */
async function askTheBot(): Promise<string> {
  const messages = page.locator('#feed .message');
  const before = await messages.count();
  await page.getByRole('button', { name: 'Ask the bot' }).click();
  return answered(before);
}

async function run(command: string): Promise<string> {
  const before = await page.locator('#feed .message').count();
  await page.locator('#composer').fill(`/${command}`);
  await page.getByRole('option', { name: `/${command}` }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  return answered(before);
}

async function answered(before: number): Promise<string> {
  const answer = page.locator('#feed .message').nth(before);
  await answer.locator('.container').waitFor();
  return answer.innerText();
}

/** What an answer has cost, in the words below it. */
const lastCost = () => page.locator('#feed .cost').last().innerText();
const lastNote = () => page.locator('#feed .note').last().innerText();

const onDisk = () => page.locator('#disk').innerText();

it('shows the right price once somebody has changed it behind the bot, and had it cached before', async () => {
  await write('price', '123.45');
  expect(await askTheBot()).toContain('$123.45');
  expect(await write('price', '6.78')).toContain('$123.45 became $6.78.');
  expect(await lastNote()).toMatch(
    /from \$123\.45 to \$6\.78\. The bot noticed within \d+ ms, and dropped [1-9]/,
  );
  // It has noticed: no second try.
  expect(await askTheBot()).toContain('$6.78');
  await expect.poll(lastCost).toMatch(/^Answered in \d+ ms · [1-9]\d* database quer/);
  await askTheBot();
  await expect.poll(lastCost).toMatch(/^Answered in \d+ ms · no database query$/);
});

it("shows the right balance once somebody has changed one's wallet behind the bot", async () => {
  expect(await run('wallet')).not.toContain('$4,321.00');
  await write('wallet', '4321');
  await expect.poll(askTheBot, { timeout: PATIENCE_MS }).toContain('$4,321.00');
});

it('I9: kills the bot, changes a price while it is down, and shows that price and the warmth that is left', {
  timeout: 2 * PATIENCE_MS + 10_000,
}, async () => {
  await run('leaderboard');
  await expect.poll(onDisk, { timeout: PATIENCE_MS }).toMatch(/[1-9]\d* entries/);
  await page.locator('#bot').getByRole('button', { name: 'Kill' }).click();
  await page.getByText('What its cache has on disk waits for the next start.').waitFor();
  expect(await page.locator('#bot .status').innerText()).toContain('SIGKILL');
  await write('price', '99.01');
  await page.locator('#bot').getByRole('button', { name: 'Start the bot again' }).click();
  await page.locator('.status.online').waitFor();
  await page.getByText('at the start').waitFor();
  await expect
    .poll(lastNote)
    .toMatch(/is back, after [\d.]+ s\. It found [1-9]\d* entries on disk\. .*(?:it|has) asked the database/);
  // No second try: what was committed before the start is never answered with what was there before.
  expect(await askTheBot()).toContain('$99.01');
  expect(await onDisk()).toMatch(/[1-9]\d* found at the start · [1-9]\d* read back/);
  const info = await run('cache-info');
  expect(info).toMatch(/Disk: .*[1-9]\d* entries found at the start, [1-9]\d* read back and believed so far/);
  const answer = page.locator('#feed .message').last();
  await answer.locator('select').selectOption({ value: 'disk' });
  await answer.getByText('The change feed told every change made meanwhile').waitFor();
  // How many, it tells of what is removed before anything is served: on a busy machine the rest goes behind.
  expect(await answer.innerText()).toMatch(
    /Refused: (?:[1-9]\d* changed meanwhile \(removed\)|nothing so far)/,
  );
});

it('I9: shows a crash and what is left after it at one press', {
  timeout: 2 * PATIENCE_MS + 10_000,
}, async () => {
  await page.getByRole('button', { name: 'Show me a crash' }).click();
  await page.getByText('That was a crash.').waitFor({ timeout: 2 * PATIENCE_MS });
  const told = await page.locator('#feed').innerText();
  expect(told.slice(told.lastIndexOf('Before: the leaderboard'))).toMatch(
    /Killed[\s\S]*cannot notice[\s\S]*is back[\s\S]*\$1\.23[\s\S]*Leaderboard[\s\S]*no database query\s+That was a crash/,
  );
});

it('says in the form why nothing can be written', async () => {
  await page.locator('#outsider-form select').first().selectOption('price');
  await page.route('**/page/act', (route) => route.fulfill({ json: { ok: false, problem: 'Not now.' } }));
  await page.locator('#outsider-form input').fill('1');
  await page.locator('#outsider-form button[type=submit]').click();
  await page.locator('#outsider-form').getByText('Not now.').first().waitFor();
  await page.unroute('**/page/act');
});

it('does the same on a phone, in German, and shows the answer in the channel', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator('[data-show=setup]').click();
  await page.locator('#locale').selectOption('de');
  await page.getByText('Hinter dem Rücken des Bots ändern').waitFor();
  await page.locator('#outsider-form input').fill('12.5');
  await page.getByRole('button', { name: 'In die Datenbank schreiben' }).click();
  await page.getByText('Geschrieben.').waitFor();
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(390);
  const askOnPhone = async () => {
    await page.locator('[data-show=setup]').click();
    const before = await page.locator('#feed .message').count();
    await page.getByRole('button', { name: 'Den Bot fragen' }).click();
    return answered(before);
  };
  await expect.poll(askOnPhone, { timeout: PATIENCE_MS }).toContain('12,50');
  expect(await page.locator('#feed').isVisible()).toBe(true);
});
