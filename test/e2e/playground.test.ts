/** `npm start` without a token: the playground with the real bot behind it, driven in a real Chromium. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchBrowser, type PlaygroundProcess, startPlaygroundProcess } from './playground-process.ts';

/** For a machine that is busy with other tests; nothing takes this long by itself. */
const PATIENCE_MS = 15_000;

let folder: string;
let browser: Browser;
let playground: PlaygroundProcess;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'cachecord-e2e-'));
  [playground, browser] = await Promise.all([start(), launchBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  playground?.child.kill('SIGTERM');
  await playground?.ended;
  rmSync(folder, { recursive: true, force: true });
});

const start = () => startPlaygroundProcess(folder);

async function open(): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(PATIENCE_MS);
  onTestFinished(() => page.close());
  await page.goto(playground.url);
  await page.locator('.status.online').waitFor({ state: 'attached' });
  return page;
}

/** Types a command and its first option, and sends it. */
async function run(
  page: Page,
  command: string,
  option?: { readonly typed: string; readonly offered: string },
) {
  await page.locator('#composer').fill(`/${command}`);
  await page.getByRole('option', { name: `/${command}` }).waitFor();
  await page.keyboard.press('Tab');
  if (option !== undefined) {
    await page.getByRole('option', { name: 'pattern' }).waitFor();
    await page.keyboard.press('Tab');
    await page.locator('#composer').fill(option.typed);
    await page.getByRole('option', { name: option.offered }).first().click();
  }
  await page.locator('#composer').press('Enter');
}

/** How many lookups the live figures tell of. */
async function lookups(page: Page): Promise<number> {
  const text = (await page.locator('#stats .hero .sub').textContent()) ?? '';
  return (
    text
      .replaceAll(',', '')
      .match(/\d+/g)
      ?.reduce((sum, each) => sum + Number(each), 0) ?? 0
  );
}

/** The bot's process, as the page is told it. */
async function botPid(url: string): Promise<number> {
  const { body } = await fetch(new URL('/page/events', url));
  const decoder = new TextDecoder();
  let text = '';
  // Left open: a page that is being looked at must not keep the playground from ending.
  for (const reader = body?.getReader(); reader !== undefined; ) {
    const { value, done } = await reader.read();
    text += decoder.decode(value, { stream: true });
    const pid = /"pid":(\d+)/.exec(text)?.[1];
    if (pid !== undefined) return Number(pid);
    if (done) break;
  }
  throw new Error(`no process is told: ${text.slice(0, 500)}`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the page', () => {
  it('lets Ada look at the cache, and clear a part of it once she confirms', async () => {
    const page = await open();
    await run(page, 'cache-stats');
    await page.getByText('Cache Statistics').last().waitFor();
    await run(page, 'cache-clear', { typed: 'products:*', offered: 'products:*' });
    await page
      .getByRole('button', { name: /^Clear \d+ entries/ })
      .last()
      .click();
    await page
      .getByText(/^Cleared \d+ entries/)
      .last()
      .waitFor();
  });

  it('shows Linus what people may use, and no command of the admins', async () => {
    const page = await open();
    await page.getByRole('radio', { name: /Linus/ }).click();
    await page.getByText('you are Linus').waitFor();
    await page.locator('#composer').fill('/');
    await page.getByRole('option', { name: '/shop' }).waitFor();
    const offered = (await page.locator('#menu [role=option]').allInnerTexts()).join('\n');
    expect(offered).toContain('/wallet');
    expect(offered).not.toContain('/cache-');
  });

  it('shows live figures that move while shoppers shop', async () => {
    const page = await open();
    await page.locator('#stats .hero .sub').waitFor();
    const before = await lookups(page);
    await page.getByText('Simulated shoppers').click();
    await page.locator('#speed').fill('3');
    await expect.poll(() => lookups(page), { timeout: PATIENCE_MS }).toBeGreaterThan(before + 20);
    await page.getByText('Simulated shoppers').click();
    await expect.poll(() => page.locator('#shoppers-on').isChecked()).toBe(false);
  });

  it("links to the bot's own HTTP API", async () => {
    const page = await open();
    const links = page.locator('#api a');
    await expect.poll(() => links.allInnerTexts()).toContain('/api/leaderboard');
    const status = await links.first().getAttribute('href');
    expect(await (await fetch(status ?? '')).json()).toMatchObject({ online: true });
  });

  it('kills the bot and starts it again, and says of an old panel what it is', async () => {
    const page = await open();
    await run(page, 'cache-stats');
    await page.getByText('Cache Statistics').last().waitFor();
    await page.getByRole('button', { name: 'Kill' }).click();
    await page.locator('.status.stopped').waitFor({ state: 'attached' });
    await page.getByText('The bot was killed.').waitFor();
    await page.locator('#bot').getByRole('button', { name: 'Start the bot again' }).click();
    await page.locator('.status.online').waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Refresh' }).last().click();
    await page.getByText('This panel is from before the last restart.').waitFor();
    await run(page, 'cache-info');
    await page.getByText('Cache Configuration').last().waitFor();
  });
});

describe('ending', () => {
  it.for(['SIGTERM', 'SIGINT'] as const)(
    'I13: %s ends the playground and its bot within 5 s',
    async (signal) => {
      const other = await start();
      onTestFinished(() => void other.child.kill('SIGKILL'));
      const pid = await botPid(other.url);
      expect(isAlive(pid)).toBe(true);
      const startedAt = performance.now();
      other.child.kill(signal);
      expect(await other.ended).toEqual({ code: 0, signal: null });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect(isAlive(pid)).toBe(false);
    },
  );

  it('leaves no bot behind when the playground itself is killed', async () => {
    const other = await start();
    const pid = await botPid(other.url);
    other.child.kill('SIGKILL');
    await other.ended;
    await expect.poll(() => isAlive(pid), { timeout: PATIENCE_MS }).toBe(false);
  });
});
