/** Who one is, where one is, and in which language and light: the choices that are the reader's own. */
import { el, redraw } from './dom.js';
import { avatar } from './message.js';
import { t } from './words.js';

const STANDINGS = { owner: 'isOwner', admin: 'isAdmin', member: 'isMember' };
const $ = (selector) => document.querySelector(selector);

export function stored(name, fallback) {
  return localStorage.getItem(`cachecord.${name}`) ?? fallback;
}

export function store(name, value) {
  localStorage.setItem(`cachecord.${name}`, value);
}

/** @param parts { page, names, be(userId), enter(channelId), speak(locale) } */
export function createSetup({ page, names, be, enter, speak }) {
  $('#theme').addEventListener('change', (event) => theme(event.target.value));
  $('#locale').addEventListener('change', (event) => speak(event.target.value));
  $('#cast').addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...$('#cast').children];
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
  });
  for (const tab of document.querySelectorAll('.tabs button'))
    tab.addEventListener('click', () => showPanel(tab.dataset.show));
  theme(stored('theme', 'system'));

  return function draw() {
    const { hello, channelId } = page;
    redraw($('#cast'), ...hello.cast.map((one) => person(one, one.id === hello.me.id, be)));
    redraw($('#channels'), ...hello.channels.map((one) => channel(one, one.id === channelId, enter)));
    const words = new Intl.DisplayNames([page.locale], { type: 'language' });
    redraw(
      $('#locale'),
      ...hello.locales.map((one) =>
        el('option', { value: one, selected: one === page.locale }, languageName(one, words)),
      ),
    );
    $('#channel-name').textContent = `# ${names.channel(channelId)}`;
    $('#channel-note').textContent = t('whereYouAre', { guild: hello.guild.name, name: hello.me.name });
  };
}

function languageName(locale, words) {
  return locale.startsWith('en') ? locale.replace('en-', 'English ') : words.of(locale);
}

function person(one, isMe, be) {
  return el(
    'button',
    {
      type: 'button',
      class: 'person',
      role: 'radio',
      'aria-checked': String(isMe),
      onclick: () => be(one.id),
    },
    avatar(one.name, false),
    el('span', {}, el('b', {}, one.name), el('small', {}, t(STANDINGS[one.standing]))),
  );
}

function channel(one, isHere, enter) {
  return el(
    'button',
    {
      type: 'button',
      class: 'channel',
      'aria-current': isHere ? 'true' : undefined,
      onclick: () => enter(one.id),
    },
    el('span', { 'aria-hidden': 'true' }, '#'),
    ` ${one.name}`,
  );
}

/** On a narrow screen one of the three stands alone. */
export function showPanel(name) {
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
