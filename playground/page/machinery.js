/** What stands behind the channel and can be turned: the bot's process, its database, and the shoppers. */
import { el, redraw } from './dom.js';
import { t } from './words.js';

const TROUBLES = ['healthy', 'slow', 'stuck', 'failing'];
const $ = (selector) => document.querySelector(selector);

/** @param parts { page, act, welcome(), showCrash() } */
export function createMachinery({ page, act, welcome, showCrash }) {
  const shop = () =>
    act({ do: 'shoppers', isOn: $('#shoppers-on').checked, speed: 2 ** Number($('#speed').value) });
  $('#shoppers-on').addEventListener('change', shop);
  $('#speed').addEventListener('input', shop);
  $('#database').addEventListener('change', (event) => act({ do: 'trouble', trouble: event.target.value }));

  $('#rates').addEventListener('change', (event) => act({ do: 'ratesTrouble', trouble: event.target.value }));

  const order = (words, what, kind) =>
    el(
      'button',
      { type: 'button', class: `btn small ${kind}`, onclick: () => act({ do: 'bot', order: what }) },
      words,
    );

  $('#show-crash').addEventListener('click', showCrash);

  function drawBot() {
    if (!page.hello) return;
    const { state, ending, api } = page.hello.bot;
    const isDown = state === 'stopped' || state === 'exited';
    const again = () => order(t('startAgain'), 'start', 'primary');
    redraw(
      $('#bot'),
      el(
        'p',
        { class: `status ${state}` },
        el('i', { 'aria-hidden': 'true' }),
        t(state),
        ending && isDown ? el('small', {}, ` ${ending}`) : null,
      ),
      el(
        'div',
        { class: 'controls' },
        isDown
          ? again()
          : [order(t('restart'), 'restart', 'secondary'), order(t('kill'), 'kill', 'secondary')],
      ),
    );
    redraw($('#api'), ...(state === 'online' && api !== null ? apiLinks(api) : []));
    const alert = $('#alert');
    alert.hidden = page.isConnected && !isDown;
    if (!page.isConnected) alert.replaceChildren(t('waiting'));
    else if (isDown) alert.replaceChildren(el('span', {}, downWords(state, ending)), again());
    welcome();
  }

  function drawShoppers() {
    const { isOn, speed } = page.hello.shoppers;
    $('#shoppers-on').checked = isOn;
    $('#speed').value = String(Math.round(Math.log2(speed)));
    $('#speed-text').textContent = `${speed}×`;
    welcome();
  }

  function drawDatabase() {
    const { trouble, queryTtlSeconds } = page.hello;
    drawTroubles($('#database'), trouble);
    const ttl = new Intl.NumberFormat(page.locale, { style: 'unit', unit: 'second', unitDisplay: 'narrow' });
    $('#database-hint').textContent = t(`${trouble}Hint`, { ttl: ttl.format(queryTtlSeconds) });
  }

  const drawRates = () => drawTroubles($('#rates'), page.hello.rates.trouble);

  return { drawBot, drawShoppers, drawDatabase, drawRates };
}

function drawTroubles(select, trouble) {
  redraw(select, ...TROUBLES.map((one) => el('option', { value: one, selected: one === trouble }, t(one))));
  select.dataset.trouble = trouble;
}

/** Its own HTTP API, whose answers are cached, too. */
function apiLinks(api) {
  return [
    t('httpApi'),
    ...['/api/status', '/api/products', '/api/leaderboard', '/metrics'].map((path) =>
      el('a', { href: new URL(path, api), target: '_blank', rel: 'noopener' }, path),
    ),
  ];
}

function downWords(state, ending) {
  if (state === 'exited') return t('hasExited', { ending });
  return ending === 'SIGKILL' ? t('isKilled') : t('isStopped');
}
