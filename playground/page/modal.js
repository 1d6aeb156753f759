/** A modal in the browser's own dialog: it holds the focus, and Escape closes it. */
import { el } from './dom.js';
import { markdown } from './markdown.js';

export function openModal(modal, { act, names }) {
  const dialog = document.querySelector('#modal');
  const fields = [];
  const fault = el('p', { class: 'fault', role: 'alert', hidden: true });
  const rows = (modal.data.components ?? []).map((row) => {
    if (row.type === 10) return markdown(row.content, names);
    if (row.component) return labelled(row.label, row.description, row.component, fields);
    return (row.components ?? []).map((one) => labelled(one.label, '', one, fields));
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
      el('button', { type: 'button', class: 'btn secondary', onclick: cancel }, 'Cancel'),
      el('button', { type: 'submit', class: 'btn primary' }, 'Submit'),
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
}

function labelled(words, about, data, fields) {
  const field = control(data);
  fields.push({
    id: data.custom_id,
    read: () =>
      field.localName === 'select' ? [...field.selectedOptions].map((one) => one.value) : field.value,
  });
  return el(
    'label',
    { class: 'field' },
    el('span', {}, words ?? '', data.required === false ? el('small', {}, ' optional') : null),
    about ? el('small', {}, about) : null,
    field,
  );
}

function control(data) {
  if (data.type === 3) {
    return el(
      'select',
      { class: 'select', multiple: (data.max_values ?? 1) > 1 },
      (data.options ?? []).map((one) =>
        el('option', { value: one.value, selected: one.default === true }, one.label),
      ),
    );
  }
  const shared = {
    placeholder: data.placeholder,
    maxlength: data.max_length,
    required: data.required !== false,
  };
  const node =
    data.style === 2 ? el('textarea', { ...shared, rows: 4 }) : el('input', { type: 'text', ...shared });
  node.value = data.value ?? '';
  return node;
}
