/** `/leaderboard`: who spent most. The one answer of the shop that everybody sees. */
import { ApplicationCommandType, MessageFlags } from 'discord.js';
import { sent } from '../commands/answer.ts';
import { type Format, formatFor, plural } from '../commands/views/format.ts';
import { render } from '../commands/views/render.ts';
import type { View } from '../commands/views/view.ts';
import type { LeaderboardRow } from '../db/model.ts';
import type { ShopCommand, ShopServices } from './shop-command.ts';
import { money, nameText } from './text.ts';

export function leaderboardCommand(): ShopCommand {
  return {
    name: 'leaderboard',
    data: {
      name: 'leaderboard',
      description: 'See who spent most in the shop',
      type: ApplicationCommandType.ChatInput,
    },
    async execute(interaction, services) {
      // What everybody sees is written in the language of the guild, not of who asked.
      const locale = interaction.guildLocale ?? interaction.locale;
      const rows = await services.shop.getLeaderboard();
      const body = render(leaderboardView(rows, locale, services), services.config.admin.replyStyle);
      await sent('reply', interaction, services, () =>
        interaction.reply({
          flags: body.flags === 0 ? [] : [MessageFlags.IsComponentsV2],
          components: body.components,
          ...(body.embeds === undefined ? {} : { embeds: body.embeds }),
          allowedMentions: { parse: [] },
        }),
      );
    },
  };
}

function leaderboardView(rows: readonly LeaderboardRow[], locale: string, services: ShopServices): View {
  const format = formatFor(locale);
  return {
    tone: 'normal',
    title: '🏆 Leaderboard',
    subtitle: `Who spent most · yours: ${services.mention('orders')}`,
    blocks: [
      {
        lines:
          rows.length === 0
            ? [`Nobody has bought anything yet. Be the first: ${services.mention('shop')}.`]
            : rows.map((row) => rowLine(row, locale, format)),
      },
    ],
  };
}

function rowLine({ rank, name, spentCents, orders }: LeaderboardRow, locale: string, format: Format): string {
  return `${rank}. **${nameText(name)}** — ${money(spentCents, locale)} · ${plural(format, orders, 'order')}`;
}
