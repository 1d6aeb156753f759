/** What a person did on the page, carried out: at their client, or on what stands behind the channel. */
import type { AnswerCosts } from './answer-costs.ts';
import type { BotProcess } from './bot-process.ts';
import type { LocalDiscord } from './discord/local-discord.ts';
import type { LocalInteraction } from './discord/types.ts';
import type { Outsider } from './outsider.ts';
import type { ActionResult, ChangeDone, PageAction } from './protocol.ts';
import type { RatesApi } from './rates-api.ts';
import type { Shoppers } from './shoppers.ts';

/** What the page's server works on. */
export interface PageParts {
  readonly local: LocalDiscord;
  readonly bot: BotProcess;
  readonly shoppers: Shoppers;
  readonly outsider: Outsider;
  readonly rates: RatesApi;
  readonly costs: AnswerCosts;
}

/** @throws Error with the words for the person, where their client would not do it */
export async function carryOut(parts: PageParts, action: PageAction): Promise<ActionResult> {
  const { local, bot, shoppers, outsider, rates } = parts;
  const session = local.as(action.as);
  session.setLocale(action.locale as Parameters<typeof session.setLocale>[0]); // an enum of the same words
  switch (action.do) {
    case 'run':
      follow(parts, await session.run(action.channelId, action.name, action.options));
      break;
    case 'autocomplete': {
      const { channelId, name, options, focused } = action;
      return { ok: true, choices: await session.autocomplete(channelId, name, options, focused) };
    }
    case 'click':
      follow(parts, await session.click(action.messageId, action.customId));
      break;
    case 'select':
      follow(parts, await session.select(action.messageId, action.customId, action.values));
      break;
    case 'submitModal':
      follow(parts, await session.submitModal(action.modalId, action.values));
      break;
    case 'dismissModal':
      session.dismissModal(action.modalId);
      break;
    case 'dismissMessage':
      session.dismissMessage(action.messageId);
      break;
    case 'say':
      session.say(action.channelId, action.content);
      break;
    case 'shoppers':
      shoppers.set(action.isOn, action.speed);
      break;
    case 'changeable':
      return { ok: true, changeable: outsider.changeable(personOf(local, action.as)) };
    case 'change':
      return { ok: true, changed: await change(parts, action) };
    case 'trouble':
      bot.setTrouble(action.trouble);
      break;
    case 'ratesTrouble':
      rates.setTrouble(action.trouble);
      break;
    case 'bot':
      if (action.order === 'kill') await bot.kill();
      if (action.order === 'restart') await bot.stop();
      if (action.order !== 'kill') bot.start();
      break;
  }
  return { ok: true };
}

function personOf({ world }: LocalDiscord, id: string): { readonly id: string; readonly name: string } {
  return { id, name: world.nameOf(id) };
}

/** Writes behind the bot's back, and waits until the bot has noticed: that it does is what there is to see. */
async function change(
  { local, bot, outsider }: PageParts,
  { change, as }: Extract<PageAction, { readonly do: 'change' }>,
): Promise<ChangeDone> {
  const beganAt = Date.now();
  const done = outsider.change(change, personOf(local, as));
  const position = outsider.position();
  const noticed = position === null ? null : await bot.notices(position);
  return {
    ...done,
    noticed: noticed && { ms: Math.max(0, noticed.at - beganAt), entries: noticed.entries },
  };
}

/** Its states are told by events, so its promises may fail unheard. */
function follow({ costs }: PageParts, interaction: LocalInteraction): void {
  costs.follow(interaction);
  interaction.acknowledged().catch(() => undefined);
}
