/** Presses in the shop: an offer is for the person it was made to, and a second press tells nothing false. */
import { type APIMessage, type ButtonInteraction, Events } from 'discord.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { buyCommand } from '../../src/shop-commands/buy.ts';
import { ShopDispatcher } from '../../src/shop-commands/dispatcher.ts';
import { shopId } from '../../src/shop-commands/shop-command.ts';
import { walletCommand } from '../../src/shop-commands/wallet.ts';
import { DiscordEdge, OPERATOR_ID, OTHER_ID } from '../commands/discord-edge.ts';
import { textOf } from '../commands/spoken.ts';
import { smallShop } from '../db/shop-fixture.ts';
import { logIn } from '../playground/discord-setup.ts';

function shopAtWork() {
  const { shop, cache, clock, end } = smallShop();
  onTestFinished(end);
  const commands = [buyCommand(), walletCommand()];
  const services = { shop, config: parseConfig({}), clock, cache, logger: silentLogger };
  const dispatcher = new ShopDispatcher(commands, services);
  return { shop, commands, dispatcher };
}

describe('an offer', () => {
  it('buys with the money of the person it was made to, and of nobody else', async () => {
    const { shop, dispatcher } = shopAtWork();
    const discord = new DiscordEdge();
    onTestFinished(() => discord.client.destroy());
    for (const id of [OPERATOR_ID, OTHER_ID]) {
      shop.ensureUser(id, id);
      shop.updateWallet(id, 100_00, 'deposit', 'for the test');
    }
    await dispatcher.handle(discord.command('buy', { product: '1' }));
    const sent = JSON.stringify(discord.lastMessage);
    const nonce = /shop:1:buy:\d+:confirm:([\w-]+)/.exec(sent)?.[1] ?? '';
    expect(nonce).not.toBe('');
    // The nonce of somebody else's offer, in a button of one's own.
    const forged = shopId('buy', OTHER_ID, 'confirm', nonce);
    await dispatcher.handle(discord.pressId(forged, { userId: OTHER_ID }) as ButtonInteraction);
    expect(textOf(discord.lastMessage)).toContain('This offer has ended');
    expect(shop.getUser(OPERATOR_ID)?.walletCents).toBe(100_00);
    expect(shop.getUser(OTHER_ID)?.walletCents).toBe(100_00);
    await dispatcher.handle(
      discord.pressId(shopId('buy', OPERATOR_ID, 'confirm', nonce)) as ButtonInteraction,
    );
    expect(textOf(discord.lastMessage)).toContain('Bought');
    expect(shop.getUser(OPERATOR_ID)?.walletCents).toBeLessThan(100_00);
  });
});

describe('the credit of the day', () => {
  it('is told as added when its button is pressed twice at once', async () => {
    const { local, client, errors } = await logIn();
    const { home, people, channels } = local.world;
    const { shop, commands, dispatcher } = shopAtWork();
    client.on(Events.InteractionCreate, (interaction) => void dispatcher.handle(interaction));
    for (const { data } of commands) await client.application.commands.create(data, home.id);
    const linus = local.as(people.linus.id);
    const message: APIMessage = await (await linus.run(channels.ops, 'wallet')).reply();
    const id = shopId('wallet', people.linus.id, 'credit');
    const presses = await Promise.all([linus.click(message.id, id), linus.click(message.id, id)]);
    await Promise.all(presses.map((press) => press.acknowledged()));
    expect(textOf(linus.message(message.id) ?? message)).toContain('added');
    expect(shop.getUser(people.linus.id)?.walletCents).toBe(25_00);
    expect(errors).toEqual([]);
  });
});
