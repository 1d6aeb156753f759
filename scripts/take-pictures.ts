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
const SHOPPING_MS = 30_000;
/** Until the next figures have come. */
const SETTLED_MS = 1_500;

const playground = await startPlayground({ port: 0 });
const executablePath = findBrowser();
const browser = await chromium.launch({
  ...(executablePath === undefined ? {} : { executablePath }),
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1360, height: 1240 } });
  await page.goto(playground.url);
  await page.locator('.status.online').waitFor();
  await shop(page);
  await ask(page, 'cache-stats');
  await toItsStart(page);
  await page.screenshot({ path: join(IMAGES, 'playground.png') });

  await page.locator('#shoppers-on').uncheck({ force: true });
  await page.setViewportSize({ width: 1360, height: 1510 });
  await page.getByRole('button', { name: 'Show me a crash' }).click();
  await page.getByText('That was a crash.').waitFor();
  await sleep(SETTLED_MS);
  await page.evaluate("document.querySelectorAll('#feed .note')[1].scrollIntoView({ block: 'start' })");
  await page.locator('main').screenshot({ path: join(IMAGES, 'after-a-kill.png') });
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
  await sleep(SETTLED_MS);
}
