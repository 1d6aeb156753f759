/**
 * A form for changing the shop's database behind the bot's back: what, to how much, and a way to ask the bot afterwards.
 * The change itself is the server's, through a connection that the bot knows nothing of.
 */
import { el, redraw } from './dom.js';
import { noticedWords } from './story.js';
import { t } from './words.js';

/** What the shop's prices are in. */
const CURRENCY = 'USD';
const MOST = 1_000_000;

/** @param parts { page, act, written(changed), ask(name, options) } @returns what draws it anew, once the reader or the language has changed */
export function createOutsider({ page, act, written, ask }) {
  const details = document.querySelector('#outsider');
  const form = document.querySelector('#outsider-form');
  let found = null;
  let what = 'price';
  let productId = null;
  /** Said below the form: what was done, or why it was not. */
  let outcome = null;

  const money = (cents) =>
    new Intl.NumberFormat(page.locale, { style: 'currency', currency: CURRENCY }).format(cents / 100);
  const product = () => found.products.find(({ id }) => id === productId) ?? found.products[0];
  const isPrice = () => what === 'price' && found.products.length > 0;
  const now = () => (isPrice() ? product().cents : found.walletCents);

  details.addEventListener('toggle', () => details.open && look());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    write();
  });

  async function look() {
    const result = await act({ do: 'changeable' }, true);
    found = result.ok ? result.changeable : null;
    if (!result.ok) outcome = el('p', { class: 'sub failing' }, result.problem);
    draw();
  }

  async function write() {
    const typed = form.querySelector('input').valueAsNumber;
    if (!found || !(typed >= 0 && typed <= MOST)) return;
    const cents = Math.round(typed * 100);
    const change = isPrice() ? { what: 'price', productId: product().id, cents } : { what: 'wallet', cents };
    const result = await act({ do: 'change', change }, true);
    if (result.ok) written(result.changed);
    outcome = result.ok ? done(result.changed) : el('p', { class: 'sub failing' }, result.problem);
    await look();
  }

  function done({ name, category, before, cents, noticed }) {
    const [command, options] = category === null ? ['wallet', {}] : ['shop', { category }];
    return [
      el(
        'p',
        { class: 'sub' },
        el('b', {}, t('written')),
        ` ${t('writtenAbout', { name, before: money(before), now: money(cents) })}`,
        noticed ? ` ${noticedWords(noticed, page.locale)}` : '',
      ),
      el(
        'button',
        { type: 'button', class: 'btn small secondary', onclick: () => ask(command, options) },
        t('askBot', { command: category === null ? '/wallet' : `/shop ${category}` }),
      ),
    ];
  }

  function draw() {
    redraw(form, ...(found ? fields() : []), el('div', { role: 'status' }, outcome));
  }

  function fields() {
    const choose = (value, words) => el('option', { value, selected: value === what }, words);
    const byCategory = Map.groupBy(found.products, ({ category }) => category);
    return [
      field(
        t('what'),
        el(
          'select',
          { onchange: (event) => turn(() => (what = event.target.value)) },
          choose('price', t('aPrice')),
          choose('wallet', t('aWallet', { name: page.hello.me.name })),
        ),
      ),
      isPrice()
        ? field(
            t('product'),
            el(
              'select',
              { onchange: (event) => turn(() => (productId = Number(event.target.value))) },
              [...byCategory].map(([label, products]) =>
                el(
                  'optgroup',
                  { label },
                  products.map(({ id, name }) =>
                    el('option', { value: id, selected: id === product().id }, name),
                  ),
                ),
              ),
            ),
          )
        : null,
      field(
        t('from', { now: money(now()) }),
        el('input', {
          type: 'number',
          inputmode: 'decimal',
          min: 0,
          max: MOST,
          step: 0.01,
          required: true,
          placeholder: (now() / 100).toFixed(2),
        }),
      ),
      el('button', { type: 'submit', class: 'btn small primary' }, t('write')),
    ].filter((one) => one !== null);
  }

  function turn(set) {
    set();
    outcome = null;
    draw();
  }

  return () => {
    outcome = null;
    if (details.open) look();
  };
}

function field(words, control) {
  return el('label', { class: 'entry' }, el('span', {}, words), control);
}
