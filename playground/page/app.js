/**
 * The page put together: holds what the server tells and what the reader chose, hands it to the parts that draw it,
 * and sends back what the person does.
 */
import { composer } from './composer.js';
import { createFeed } from './feed.js';
import { resetRates } from './lookup-rate.js';
import { createMachinery } from './machinery.js';
import { openModal } from './modal.js';
import { createOutsider } from './outsider.js';
import { addRequest, setRequests } from './requests.js';
import { createSetup, showPanel, store, stored } from './setup.js';
import { drawStats } from './stats.js';
import { createStory } from './story.js';
import { setTimeLocale } from './time.js';
import { createWelcome } from './welcome.js';
import { setLanguage, t, translatePage } from './words.js';

/** What the parts read. `hello` is the server's first event, kept up to date by those that follow. */
const page = {
  hello: null,
  stats: null,
  channelId: null,
  locale: stored('locale', 'en-US'),
  isConnected: false,
};
let source = null;

const names = {
  user: (id) => page.hello.people.find((one) => one.id === id)?.name ?? t('unknown'),
  role: (id) => page.hello.roles.find((one) => one.id === id)?.name ?? t('unknown'),
  channel: (id) => page.hello.channels.find((one) => one.id === id)?.name ?? t('unknown'),
  command: (name) => field.prepare(name),
};
const welcome = createWelcome({ page, act, field: () => field, showCrash: () => story.show() });
const feed = createFeed({ page, names, act, welcome });
const story = createStory({
  page,
  act,
  note: (words) => feed.note(words),
  enter: () => showPanel('channel'),
});
const machinery = createMachinery({ page, act, welcome, showCrash: () => story.show() });
const drawSetup = createSetup({
  page,
  names,
  be: connect,
  enter: (channelId) => {
    page.channelId = channelId;
    drawSetup();
    feed.draw();
    showPanel('channel');
  },
  speak,
});
const field = composer({
  page,
  act,
  send: (name, options) => act({ do: 'run', channelId: page.channelId, name, options }, true),
  say: (content) => act({ do: 'say', channelId: page.channelId, content }),
});

const drawOutsider = createOutsider({
  page,
  act,
  written: (changed) => story.written(changed),
  ask: async (name, options) => {
    showPanel('channel');
    if (field.prepare(name, options)) await field.submit();
    else feed.notice(t('commandsComing'));
  },
});

async function act(action, isQuiet = false) {
  let result;
  try {
    const response = await fetch('/page/act', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ as: page.hello.me.id, locale: page.locale, ...action }),
    });
    result = await response.json();
  } catch {
    result = { ok: false, problem: t('unanswered') };
  }
  if (!result.ok && !isQuiet) feed.notice(result.problem);
  return result;
}

function connect(userId) {
  source?.close();
  source = new EventSource(
    `/page/events?${new URLSearchParams({ ...(userId ? { as: userId } : {}), locale: page.locale })}`,
  );
  const isConnected = (is) => () => {
    page.isConnected = is;
    machinery.drawBot();
  };
  source.onmessage = ({ data }) => receive(JSON.parse(data));
  source.onopen = isConnected(true);
  source.onerror = isConnected(false);
}

function receive(event) {
  const { hello } = page;
  switch (event.type) {
    case 'hello':
      return begin(event);
    case 'message':
      return feed.put(event.message, true);
    case 'messageUpdate':
      return feed.put(event.message, false);
    case 'messageDelete':
      return feed.remove(event.messageId);
    case 'interaction':
      return feed.follow(event.interaction);
    case 'modal':
      return openModal(event.modal, { act, names, page });
    case 'commands':
      hello.commands = event.commands;
      field.commandsChanged();
      return welcome();
    case 'bot':
      if (event.bot.state === 'starting') resetRates();
      story.bot(hello.bot.state, event.bot);
      hello.bot = event.bot;
      return machinery.drawBot();
    case 'shoppers':
      hello.shoppers = event.shoppers;
      return machinery.drawShoppers();
    case 'trouble':
      hello.trouble = event.trouble;
      return machinery.drawDatabase();
    case 'rates':
      hello.rates = event.rates;
      machinery.drawRates();
      return drawLive();
    case 'stats':
      page.stats = event.stats;
      story.stats(event.stats);
      return drawLive();
    case 'cost':
      feed.cost(event.cost);
      return story.answered();
    case 'request':
      addRequest(event.request);
      return page.stats ? undefined : drawLive();
  }
}

function begin(event) {
  page.hello = event;
  page.stats = event.stats;
  if (!event.channels.some((one) => one.id === page.channelId))
    page.channelId = (event.channels.find((one) => one.name === 'ops') ?? event.channels[0]).id;
  setRequests(event.requests);
  store('as', event.me.id);
  field.reset();
  feed.begin(event.messages, event.costs);
  drawAround();
}

function drawLive() {
  drawStats(page.stats, page.locale, page.hello.rates);
}

/** Everything but the messages. */
function drawAround() {
  drawSetup();
  machinery.drawBot();
  machinery.drawShoppers();
  machinery.drawDatabase();
  machinery.drawRates();
  drawOutsider();
  drawLive();
}

function speak(locale) {
  page.locale = locale;
  store('locale', locale);
  setLanguage(locale);
  setTimeLocale(locale);
  translatePage();
  if (!page.hello) return;
  feed.draw();
  drawAround();
  field.languageChanged();
}

document.querySelector('#shoppers-shown').addEventListener('change', (event) => {
  feed.showShoppers(event.target.checked);
});
document.addEventListener('keydown', (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '');
  if (event.key !== '/' || isTyping || document.querySelector('#modal').open) return;
  event.preventDefault();
  showPanel('channel');
  field.begin();
});
speak(page.locale);
connect(stored('as', ''));
