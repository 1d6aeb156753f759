/** What an empty channel shows: where one is, and four ways to begin. */
import { el, redraw } from './dom.js';
import { t } from './words.js';

/** @param parts { page, act, field(), showCrash() } @returns what draws it, or takes it away once somebody has written */
export function createWelcome({ page, act, field, showCrash }) {
  const feed = document.querySelector('#feed');

  return function welcome() {
    const old = feed.querySelector('.welcome');
    const isEmpty = !feed.querySelector('.message:not(.shopper)');
    if (!isEmpty || !page.hello) return old?.remove();
    const node = el('div', { class: 'welcome' }, contents());
    if (!old) return feed.prepend(node);
    redraw(old, ...node.childNodes);
  };

  function contents() {
    const { hello } = page;
    const has = (name) => hello.commands.some((one) => one.name === name);
    const go = async (name, given) => {
      if (field().prepare(name, given)) await field().submit();
    };
    const shop = (isOn) => act({ do: 'shoppers', isOn, speed: hello.shoppers.speed });
    return [
      el('img', { src: '/icon.svg', alt: '', width: 56, height: 56 }),
      el('h2', {}, t('welcome')),
      el('p', {}, t('welcomeAbout')),
      el(
        'div',
        { class: 'cards' },
        card(t('runStats'), t('runStatsAbout'), () => go('cache-stats'), has('cache-stats')),
        hello.shoppers.isOn
          ? card(t('shoppersOff'), t('shoppersOffAbout'), () => shop(false))
          : card(t('shoppersOn'), t('shoppersOnAbout', { count: hello.shopperIds.length }), () => shop(true)),
        card(
          t('tryClear'),
          t('tryClearAbout'),
          () => go('cache-clear', { pattern: 'products:*' }),
          has('cache-clear'),
        ),
        card(t('showCrash'), t('showCrashHint'), showCrash, has('leaderboard')),
      ),
      has('cache-stats')
        ? null
        : el(
            'p',
            { class: 'sub' },
            hello.bot.state === 'online' ? t('noCommandsSeen', { name: hello.me.name }) : t('commandsComing'),
          ),
    ].filter((one) => one !== null);
  }
}

function card(title, about, run, enabled = true) {
  return el(
    'button',
    { type: 'button', class: 'card', disabled: !enabled, onclick: run },
    el('b', {}, title),
    el('small', {}, about),
  );
}
