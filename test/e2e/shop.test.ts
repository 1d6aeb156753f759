/** The shop of the real bot, as people use it, and what of it the cache notices. */
import { Locale } from 'discord-api-types/v10';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { openDatabase } from '../../src/db/open.ts';
import { createQueries } from '../../src/db/queries.ts';
import { copied, Person, pressed, RunningBot } from './running-bot.ts';

let local: LocalDiscord;
let bot: RunningBot;

beforeAll(async () => {
  local = await LocalDiscord.start();
  bot = await RunningBot.atWork(local, { config: { admin: { cooldown: 0 } } });
});

afterAll(async () => {
  await bot.stop();
  await local.stop();
});

afterEach(() => {
  expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
});

let next = 0;

/** Somebody who has not been in the shop yet. */
function newcomer(): Person {
  const shopper = local.world.shoppers[next++];
  if (shopper === undefined) throw new Error('everybody has been in the shop');
  return new Person(local, shopper.id, local.world.channels.shop);
}

/** What the database holds, past every cache. */
function stored<T>(read: (queries: ReturnType<typeof createQueries>) => T): T {
  const db = openDatabase(bot.databasePath);
  try {
    return read(createQueries(db));
  } finally {
    db.close();
  }
}

/** The first product that is in stock and costs at most so much, at least so much. */
function product(minCents: number, maxCents: number) {
  const found = stored((queries) => queries.products()).find(
    ({ priceCents, stock }) => priceCents >= minCents && priceCents <= maxCents && (stock ?? 1) > 0,
  );
  if (found === undefined) throw new Error('the shop has nothing for that');
  return found;
}

describe('/shop', () => {
  it('goes from the categories to a page, the next page and back', async () => {
    const panel = await newcomer().run('shop');
    expect(panel.isEphemeral).toBe(true);
    await panel.shows('categories');
    const [category = ''] = panel.valuesOf('Choose a category').slice(1);
    await panel.pick('Choose a category', category);
    await panel.shows('page 1 of');
    expect(panel.isDisabled('◀ Back')).toBe(true);
    await panel.click('Next ▶');
    await panel.shows('page 2 of');
    await panel.click('◀ Back');
    await panel.shows('page 1 of');
  });

  it('offers what was picked in the list', async () => {
    const person = newcomer();
    await (await person.run('wallet')).click('Take $25.00');
    const cheap = product(1, 20_00);
    const panel = await person.run('shop', { search: cheap.name });
    await panel.shows(cheap.name.slice(0, 8));
    await panel.pick('Buy one of these', panel.valuesOf('Buy one of these')[0] ?? '');
    await panel.shows(/Buy this\?|Not enough in your wallet/);
  });

  it('names the same price in the list as above it, less what is taken off', async () => {
    const person = newcomer();
    const [category = ''] = await person.complete('shop', 'category', '');
    await (await person.run('shop', { category })).shows('page 1 of');
    const db = openDatabase(bot.databasePath);
    onTestFinished(() => void db.close());
    db.prepare("INSERT INTO discounts (name, user_id, percent, valid_from) VALUES ('Welcome', ?, 15, 0)").run(
      person.session.userId,
    );
    await expect
      .poll(async () => {
        const panel = await person.run('shop', { category });
        await panel.shows('page 1 of');
        const toPay = [...panel.text.matchAll(/~~ \*\*(\S+)\*\*/g)].map(([, price]) => price);
        const listed = panel.descriptionsOf('Buy one of these');
        return listed.length > 0 && listed.every((price) => toPay.includes(price));
      })
      .toBe(true);
  });

  it('begins with a category, completes its name, and says when there is none', async () => {
    const person = newcomer();
    const [name = ''] = await person.complete('shop', 'category', '');
    await (await person.run('shop', { category: name })).shows('page 1 of');
    await (await person.run('shop', { category: '**nope** <@1>' })).shows('There is no category called');
    await (await person.run('shop', { search: 'xyzzyx' })).shows('Try a shorter word');
  });
});

describe('/buy', () => {
  it('asks first, buys once at a press, and shows the order and the new balance at once', async () => {
    const person = newcomer();
    const wallet = await person.run('wallet');
    await wallet.shows('$0.00');
    await wallet.click('Take $25.00');
    await wallet.shows('**Balance:** $25.00');
    await (await person.run('orders')).shows('not bought anything yet');
    const { id, name, priceCents, stock } = product(1, 25_00);
    expect(await person.complete('buy', 'product', name)).toContain(String(id));
    const offer = await person.run('buy', { product: String(id) });
    await offer.shows('Nothing is bought yet');
    const [label = ''] = /Buy for \S+/.exec(offer.text) ?? [];
    const confirm = offer.idOf(label);
    await Promise.all([offer.click(label), person.session.click(offer.message.id, confirm)]);
    await offer.shows('Bought');
    const orders = stored((queries) => queries.ordersForUser(person.session.userId, 10));
    expect(orders).toMatchObject([{ productId: id, quantity: 1 }]);
    expect(orders[0]?.totalCents).toBeLessThanOrEqual(priceCents);
    if (stock !== null) expect(stored((queries) => queries.product(id))?.stock).toBe(stock - 1);
    await (await person.run('orders')).shows(`Order ${orders[0]?.id}`);
    const left = ((25_00 - (orders[0]?.totalCents ?? 0)) / 100).toFixed(2);
    await (await person.run('wallet')).shows(`**Balance:** $${left}`);
  });

  it('refuses when the wallet holds too little, and changes nothing', async () => {
    const person = newcomer();
    const { id } = product(30_00, 1_000_00);
    await (await person.run('buy', { product: String(id) })).shows('Not enough in your wallet');
    expect(stored((queries) => queries.ordersForUser(person.session.userId, 10))).toEqual([]);
  });

  it('refuses when there are too few', async () => {
    const few = stored((queries) => queries.products()).find(({ stock }) => stock !== null && stock < 99);
    const panel = await newcomer().run('buy', { product: String(few?.id), quantity: 99 });
    await panel.shows('Not enough in stock');
  });

  it('says when nothing has that name, without rendering it', async () => {
    const panel = await newcomer().run('buy', { product: '**x** @everyone <@80351110224678912>' });
    await panel.shows('Nothing in the shop is called `**x** @everyone <@80351110224678912>`');
    await (await newcomer().run('buy', { product: '999999' })).shows('Not for sale');
  });

  it('asks again when the price was changed meanwhile, by whomever', async () => {
    const person = newcomer();
    await (await person.run('wallet')).click('Take $25.00');
    const { id } = product(1_00, 20_00);
    const offer = await person.run('buy', { product: String(id) });
    const db = openDatabase(bot.databasePath);
    db.prepare('UPDATE products SET price_cents = 1 WHERE id = ?').run(id);
    db.close();
    await offer.click(/Buy for \S+/.exec(offer.text)?.[0] ?? '');
    await offer.shows('The price has changed');
    expect(stored((queries) => queries.ordersForUser(person.session.userId, 10))).toEqual([]);
    await offer.click(/Buy for \S+/.exec(offer.text)?.[0] ?? '');
    await offer.shows('Bought');
  });

  it('buys nothing when it is cancelled', async () => {
    const person = newcomer();
    await (await person.run('wallet')).click('Take $25.00');
    const offer = await person.run('buy', { product: String(product(1, 20_00).id) });
    await offer.click('Cancel');
    await offer.shows('Nothing was bought');
    expect(stored((queries) => queries.ordersForUser(person.session.userId, 10))).toEqual([]);
  });
});

describe('/wallet', () => {
  it('gives the credit of the day once, also when two panels are open', async () => {
    const person = newcomer();
    const [one, other] = [await person.run('wallet'), await person.run('wallet')];
    await one.click('Take $25.00');
    await one.shows('added');
    expect(one.isDisabled('Take $25.00')).toBe(true);
    await other.click('Take $25.00');
    await other.shows('taken already');
    expect(stored((queries) => queries.user(person.session.userId))?.walletCents).toBe(25_00);
  });

  it('is seen by its owner alone, and written in their language', async () => {
    const person = newcomer();
    person.session.setLocale(Locale.German);
    const panel = await person.run('wallet');
    expect(panel.isEphemeral).toBe(true);
    await panel.shows('**Balance:** 0,00 $');
  });
});

describe('/leaderboard', () => {
  it('is seen by everybody, and mentions nobody', async () => {
    const panel = await newcomer().run('leaderboard');
    expect(panel.isEphemeral).toBe(false);
    await panel.shows(/1\. \*\*.+\*\* — \$[\d,.]+ · \d+ orders/);
    const other = newcomer();
    expect(other.session.message(panel.message.id)).toBeDefined();
  });
});

describe('buttons', () => {
  it('are for who was shown them, and for nobody else', async () => {
    const person = newcomer();
    const wallet = await person.run('wallet');
    const copy = await copied(local, wallet.idOf('Take $25.00'), 'Take');
    await (await pressed(newcomer(), copy, 'Take')).shows('Not yours');
    expect(stored((queries) => queries.user(person.session.userId))?.walletCents).toBe(0);
  });

  it('of another time say what to do', async () => {
    const person = newcomer();
    const { userId } = person.session;
    const [gone, ended] = [`shop:1:auction:${userId}:bid`, `shop:1:buy:${userId}:confirm:gone`];
    await (await pressed(person, await copied(local, gone, 'Bid'), 'Bid')).shows('Run the command again');
    await (await pressed(person, await copied(local, ended, 'Buy'), 'Buy')).shows('This offer has ended');
  });
});

describe('the cache behind it', () => {
  it('warms a person at the first thing they do, though that reads nothing of theirs', async () => {
    const person = newcomer();
    await person.run('leaderboard');
    const key = `user_orders::${person.session.userId}::recent`;
    const ada = new Person(local, local.world.people.ada.id, local.world.channels.ops);
    const entry = async () => (await ada.run('cache-stats', { key })).text;
    await expect.poll(entry).toContain('**Used:** 0 hits · loaded in');
    await person.run('orders');
    expect(await entry()).toContain('**Used:** 1 hit · loaded in');
  });

  it('serves what was asked before from memory', async () => {
    const person = newcomer();
    await person.run('leaderboard');
    const before = await bot.stats();
    for (let i = 0; i < 5; i++) await person.run('leaderboard');
    const after = await bot.stats();
    expect(after.total.hits - before.total.hits).toBeGreaterThanOrEqual(5);
  });
});

it('answers a person whom the shop does not know yet, and knows them from then on', async () => {
  const person = newcomer();
  expect(stored((queries) => queries.user(person.session.userId))).toBeNull();
  await person.run('orders');
  const name = local.world.nameOf(person.session.userId);
  expect(stored((queries) => queries.user(person.session.userId))).toMatchObject({ name, walletCents: 0 });
});

it('tells a person what happened with an id that the log has, when the database breaks under it', async () => {
  const here = await LocalDiscord.start();
  onTestFinished(() => here.stop());
  const broken = await RunningBot.atWork(here);
  onTestFinished(async () => void (await broken.stop()));
  const db = openDatabase(broken.databasePath);
  db.exec('DROP TABLE wallet_transactions');
  db.close();
  const person = new Person(here, here.world.people.linus.id, here.world.channels.shop);
  const panel = await person.run('wallet');
  await panel.shows('Something went wrong');
  expect(panel.isEphemeral).toBe(true);
  const [reference = 'no reference'] = /CA-\w{4}/.exec(panel.text) ?? [];
  await broken.says(reference);
  expect(panel.text).not.toContain('wallet_transactions');
  await (await person.run('shop')).shows('categories');
});
