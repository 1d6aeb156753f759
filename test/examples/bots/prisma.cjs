/** Prisma: rows with Decimals and JSON, upserts, and an extension that invalidates after every write. */
const { PrismaClient } = require('@prisma/client');
const { Prisma } = require('@prisma/client');
const { cached } = require('cachecord');
const { cache } = require('./cache.js');

const prisma = new PrismaClient().$extends({
  query: {
    wallet: {
      async $allOperations({ operation, args, query }) {
        const result = await query(args);
        if (!operation.startsWith('find')) cache.invalidate('wallet::*');
        return result;
      },
    },
  },
});

const findWallet = cached(cache, (userId) => prisma.wallet.findUnique({ where: { userId } }), {
  key: 'wallet::of::{0}',
});
const findAll = cached(cache, () => prisma.wallet.findMany({}), { key: 'wallet::all' });

async function walletOf(userId) {
  return (await findWallet(userId)) || { userId, balance: new Prisma.Decimal(0), bag: { items: [] } };
}

function save(wallet) {
  return prisma.wallet.upsert({ where: { userId: wallet.userId }, create: wallet, update: wallet });
}

function shown(wallets) {
  return JSON.stringify(wallets.map((wallet) => ({ ...wallet, balance: wallet.balance.toFixed(2) })));
}

module.exports = {
  async work(id, coins) {
    const wallet = await walletOf(id);
    wallet.balance = wallet.balance.plus(new Prisma.Decimal(coins).dividedBy(10));
    await save(wallet);
    return wallet.balance.toFixed(2);
  },
  async buy(id, item) {
    const wallet = await walletOf(id);
    wallet.bag.items.push(item);
    wallet.balance = wallet.balance.minus('0.1');
    await save(wallet);
    return shown([wallet]);
  },
  async gift(from, to, coins) {
    const giver = await walletOf(from);
    const taker = await walletOf(to);
    giver.balance = giver.balance.minus(coins);
    taker.balance = taker.balance.plus(coins);
    await save(giver);
    await save(taker);
    return shown([giver, taker]);
  },
  async boast(id) {
    // Changed for the message, and never saved.
    const wallet = await walletOf(id);
    wallet.balance = wallet.balance.times(1000);
    wallet.bag.items.length = 0;
    wallet.title = 'King';
    return shown([wallet]);
  },
  async look(id) {
    const wallet = await walletOf(id);
    return `${shown([wallet])} ${wallet.balance instanceof Prisma.Decimal}`;
  },
  async top() {
    const wallets = await findAll();
    wallets.sort((a, b) => b.balance.comparedTo(a.balance));
    return shown(wallets.splice(0, 2));
  },
  async reset(id) {
    await prisma.wallet.deleteMany({ where: { userId: id } });
    return 'gone';
  },
  async everything() {
    return shown(await prisma.wallet.findMany({}));
  },
};
