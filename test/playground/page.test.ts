/** The page in a real Chromium, with a small bot in a process of its own behind it. */
import { request } from 'node:http';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Playground, startPlayground } from '../../playground/main.ts';
// @ts-expect-error it is plain JavaScript, so that any Node can run it
import { findBrowser } from '../../scripts/ensure-browser.js';
import { rest } from './discord-setup.ts';

let playground: Playground;
let browser: Browser;

beforeAll(async () => {
  playground = await startPlayground({
    port: 0,
    botScript: path.join(import.meta.dirname, 'fixtures/bot.ts'),
  });
  const executablePath = findBrowser();
  browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  });
});

afterAll(async () => {
  await browser?.close();
  await playground?.stop();
});

async function open(viewport = { width: 1280, height: 800 }): Promise<Page> {
  const page = await browser.newPage({ viewport });
  onTestFinished(() => page.close());
  await page.goto(playground.url);
  await page.locator('.status.online').waitFor({ state: 'attached' });
  return page;
}

/** Ada gets a message with select menus of every kind; it is told from others by whom it names. */
async function openPanel(whom: string): Promise<void> {
  const { local } = playground;
  const { people, users, channels, home } = local.world;
  const operators = [...home.roles.values()].find(({ name }) => name === 'Operators');
  const named = [...users.values()].find((user) => user.global_name === whom);
  await local.as(people.ada.id).run(channels.ops, 'pick', {
    who: people.linus.id,
    role: operators?.id ?? '',
    where: channels.ops,
    whom: named?.id ?? '',
  });
}

/** A request's status, with headers that `fetch` would not let us set. */
function status(method: string, where: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(where, playground.url), { method, headers }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the page', () => {
  it('completes a command and its option by keyboard, and shows the answer', async () => {
    const page = await open();
    await page.locator('#composer').fill('/cache-cl');
    await page.getByRole('option', { name: '/cache-clear' }).waitFor();
    await page.keyboard.press('Tab');
    await page.getByRole('option', { name: 'products:*' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Clear 42 entries' }).last().click();
    await page.getByText('Cleared 42 entries').last().waitFor();
    expect(await page.getByText('Only you can see this').count()).toBeGreaterThan(0);
  });

  it('leaves alone what is typed while a command is on its way, and gives back one that was not taken', async () => {
    const page = await open();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const answers = [{ ok: true }, { ok: false, problem: 'Not now.' }];
    await page.route('**/page/act', async (route) => {
      if (!route.request().postData()?.includes('"run"')) return route.continue();
      await held;
      await route.fulfill({ json: answers.shift() });
    });
    const send = async () => {
      await page.locator('#composer').fill('/cache-stats');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
    };
    await send();
    await page.locator('#composer').fill('another');
    const answered = page.waitForResponse('**/page/act');
    release();
    await (await answered).finished();
    expect(await page.locator('#composer').inputValue()).toBe('another');
    await page.locator('#composer').fill('');
    await send();
    await page.getByRole('alert').getByText('Not now.').waitFor();
    await page.locator('#pills').getByText('/cache-stats').waitFor();
  });

  it('offers a command that is registered while its name is being typed', async () => {
    const page = await open();
    await page.locator('#composer').fill('/late');
    await page.getByRole('option', { name: 'No command here has this name' }).waitFor();
    const { local } = playground;
    const path = `/applications/${local.applicationId}/guilds/${local.world.home.id}/commands`;
    const made = await rest(local, 'POST', path, { name: 'latecomer', description: 'Comes late' });
    onTestFinished(async () => void (await rest(local, 'DELETE', `${path}/${made.body.id}`)));
    await page.getByRole('option', { name: '/latecomer' }).waitFor();
  });

  it('offers people, roles and channels for the options that take them, and sends them as Discord does', async () => {
    const page = await open();
    const field = page.locator('#composer');
    const offered = () => page.locator('#menu [role=option] b').allInnerTexts();
    await field.fill('/pick');
    await page.keyboard.press('Tab');
    await field.fill('lin');
    expect((await offered())[0]).toBe('@Linus');
    await page.keyboard.press('Tab');
    expect(await offered()).toContain('@Operators');
    await field.fill('@oper');
    await page.keyboard.press('Enter');
    expect(await offered()).toEqual(['#general', '#ops', '#shop', '#audit']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Tab');
    await field.fill('oper');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('who linus (member); role Operators; where ops; whom Operators').last().waitFor();
  });

  it('fills in a form with a person and a text by keyboard', async () => {
    const page = await open();
    await openPanel('Linus');
    const message = page.locator('.message').filter({ hasText: 'whom Linus' });
    await message.getByRole('button', { name: 'Open the form' }).click();
    const form = page.getByRole('dialog', { name: 'A form' });
    const person = form.getByRole('combobox', { name: 'Person' });
    await person.fill('celi');
    await person.press('Enter');
    await form.getByRole('button', { name: 'Remove @Céline' }).waitFor();
    await form.getByLabel('Reason').fill('because');
    await form.getByLabel('Reason').press('Enter');
    await page.getByText('Form: céline, because').waitFor();
  });

  it('picks people, roles and channels from select menus by keyboard, several where several may be', async () => {
    const page = await open();
    await openPanel('Grace');
    const message = page.locator('.message').filter({ hasText: 'whom Grace' });
    const whom = message.getByRole('combobox', { name: 'Whom?' });
    await whom.fill('gra');
    await whom.press('Enter');
    await whom.fill('lin');
    await whom.press('Enter');
    await whom.press('Escape');
    await message.getByRole('button', { name: 'Remove @Grace' }).waitFor();
    await message.getByRole('button', { name: 'Apply' }).first().click();
    await page.getByText('Picked grace, linus').last().waitFor();
    const where = message.getByRole('combobox', { name: 'Where?' });
    await where.fill('gen');
    await where.press('Enter');
    await page.getByText('Picked #general').last().waitFor();
    const whoOrWhat = message.getByRole('combobox', { name: 'Who or what?' });
    await whoOrWhat.fill('oper');
    await message.getByRole('option', { name: '@Operators' }).click();
    await page.getByText('Picked Operators').last().waitFor();
    expect(await message.getByRole('combobox', { name: 'Which role?' }).isDisabled()).toBe(true);
  });

  it('offers each subcommand as a command of its own', async () => {
    const page = await open();
    await page.locator('#composer').fill('/journal');
    await page.getByRole('option', { name: '/journal show' }).waitFor();
    await page.locator('#composer').fill('/journal retry ');
    await page.keyboard.press('Enter');
    await page.getByText('Subcommand retry').last().waitFor();
  });

  it('says which required option is missing, and sends nothing', async () => {
    const page = await open();
    await page.locator('#composer').fill('/cache-clear');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('“pattern” is required.').waitFor();
  });

  it('shows a member only the commands that they may use', async () => {
    const page = await open();
    await page.getByRole('radio', { name: /Linus/ }).click();
    await page.getByText('you are Linus').waitFor();
    await page.locator('#composer').fill('/');
    await page.getByRole('option', { name: '/shop' }).waitFor();
    expect(await page.locator('#menu [role=option]').count()).toBe(1);
  });

  it('never makes markup of a hostile key', async () => {
    const page = await open();
    await page.locator('#composer').fill('/cache-stats');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('user::<img src=x').last().waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(await page.evaluate('document.body.dataset.hurt')).toBeUndefined();
  });

  it('draws the marks of Discord, and leaves what is none', async () => {
    const page = await open();
    await page.getByRole('button', { name: 'general', exact: true }).click();
    const { local } = playground;
    const { ada } = local.world.people;
    local
      .as(ada.id)
      .say(
        local.world.channels.general,
        `*in **both***, snake_case_name, ||hidden||, <@${ada.id}>\n-# small\n>>> first\n- **second**`,
      );
    const message = page.locator('.message').last();
    await message.locator('em > strong', { hasText: 'both' }).waitFor();
    expect(await message.locator('p').first().innerText()).toContain('snake_case_name');
    expect(await message.locator('p.sub').innerText()).toBe('small');
    expect(await message.locator('.mention').innerText()).toBe('@Ada');
    expect(await message.locator('blockquote li > strong').innerText()).toBe('second');
    await message.getByRole('button', { name: 'Spoiler' }).press('Enter');
    await message.getByText('hidden').waitFor({ state: 'visible' });
  });

  it("tells of commands in the reader's language", async () => {
    const page = await open();
    await page.locator('#locale').selectOption('de');
    await page.locator('#composer').fill('/sho');
    await page.getByRole('option', { name: 'Für die Tests der Seite' }).waitFor();
  });

  it("speaks the reader's language itself, and English where it has no other", async () => {
    const page = await open();
    const language = (locale: string) => page.locator('#locale').selectOption(locale);
    await language('de');
    await page.getByText('du bist Ada').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('de');
    expect(await page.locator('#composer').getAttribute('placeholder')).toBe('/ für einen Befehl');
    await page.getByRole('button', { name: 'Neustart' }).waitFor();
    await language('ja');
    await page.getByText('you are Ada').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
  });

  it('leaves who goes by keyboard where they are when that part is drawn anew', async () => {
    const page = await open();
    await page.getByRole('radio', { name: /Grace/ }).press('Enter');
    await page.getByText('you are Grace').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Grace');
  });

  it('never lets shoppers push out what somebody else has written', async () => {
    const { local } = playground;
    const { world } = local;
    const [shopper] = world.shoppers;
    const page = await open();
    await page.getByRole('button', { name: 'shop', exact: true }).click();
    local.as(world.people.linus.id).say(world.channels.shop, 'I was here first');
    for (let nth = 0; nth < 120; nth += 1)
      local.as(shopper?.id ?? '').say(world.channels.shop, `bargain ${nth}`);
    await page.getByText('bargain 119').waitFor({ state: 'attached' });
    await page.getByText('I was here first').waitFor();
    expect(await page.locator('.message.shopper').count()).toBe(60);
    await page.reload();
    await page.getByRole('button', { name: 'shop', exact: true }).click();
    await page.getByText('bargain 119').waitFor({ state: 'attached' });
    await page.getByText('I was here first').waitFor();
    expect(await page.locator('.message.shopper').count()).toBe(30);
  });

  it('fits a phone without scrolling sideways', async () => {
    const page = await open({ width: 390, height: 780 });
    for (const name of ['Setup', 'Live', 'Channel']) {
      await page.locator('.tabs').getByRole('button', { name }).click();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    }
  });

  it('answers HEAD as it answers GET, without the body', async () => {
    const [head, got] = await Promise.all([fetch(playground.url, { method: 'HEAD' }), fetch(playground.url)]);
    expect(head.status).toBe(200);
    expect(head.headers.get('content-type')).toBe(got.headers.get('content-type'));
    expect(await head.text()).toBe('');
  });

  it('refuses other origins, other hosts, and scripts of others', async () => {
    const port = new URL(playground.url).port;
    const json = { 'content-type': 'application/json' };
    expect(await status('POST', '/page/act', { ...json, origin: 'http://evil.example' })).toBe(403);
    expect(await status('GET', '/page/events', { origin: 'http://evil.example' })).toBe(403);
    expect(await status('GET', '/', { host: `evil.example:${port}` })).toBe(403);
    const page = await fetch(playground.url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
  });
});
