/**
 * A field that finds rows by what is typed and keeps those that were chosen: for select menus of people, roles and
 * channels, and for those that take several values. Arrows, Enter, Escape and Backspace do what they do in Discord.
 * The list opens within the page's flow, so that no card and no phone cuts it off.
 */
import { el } from './dom.js';
import { matching } from './entities.js';
import { t } from './words.js';

/** More are found by typing. */
const MOST_ROWS = 25;
let made = 0;

/**
 * @param rows { value, label, note?, name? }
 * @param options { label, placeholder, most, chosen: values, disabled, id, onchange(values) }
 * @returns { node, values() }
 */
export function picker(rows, { label, placeholder, most = 1, chosen = [], disabled = false, id, onchange }) {
  const prefix = `pick-${++made}`;
  let picked = chosen.filter((value) => rows.some((row) => row.value === value)).slice(0, most);
  let shown = [];
  let active = 0;

  const chips = el('span', { class: 'chips' });
  const list = el('div', {
    class: 'options',
    role: 'listbox',
    id: prefix,
    'aria-label': label,
    hidden: true,
  });
  if (most > 1) list.setAttribute('aria-multiselectable', 'true');
  const input = el('input', {
    type: 'text',
    role: 'combobox',
    'aria-label': label,
    'aria-expanded': 'false',
    'aria-controls': prefix,
    'aria-autocomplete': 'list',
    autocomplete: 'off',
    spellcheck: 'false',
    'data-id': id,
    disabled,
    oninput: () => open(),
    onfocus: () => open(),
    onclick: () => open(),
    onblur: () => close(),
    onkeydown: keydown,
  });
  const node = el(
    'div',
    { class: 'picker', onclick: (event) => event.target === node && input.focus() },
    chips,
    input,
    list,
  );
  drawChips();
  return { node, values: () => [...picked] };

  function drawChips() {
    chips.replaceChildren(
      ...picked.map((value) => {
        const { label: words } = rows.find((row) => row.value === value);
        return el(
          'button',
          {
            type: 'button',
            class: 'pill',
            disabled,
            'aria-label': t('remove', { name: words }),
            onclick: () => toggle(value),
          },
          words,
          el('span', { 'aria-hidden': 'true' }, ' ✕'),
        );
      }),
    );
    input.placeholder = picked.length ? '' : (placeholder ?? '');
  }

  function open() {
    shown = matching(rows, input.value).slice(0, MOST_ROWS);
    active = Math.min(active, Math.max(0, shown.length - 1));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    list.replaceChildren(
      ...shown.map((row, nth) =>
        el(
          'div',
          {
            role: 'option',
            id: `${prefix}-${nth}`,
            'aria-selected': String(picked.includes(row.value)),
            // Before the field loses the focus.
            onpointerdown: (event) => event.preventDefault(),
            onclick: () => toggle(row.value),
          },
          el('b', {}, row.label),
          row.note ? el('small', {}, row.note) : null,
        ),
      ),
      ...(shown.length ? [] : [el('p', { class: 'sub' }, t('nobody'))]),
    );
    mark(active);
  }

  function close() {
    list.hidden = true;
    active = 0;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function mark(nth) {
    active = nth;
    for (const [at, row] of [...list.children].entries()) row.classList.toggle('active', at === nth);
    if (!shown[nth]) return;
    input.setAttribute('aria-activedescendant', `${prefix}-${nth}`);
    list.children[nth].scrollIntoView({ block: 'nearest' });
  }

  function toggle(value) {
    if (picked.includes(value)) picked = picked.filter((one) => one !== value);
    else picked = most === 1 ? [value] : [...picked, value].slice(-most);
    input.value = '';
    drawChips();
    if (most === 1) close();
    else if (!list.hidden) open();
    onchange?.([...picked]);
  }

  function keydown(event) {
    const { key } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step) {
      event.preventDefault();
      if (list.hidden) open();
      else if (shown.length) mark((active + step + shown.length) % shown.length);
    } else if (key === 'Enter') {
      event.preventDefault();
      if (list.hidden) open();
      else if (shown[active]) toggle(shown[active].value);
    } else if (key === 'Escape' && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (key === 'Backspace' && input.value === '' && picked.length) {
      event.preventDefault();
      toggle(picked.at(-1));
    }
  }
}
