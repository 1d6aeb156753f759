/**
 * Takes the pictures of the docs from the playground as it is today: `node scripts/take-pictures.ts`. Takes a minute,
 * since the shoppers must have shopped.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { startPlayground } from '../playground/main.ts';
// @ts-expect-error it is plain JavaScript, so that any Node can run it
import { findBrowser } from './ensure-browser.js';

const IMAGES = join(import.meta.dirname, '../docs/images');
const SHOPPING_MS = 15_000;

const playground = await startPlayground({ port: 0 });
const executablePath = findBrowser();
const browser = await chromium.launch({
  ...(executablePath === undefined ? {} : { executablePath }),
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1360, height: 960 } });
  await page.goto(playground.url);
  await page.locator('.status.online').waitFor();
  await shop(page);
  await ask(page, 'cache-stats');
  await toItsStart(page);
  await page.screenshot({ path: join(IMAGES, 'playground.png') });

  await page.locator('#outsider summary').click();
  await page.locator('#bot').getByRole('button', { name: 'Kill' }).click();
  await page.locator('.status.stopped').waitFor();
  await page.locator('#outsider-form input').fill('1.23');
  await page.locator('#outsider-form button[type=submit]').click();
  await page.getByText('Written.').waitFor();
  await page.locator('#bot').getByRole('button', { name: 'Start the bot again' }).click();
  await page.locator('.status.online').waitFor();
  await ask(page, 'shop');
  await ask(page, 'leaderboard');
  await ask(page, 'cache-info');
  await page.locator('#outsider-form').scrollIntoViewIfNeeded();
  await toItsStart(page);
  await page.screenshot({ path: join(IMAGES, 'after-a-kill.png') });
} finally {
  await browser.close();
  await playground.stop();
}

async function shop(page: Page): Promise<void> {
  await page.locator('#shoppers-on').check({ force: true });
  await page.locator('#speed').fill('2');
  await sleep(SHOPPING_MS);
}

/** The last answer of the bot to a person, from its first line. */
async function toItsStart(page: Page): Promise<void> {
  await page.evaluate(
    "[...document.querySelectorAll('#feed .message:not(.shopper)')].at(-1).scrollIntoView({ block: 'start' })",
  );
}

/** Runs a command and waits for its answer, and for the next figures. */
async function ask(page: Page, command: string): Promise<void> {
  const answers = page.locator('#feed .message:not(.shopper)');
  const before = await answers.count();
  await page.locator('#composer').fill(`/${command}`);
  await page.getByRole('option', { name: `/${command}` }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await answers.nth(before).locator('.container').waitFor();
  await sleep(1_500);
}
