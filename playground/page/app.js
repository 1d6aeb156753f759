/** The page: holds what the server tells, draws it, and sends back what the person does. */
import { idle } from './components.js';
import { composer } from './composer.js';
import { el, redraw } from './dom.js';
import { avatar, isBy, messageView } from './message.js';
import { openModal } from './modal.js';
import { addRequest, drawStats, resetStats, setRequests } from './stats.js';
import { setTimeLocale } from './time.js';

const $ = (selector) => document.querySelector(selector);
const stored = (name, fallback) => localStorage.getItem(`cachecord.${name}`) ?? fallback;
const store = (name, value) => localStorage.setItem(`cachecord.${name}`, value);
/** In each channel; of shoppers fewer, since they write without end. */
const MOST_MESSAGES = 200;
const MOST_SHOPPER_MESSAGES = 60;

let hello = null;
let source = null;
let channelId = null;
let locale = stored('locale', 'en-US');
let stats = null;
let messages = new Map();
let pending = new Map();
let connected = false;
const feed = $('#feed');

const names = {
  user: (id) => hello.people.find((one) => one.id === id)?.name ?? 'unknown',
  role: (id) => hello.roles.find((one) => one.id === id)?.name ?? 'unknown',
  channel: (id) => hello.channels.find((one) => one.id === id)?.name ?? 'unknown',
  command: (name) => field.prepare(name),
};
const context = () => ({ names, act, dismiss, shopperIds: new Set(hello.shopperIds) });

async function act(action, isQuiet = false) {
  let result;
  try {
    const response = await fetch('/page/act', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ as: hello.me.id, locale, ...action }),
    });
    result = await response.json();
  } catch {
    result = { ok: false, problem: 'The playground does not answer. Is it still running?' };
  }
  if (!result.ok && !isQuiet) notice(result.problem);
  return result;
}

const field = composer({
  commands: () => hello?.commands ?? [],
  locale: () => locale,
  people: () => hello?.people.filter((one) => !one.isBot) ?? [],
  channelId: () => channelId,
  act,
  send: (name, options) => act({ do: 'run', channelId, name, options }, true),
  say: (content) => act({ do: 'say', channelId, content }),
});

function connect(userId) {
  source?.close();
  source = new EventSource(
    `/page/events?${new URLSearchParams({ ...(userId ? { as: userId } : {}), locale })}`,
  );
  source.onmessage = ({ data }) => receive(JSON.parse(data));
  source.onopen = () => {
    connected = true;
    drawBot();
  };
  source.onerror = () => {
    connected = false;
    drawBot();
  };
}

function receive(event) {
  switch (event.type) {
    case 'hello':
      return begin(event);
    case 'message':
      return put(event.message, true);
    case 'messageUpdate':
      return put(event.message, false);
    case 'messageDelete':
      return remove(event.messageId);
    case 'interaction':
      return follow(event.interaction);
    case 'modal':
      return openModal(event.modal, { act, names });
    case 'commands':
      hello.commands = event.commands;
      field.commandsChanged();
      return welcome();
    case 'bot':
      if (event.bot.state === 'starting') resetStats();
      hello.bot = event.bot;
      return drawBot();
    case 'shoppers':
      hello.shoppers = event.shoppers;
      return drawShoppers();
    case 'stats':
      stats = event.stats;
      return drawStats(stats, locale);
    case 'request':
      addRequest(event.request);
      return stats ? undefined : drawStats(null, locale);
  }
}

function begin(event) {
  hello = event;
  stats = event.stats;
  messages = new Map(event.messages.map((one) => [one.id, one]));
  pending = new Map();
  if (!hello.channels.some((one) => one.id === channelId))
    channelId = (hello.channels.find((one) => one.name === 'ops') ?? hello.channels[0]).id;
  setRequests(event.requests);
  store('as', hello.me.id);
  field.reset();
  drawSetup();
  drawFeed();
  drawBot();
  drawShoppers();
  drawStats(stats, locale);
}

function drawSetup() {
  redraw(
    $('#cast'),
    ...hello.cast.map((one) =>
      el(
        'button',
        {
          type: 'button',
          class: 'person',
          role: 'radio',
          'aria-checked': String(one.id === hello.me.id),
          onclick: () => connect(one.id),
        },
        avatar(one.name, false),
        el('span', {}, el('b', {}, one.name), el('small', {}, one.about)),
      ),
    ),
  );
  redraw(
    $('#channels'),
    ...hello.channels.map((one) =>
      el(
        'button',
        {
          type: 'button',
          class: 'channel',
          'aria-current': one.id === channelId ? 'true' : undefined,
          onclick: () => {
            channelId = one.id;
            drawSetup();
            drawFeed();
            panel('channel');
          },
        },
        el('span', { 'aria-hidden': 'true' }, '#'),
        ` ${one.name}`,
      ),
    ),
  );
  const words = new Intl.DisplayNames(['en'], { type: 'language' });
  redraw(
    $('#locale'),
    ...hello.locales.map((one) =>
      el(
        'option',
        { value: one, selected: one === locale },
        one.startsWith('en') ? one.replace('en-', 'English ') : words.of(one),
      ),
    ),
  );
  $('#channel-name').textContent = `# ${names.channel(channelId)}`;
  $('#channel-note').textContent = `${hello.guild.name} · you are ${hello.me.name}`;
}

function drawFeed() {
  const here = [...messages.values()].filter((one) => one.channel_id === channelId);
  feed.replaceChildren(...here.map((one) => messageView(one, context())));
  welcome();
  feed.scrollTop = feed.scrollHeight;
}

function welcome() {
  const old = feed.querySelector('.welcome');
  const isEmpty = !feed.querySelector('.message:not(.shopper)');
  if (!isEmpty || !hello) return old?.remove();
  const has = (name) => hello.commands.some((one) => one.name === name);
  const go = async (name, given) => {
    if (field.prepare(name, given)) await field.submit();
  };
  const card = (title, about, run, enabled = true) =>
    el(
      'button',
      { type: 'button', class: 'card', disabled: !enabled, onclick: run },
      el('b', {}, title),
      el('small', {}, about),
    );
  const node = el(
    'div',
    { class: 'welcome' },
    el('img', { src: '/icon.svg', alt: '', width: 56, height: 56 }),
    el('h2', {}, 'A cache you can watch at work'),
    el(
      'p',
      {},
      'This is a small Discord on your own machine, with the real bot logged in to it. Nothing here leaves this computer. Three ways to begin:',
    ),
    el(
      'div',
      { class: 'cards' },
      card('Run /cache-stats', 'How well the cache does', () => go('cache-stats'), has('cache-stats')),
      hello.shoppers.isOn
        ? card('Turn off shoppers', 'They shop now: watch the figures move', () =>
            act({ do: 'shoppers', isOn: false, speed: hello.shoppers.speed }),
          )
        : card('Turn on shoppers', `${hello.shopperIds.length} people who browse and buy`, () =>
            act({ do: 'shoppers', isOn: true, speed: hello.shoppers.speed }),
          ),
      card(
        'Try /cache-clear products:*',
        'Shows what would go, then asks',
        () => go('cache-clear', { pattern: 'products:*' }),
        has('cache-clear'),
      ),
    ),
    has('cache-stats')
      ? null
      : el(
          'p',
          { class: 'sub' },
          hello.bot.state === 'online'
            ? `${hello.me.name} does not see the cache commands in this server.`
            : 'The commands appear as soon as the bot is online.',
        ),
  );
  if (!old) return feed.prepend(node);
  old.className = node.className;
  redraw(old, ...node.childNodes);
}

function put(message, isNew) {
  messages.set(message.id, message);
  if (isNew) forget(message);
  if (message.channel_id !== channelId) return;
  const old = feed.querySelector(`.message[data-id="${CSS.escape(message.id)}"]`);
  const isAtEnd = feed.scrollHeight - feed.scrollTop - feed.clientHeight < 120;
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
  if (isAtEnd) feed.scrollTop = feed.scrollHeight;
}

/** The oldest of a channel goes when it has too many; shoppers' never push out anybody else's. */
function forget(newest) {
  const shopperIds = new Set(hello.shopperIds);
  const kind = (one) => isBy(shopperIds, one);
  const alike = [...messages.values()].filter(
    (one) => one.channel_id === newest.channel_id && kind(one) === kind(newest),
  );
  if (alike.length <= (kind(newest) ? MOST_SHOPPER_MESSAGES : MOST_MESSAGES)) return;
  const [oldest] = alike;
  messages.delete(oldest.id);
  feed.querySelector(`.message[data-id="${CSS.escape(oldest.id)}"]`)?.remove();
}

function remove(id) {
  messages.delete(id);
  feed.querySelector(`.message[data-id="${CSS.escape(id)}"]`)?.remove();
  welcome();
}

async function dismiss(id) {
  const result = await act({ do: 'dismissMessage', messageId: id });
  if (result.ok) remove(id);
  $('#composer').focus();
}

/** A command shows a line until its answer is there; a press keeps its button busy. */
function follow(one) {
  if (one.type === 4) return;
  const line = pending.get(one.id);
  if (one.state === 'pending') {
    if (one.type !== 2 || line || one.channelId !== channelId) return;
    const node = el(
      'div',
      { class: 'pending' },
      el('b', {}, hello.me.name),
      ` used ${one.summary.split(' ')[0]} · `,
      el('span', {}, 'sending…'),
    );
    pending.set(one.id, node);
    feed.append(node);
    feed.scrollTop = feed.scrollHeight;
    return;
  }
  for (const node of feed.querySelectorAll('.busy')) idle(node);
  if (one.state === 'failed') {
    const node = el(
      'div',
      { class: 'pending failed', role: 'alert' },
      el('b', {}, one.summary.split(' ')[0]),
      ` · ${one.failure ?? 'The application did not respond'} `,
      el('button', { type: 'button', class: 'plain', onclick: () => node.remove() }, 'Dismiss'),
    );
    if (line) line.replaceWith(node);
    else feed.append(node);
    feed.scrollTop = feed.scrollHeight;
  } else line?.remove();
  pending.delete(one.id);
}

const BOT = {
  starting: 'Starting…',
  online: 'Online',
  offline: 'Connecting…',
  stopped: 'Stopped',
  exited: 'Ended unexpectedly',
};
function drawBot() {
  if (!hello) return;
  const { state, ending } = hello.bot;
  const isDown = state === 'stopped' || state === 'exited';
  const order = (words, what, kind) =>
    el(
      'button',
      { type: 'button', class: `btn small ${kind}`, onclick: () => act({ do: 'bot', order: what }) },
      words,
    );
  redraw(
    $('#bot'),
    el(
      'p',
      { class: `status ${state}` },
      el('i', { 'aria-hidden': 'true' }),
      BOT[state],
      ending && isDown ? el('small', {}, ` ${ending}`) : null,
    ),
    el(
      'div',
      { class: 'controls' },
      isDown
        ? order('Start the bot again', 'start', 'primary')
        : [order('Restart', 'restart', 'secondary'), order('Kill', 'kill', 'secondary')],
    ),
  );
  const alert = $('#alert');
  alert.hidden = connected && !isDown;
  if (!connected) alert.replaceChildren('The playground does not answer. Waiting for it to come back…');
  else if (isDown)
    alert.replaceChildren(
      el(
        'span',
        {},
        state === 'exited'
          ? `The bot ended by itself (${ending}). Its log is in the terminal.`
          : 'The bot is stopped.',
      ),
      order('Start the bot again', 'start', 'primary'),
    );
  welcome();
}

function drawShoppers() {
  const { isOn, speed } = hello.shoppers;
  $('#shoppers-on').checked = isOn;
  $('#speed').value = String(Math.round(Math.log2(speed)));
  $('#speed-text').textContent = `${speed}×`;
  welcome();
}

function notice(words) {
  const node = el(
    'div',
    { class: 'pending failed', role: 'alert' },
    words,
    ' ',
    el('button', { type: 'button', class: 'plain', onclick: () => node.remove() }, 'Dismiss'),
  );
  feed.append(node);
  feed.scrollTop = feed.scrollHeight;
}

function panel(name) {
  document.body.dataset.panel = name;
  for (const tab of document.querySelectorAll('.tabs button')) {
    if (tab.dataset.show === name) tab.setAttribute('aria-current', 'true');
    else tab.removeAttribute('aria-current');
  }
}

function theme(name) {
  if (name === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  $('#theme').value = name;
  store('theme', name);
}

for (const tab of document.querySelectorAll('.tabs button'))
  tab.addEventListener('click', () => panel(tab.dataset.show));
$('#theme').addEventListener('change', (event) => theme(event.target.value));
$('#locale').addEventListener('change', (event) => {
  locale = event.target.value;
  store('locale', locale);
  setTimeLocale(locale);
  drawStats(stats, locale);
  field.commandsChanged();
});
const shop = () =>
  act({ do: 'shoppers', isOn: $('#shoppers-on').checked, speed: 2 ** Number($('#speed').value) });
$('#shoppers-on').addEventListener('change', shop);
$('#speed').addEventListener('input', shop);
$('#shoppers-shown').addEventListener('change', (event) => {
  feed.classList.toggle('with-shoppers', event.target.checked);
  feed.scrollTop = feed.scrollHeight;
});
$('#cast').addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...$('#cast').children];
  all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
});
document.addEventListener('keydown', (event) => {
  if (
    event.key !== '/' ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '') ||
    $('#modal').open
  )
    return;
  event.preventDefault();
  panel('channel');
  $('#composer').focus();
  $('#composer').value = '/';
  $('#composer').dispatchEvent(new Event('input'));
});
theme(stored('theme', 'system'));
setTimeLocale(locale);
connect(stored('as', ''));
