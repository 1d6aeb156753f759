/**
 * The messages of a channel and what is on its way there: drawn when they come, changed in place, forgotten when they
 * are too many. Who wrote what is the server's to say.
 */
import { costLine } from './cost.js';
import { el } from './dom.js';
import { isBy, messageView } from './message.js';
import { idle } from './press.js';
import { t } from './words.js';

/** In each channel; of shoppers fewer, since they write without end. */
const MOST_MESSAGES = 200;
const MOST_SHOPPER_MESSAGES = 60;

/** @param parts { page, names, act, welcome() } */
export function createFeed({ page, names, act, welcome }) {
  const feed = document.querySelector('#feed');
  let messages = new Map();
  let pending = new Map();
  let costs = new Map();
  let notes = 0;

  const shopperIds = () => new Set(page.hello.shopperIds);
  const context = () => ({ names, act, page, dismiss, costs, shopperIds: shopperIds() });
  const nodeOf = (id) => feed.querySelector(`.message[data-id="${CSS.escape(id)}"]`);

  function begin(list, costList) {
    costs = new Map(costList.map((one) => [one.messageId, one]));
    messages = new Map(list.map((one) => [one.id, one]));
    pending = new Map();
    draw();
  }

  function draw() {
    const here = [...messages.values()].filter((one) => one.words || one.channel_id === page.channelId);
    feed.replaceChildren(...here.map((one) => (one.words ? noteView(one) : messageView(one, context()))));
    welcome();
    toEnd();
  }

  function toEnd() {
    feed.scrollTop = feed.scrollHeight;
  }

  const isAtEnd = () => feed.scrollHeight - feed.scrollTop - feed.clientHeight < 120;

  function put(message, isNew) {
    messages.set(message.id, message);
    if (isNew) forget(message);
    if (message.channel_id !== page.channelId) return;
    const old = nodeOf(message.id);
    const follows = isAtEnd();
    const node = messageView(message, context());
    if (old) {
      const focused = old.contains(document.activeElement) ? document.activeElement.dataset.id : undefined;
      old.replaceWith(node);
      if (focused !== undefined)
        (node.querySelector(`[data-id="${CSS.escape(focused)}"]:not(:disabled)`) ?? node).focus({
          preventScroll: true,
        });
    } else if (isNew) {
      node.classList.add('arrives');
      feed.append(node);
    }
    welcome();
    if (follows) toEnd();
  }

  /** The oldest of a channel goes when it has too many; shoppers' never push out anybody else's. */
  function forget(newest) {
    const ids = shopperIds();
    const kind = (one) => isBy(ids, one);
    const alike = [...messages.values()].filter(
      (one) => one.channel_id === newest.channel_id && kind(one) === kind(newest),
    );
    if (alike.length <= (kind(newest) ? MOST_SHOPPER_MESSAGES : MOST_MESSAGES)) return;
    const [oldest] = alike;
    messages.delete(oldest.id);
    nodeOf(oldest.id)?.remove();
  }

  function remove(id) {
    messages.delete(id);
    nodeOf(id)?.remove();
    welcome();
  }

  async function dismiss(id) {
    const result = await act({ do: 'dismissMessage', messageId: id });
    if (result.ok) remove(id);
    document.querySelector('#composer').focus();
  }

  /** A command shows a line until its answer is there; a press keeps its button busy. */
  function follow(one) {
    if (one.type === 4) return;
    const line = pending.get(one.id);
    if (one.state === 'pending') {
      if (one.type !== 2 || line || one.channelId !== page.channelId) return;
      const node = el(
        'div',
        { class: 'pending' },
        el('b', {}, page.hello.me.name),
        ` ${t('used')} ${one.summary.split(' ')[0]} · `,
        el('span', {}, t('sending')),
      );
      pending.set(one.id, node);
      feed.append(node);
      return toEnd();
    }
    for (const node of feed.querySelectorAll('.busy')) idle(node);
    if (one.state === 'failed') {
      const why = one.failure === null || one.failure === 'The application did not respond';
      const node = failure(
        el('b', {}, one.summary.split(' ')[0]),
        ` · ${why ? t('noResponse') : one.failure}`,
      );
      if (line) line.replaceWith(node);
      else feed.append(node);
      toEnd();
    } else line?.remove();
    pending.delete(one.id);
  }

  /** What the page itself tells, in every channel. @param words says it, in the language of the moment */
  function note(words) {
    notes += 1;
    const one = { id: `note-${notes}`, words };
    messages.set(one.id, one);
    const follows = isAtEnd();
    feed.append(noteView(one));
    if (follows) toEnd();
  }

  /** Below the answer that it is of. */
  function cost(one) {
    costs.set(one.messageId, one);
    const body = nodeOf(one.messageId)?.querySelector('.body');
    if (!body) return;
    const follows = isAtEnd();
    body.querySelector('.cost')?.remove();
    body.insertBefore(costLine(one, page.locale), body.querySelector(':scope > footer'));
    if (follows) toEnd();
  }

  function notice(words) {
    feed.append(failure(words));
    toEnd();
  }

  function failure(...words) {
    const node = el(
      'div',
      { class: 'pending failed', role: 'alert' },
      words,
      ' ',
      el('button', { type: 'button', class: 'plain', onclick: () => node.remove() }, t('dismiss')),
    );
    return node;
  }

  function showShoppers(isShown) {
    feed.classList.toggle('with-shoppers', isShown);
    toEnd();
  }

  return { begin, draw, put, remove, follow, note, cost, notice, showShoppers };
}

function noteView({ words }) {
  return el('p', { class: 'note' }, words());
}
