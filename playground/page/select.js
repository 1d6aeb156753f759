/** Select menus: of texts, and of people, roles and channels; in messages and, by `rowsOf`, in modals. */
import { el } from './dom.js';
import { entityRows, kindsOfSelect } from './entities.js';
import { picker } from './picker.js';
import { press } from './press.js';
import { t } from './words.js';

/** One of several texts is the browser's own select; people, roles, channels and several values have a search. */
export function select(data, { message, act, page }) {
  const send = (node, values) =>
    press(node, act, { do: 'select', messageId: message.id, customId: data.custom_id, values });
  const words = data.placeholder ?? t('choose');
  if (data.type === 3 && (data.max_values ?? 1) === 1) return plainSelect(data, words, send);
  const several = (data.max_values ?? 1) > 1 || data.min_values === 0;
  const field = picker(rowsOf(data, page.hello), {
    label: words,
    placeholder: words,
    most: data.max_values ?? 1,
    chosen: chosenIn(data),
    disabled: data.disabled === true,
    id: data.custom_id,
    onchange: (values) => !several && values.length > 0 && send(field.node, values),
  });
  if (!several) return field.node;
  const apply = el(
    'button',
    {
      type: 'button',
      class: 'btn secondary',
      disabled: data.disabled === true,
      onclick: () => send(apply, field.values()),
    },
    t('apply'),
  );
  return el('span', { class: 'many' }, field.node, apply);
}

function plainSelect(data, words, send) {
  const chosen = data.options?.some((one) => one.default);
  return el(
    'select',
    {
      class: 'select',
      disabled: data.disabled === true,
      'data-id': data.custom_id,
      'aria-label': words,
      onchange: ({ currentTarget }) =>
        currentTarget.value !== '' && send(currentTarget, [currentTarget.value]),
    },
    el('option', { value: '', disabled: true, selected: !chosen, hidden: true }, words),
    (data.options ?? []).map((one) =>
      el(
        'option',
        { value: one.value, selected: one.default === true },
        `${faceOf(one)}${one.description ? ` — ${one.description}` : ''}`,
      ),
    ),
  );
}

/** What a select menu offers, of messages and modals alike. */
export function rowsOf(data, hello) {
  const kinds = kindsOfSelect(data);
  if (kinds) return entityRows(hello, kinds, data.channel_types);
  return (data.options ?? []).map((one) => ({
    value: one.value,
    label: faceOf(one),
    note: one.description ?? '',
  }));
}

/** What is chosen before anybody chooses. */
export function chosenIn(data) {
  return [
    ...(data.options ?? []).filter((one) => one.default === true).map((one) => one.value),
    ...(data.default_values ?? []).map((one) => one.id),
  ];
}

function faceOf(one) {
  return `${one.emoji?.name ? `${one.emoji.name} ` : ''}${one.label}`;
}
