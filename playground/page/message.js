/** One message of the feed: who, what they used, what it says, and whether it still thinks. */
import { component, embed, fileCard } from './components.js';
import { costLine } from './cost.js';
import { el, safeUrl } from './dom.js';
import { markdown } from './markdown.js';
import { clock } from './time.js';
import { t } from './words.js';

const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;
const V2 = 1 << 15;

export const isEphemeral = (message) => ((message.flags ?? 0) & EPHEMERAL) !== 0;

/** Whether one of these people wrote it, or used the command that it answers. */
export const isBy = (ids, message) => ids.has(message.interaction_metadata?.user?.id ?? message.author.id);

/** One of six colours, the same for a name each time. */
function hueOf(name) {
  return [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
}

export function avatar(name, isBot) {
  if (isBot) return el('img', { class: 'avatar', src: '/icon.svg', alt: '', width: 40, height: 40 });
  return el(
    'span',
    { class: `avatar hue${hueOf(name)}`, 'aria-hidden': 'true' },
    name.slice(0, 1).toUpperCase(),
  );
}

/** @param context { names, act, page, dismiss, costs, shopperIds } */
export function messageView(message, context) {
  const { author } = message;
  const name = author.global_name ?? author.username;
  const used = message.interaction_metadata?.user;
  const label = message.interaction?.name ?? message.interaction_metadata?.name;
  const node = el('article', {
    class: 'message',
    'data-id': message.id,
    tabindex: '-1',
    'aria-label': t('messageAt', { name, time: clock(message.timestamp) }),
  });
  if (isEphemeral(message)) node.classList.add('ephemeral');
  if (isBy(context.shopperIds, message)) node.classList.add('shopper');
  if (used && label)
    node.append(
      el(
        'p',
        { class: 'used' },
        el('b', {}, used.global_name ?? used.username),
        ` ${t('used')} `,
        el('span', { class: 'mention' }, `/${label}`),
      ),
    );
  const body = el('div', { class: 'body' });
  body.append(
    el(
      'header',
      {},
      el('b', {}, name),
      author.bot ? el('span', { class: 'badge' }, 'APP') : null,
      el('time', { datetime: message.timestamp }, clock(message.timestamp)),
      message.edited_timestamp ? el('span', { class: 'edited' }, t('edited')) : null,
    ),
  );
  body.append(...contents(message, context));
  const cost = context.costs.get(message.id);
  if (cost) body.append(costLine(cost, context.page.locale));
  if (isEphemeral(message)) {
    body.append(
      el(
        'footer',
        {},
        `◉ ${t('onlyYou')} · `,
        el(
          'button',
          { type: 'button', class: 'plain', onclick: () => context.dismiss(message.id) },
          t('dismissMessage'),
        ),
      ),
    );
  }
  node.append(avatar(name, author.bot), body);
  return node;
}

function contents(message, context) {
  if (((message.flags ?? 0) & LOADING) !== 0)
    return [
      el(
        'p',
        { class: 'thinking' },
        el('i'),
        el('i'),
        el('i'),
        ` ${t('thinking', { name: message.author.username })}`,
      ),
    ];
  const at = { ...context, message };
  const out = [];
  if (message.content) out.push(markdown(message.content, context.names));
  out.push(...(message.embeds ?? []).map((one) => embed(one, at)));
  if (((message.flags ?? 0) & V2) === 0) out.push(...(message.attachments ?? []).map(attachment));
  out.push(...(message.components ?? []).map((one) => component(one, at)));
  return out;
}

function attachment(one) {
  const src = safeUrl(one.url);
  if (one.content_type?.startsWith('image/') && src)
    return el('img', { class: 'picture', src, alt: one.description ?? one.filename });
  return fileCard(one);
}
