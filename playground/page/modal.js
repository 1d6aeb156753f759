/** A modal in the browser's own dialog: it holds the focus, and Escape closes it. */
import { el } from './dom.js';
import { markdown } from './markdown.js';
import { picker } from './picker.js';
import { chosenIn, rowsOf } from './select.js';
import { t } from './words.js';

/** Types of components: a text field, and every kind of select menu. */
const TEXT = 4;
const SELECTS = [3, 5, 6, 7, 8];

export function openModal(modal, { act, names, page }) {
  const dialog = document.querySelector('#modal');
  const fields = [];
  const fault = el('p', { class: 'fault', role: 'alert', hidden: true });
  const rows = (modal.data.components ?? []).map((row) => {
    if (row.type === 10) return markdown(row.content, names);
    if (row.component) return labelled(row.label, row.description, row.component);
    return (row.components ?? []).map((one) => labelled(one.label, '', one));
  });
  const form = el(
    'form',
    { method: 'dialog', onsubmit: submit },
    el('h2', { id: 'modal-title' }, modal.data.title),
    rows,
    fault,
    el(
      'div',
      { class: 'controls end' },
      el('button', { type: 'button', class: 'btn secondary', onclick: cancel }, t('cancel')),
      el('button', { type: 'submit', class: 'btn primary' }, t('submit')),
    ),
  );
  dialog.setAttribute('aria-labelledby', 'modal-title');
  dialog.replaceChildren(form);
  dialog.oncancel = cancel;
  dialog.showModal();
  dialog.querySelector('input, textarea, select')?.focus();

  function cancel() {
    act({ do: 'dismissModal', modalId: modal.id });
    dialog.close();
  }
  async function submit(event) {
    event.preventDefault();
    const values = Object.fromEntries(fields.map(({ id, read }) => [id, read()]));
    const result = await act({ do: 'submitModal', modalId: modal.id, values }, true);
    fault.hidden = result.ok;
    if (result.ok) dialog.close();
    else fault.textContent = result.problem;
  }

  function labelled(words, about, data) {
    const { node, read } = control(data, words, page.hello);
    fields.push({ id: data.custom_id, read });
    return el(
      node.localName === 'div' ? 'div' : 'label',
      { class: 'field' },
      el('span', {}, words ?? '', data.required === false ? el('small', {}, ` ${t('optional')}`) : null),
      about ? el('small', {}, about) : null,
      node,
    );
  }
}

/** A text field, or a select with its search. */
function control(data, words, hello) {
  if (SELECTS.includes(data.type)) {
    const field = picker(rowsOf(data, hello), {
      label: words ?? t('choose'),
      placeholder: data.placeholder ?? t('choose'),
      most: data.max_values ?? 1,
      chosen: chosenIn(data),
    });
    return { node: field.node, read: () => field.values() };
  }
  if (data.type !== TEXT) return { node: el('p', { class: 'sub' }, t('notShown')), read: () => undefined };
  const shared = {
    placeholder: data.placeholder,
    maxlength: data.max_length,
    required: data.required !== false,
  };
  const node =
    data.style === 2 ? el('textarea', { ...shared, rows: 4 }) : el('input', { type: 'text', ...shared });
  node.value = data.value ?? '';
  return { node, read: () => node.value };
}
