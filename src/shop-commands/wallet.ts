/** `/wallet`: the balance, the VIP tier, the last movements, and a credit once a day. */
import { ApplicationCommandType } from 'discord.js';
import { answer, update } from '../commands/answer.ts';
import { instant } from '../commands/views/format.ts';
import type { View } from '../commands/views/view.ts';
import type { TransactionKind, WalletTransaction } from '../db/model.ts';
import { claimDailyCredit, DAILY_CREDIT_CENTS, isCreditTaken, nextCreditAt } from './daily-credit.ts';
import { type ShopCommand, type ShopServices, shopId } from './shop-command.ts';
import { money, nameText } from './text.ts';

const LAST_MOVEMENTS = 5;
/** Two presses at once come within a moment. */
const MAX_TELLING = 1_000;
const TAKEN = 'Today’s credit was taken already.';

const KINDS: Readonly<Record<TransactionKind, string>> = {
  deposit: 'Deposit',
  withdrawal: 'Withdrawal',
  purchase: 'Bought',
  refund: 'Refund',
  adjustment: 'Adjustment',
};

export function walletCommand(): ShopCommand {
  /** The messages that tell of a credit they have added, the last ones. */
  const telling = new Set<string>();
  return {
    name: 'wallet',
    data: {
      name: 'wallet',
      description: 'See what you have, and take your credit of the day',
      type: ApplicationCommandType.ChatInput,
    },
    async execute(interaction, services) {
      await answer(interaction, walletView(interaction.user.id, interaction.locale, services), services);
    },
    async component(interaction, _parts, services) {
      const { user, locale } = interaction;
      const claim = claimDailyCredit(services.shop, user.id, nowOf(services));
      const { id } = interaction.message;
      if (claim.ok) {
        telling.add(id);
        const [oldest] = telling;
        if (telling.size > MAX_TELLING && oldest !== undefined) telling.delete(oldest);
        const news = `**${money(DAILY_CREDIT_CENTS, locale)} added.** Enjoy.`;
        await update(interaction, walletView(user.id, locale, services, news), services);
        return;
      }
      const view = walletView(user.id, locale, services, TAKEN);
      // Of two presses at once the second leaves the message alone, which tells what the first has added.
      if (telling.has(id)) await answer(interaction, view, services);
      else await update(interaction, view, services);
    },
  };
}

function walletView(userId: string, locale: string, services: ShopServices, news?: string): View {
  const { shop } = services;
  const user = shop.getUser(userId);
  const vip = shop.getVipTiers()?.find(({ tier }) => tier === user?.vipTier);
  const now = nowOf(services);
  const taken = isCreditTaken(shop, userId, now);
  const movements = shop.getTransactionHistory(userId).slice(0, LAST_MOVEMENTS);
  return {
    tone: news === undefined ? 'normal' : 'good',
    title: '👛 Your wallet',
    blocks: [
      ...(news === undefined ? [] : [{ lines: [news] }]),
      {
        lines: [
          `**Balance:** ${money(user?.walletCents ?? 0, locale)}`,
          vip === undefined
            ? '**VIP tier:** none yet'
            : `**VIP tier:** ${nameText(vip.name)} — ${vip.perks.map(nameText).join(' · ')}`,
        ],
      },
      ...(movements.length === 0
        ? []
        : [{ heading: 'Last movements', lines: movements.map((each) => movementLine(each, locale)) }]),
    ],
    notes: [
      taken ? `Your next credit comes ${instant(nextCreditAt(now))}.` : 'Your credit of today is waiting.',
    ],
    rows: [
      [
        {
          id: shopId('wallet', userId, 'credit'),
          label: `Take ${money(DAILY_CREDIT_CENTS, locale)}`,
          style: 'primary',
          disabled: taken,
        },
      ],
    ],
  };
}

function movementLine({ kind, amountCents, note, createdAt }: WalletTransaction, locale: string): string {
  const sign = amountCents < 0 ? '−' : '+';
  const what = note === '' ? KINDS[kind] : `${KINDS[kind]}: ${nameText(note)}`;
  return `${sign}${money(Math.abs(amountCents), locale)} · ${what} · ${instant(createdAt)}`;
}

function nowOf({ clock }: ShopServices): number {
  return clock.epochAt(clock.now());
}
