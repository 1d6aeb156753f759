/**
 * The message field: plain messages, and slash commands with completion. A chosen command becomes a pill; each of its
 * options becomes one too, with its choices, people, roles and channels or the bot's own suggestions below.
 */
import { el } from './dom.js';
import { commandsNamed, offersOf, runnable, typedValue } from './offers.js';
import { t } from './words.js';

const SUGGEST_AFTER_MS = 160;
/** More are found by typing. */
const MOST_ROWS = 25;

/** @param parts { page, act, send(name, options), say(text) } */
export function composer({ page, act, send, say: speak }) {
  const input = document.querySelector('#composer');
  const pills = document.querySelector('#pills');
  const menu = document.querySelector('#menu');
  const fault = document.querySelector('#composer-error');
  const history = [];
  let command = null;
  let option = null;
  let values = new Map();
  let rows = [];
  let active = 0;
  let asked = 0;
  let timer;

  const commands = () => runnable(page.hello?.commands ?? []);
  const required = () => (command?.options ?? []).filter((one) => one.required && !values.has(one.name));
  const told = (one) => one.description_localizations?.[page.locale] ?? one.description;
  const open = () => (command?.options ?? []).filter((one) => !values.has(one.name));

  function draw() {
    pills.replaceChildren();
    if (command) pills.append(el('span', { class: 'pill command' }, `/${command.name}`));
    for (const [name, value] of values)
      pills.append(
        el(
          'button',
          { type: 'button', class: 'pill', title: t('change'), onclick: () => change(name) },
          el('small', {}, name),
          ` ${value.label}`,
        ),
      );
    if (option) pills.append(el('span', { class: 'pill now' }, el('small', {}, option.name)));
    input.placeholder = hint();
  }

  function hint() {
    if (!command) return t('placeholder');
    if (option) return told(option);
    return open().length ? t('enterSendsOr') : t('enterSends');
  }

  function change(name) {
    values.delete(name);
    choose(command.options.find((one) => one.name === name));
  }

  function reset() {
    command = option = null;
    values = new Map();
    input.value = '';
    say('');
    show([]);
    draw();
  }

  function say(words) {
    fault.textContent = words;
    fault.hidden = words === '';
  }

  function pick(next) {
    command = next;
    option = null;
    values = new Map();
    input.value = '';
    say('');
    const [first] = required();
    choose(first ?? null);
    input.focus();
  }

  function choose(next) {
    option = next;
    input.value = '';
    draw();
    refresh();
    input.focus();
  }

  function take(value, label = String(value)) {
    values.set(option.name, { value, label });
    choose(required()[0] ?? null);
  }

  function show(next) {
    rows = next;
    active = 0;
    menu.hidden = rows.length === 0;
    input.setAttribute('aria-expanded', String(rows.length > 0));
    menu.replaceChildren(
      ...rows.map((row, nth) =>
        el(
          'div',
          {
            role: 'option',
            id: `row-${nth}`,
            onpointerdown: (event) => {
              event.preventDefault();
              row.run();
            },
            onpointermove: () => mark(nth),
          },
          el('b', {}, row.label),
          row.note ? el('small', {}, row.note) : null,
        ),
      ),
    );
    mark(0);
  }

  function mark(nth) {
    active = nth;
    for (const [at, node] of [...menu.children].entries())
      node.setAttribute('aria-selected', String(at === nth));
    menu.children[nth]?.scrollIntoView({ block: 'nearest' });
    if (rows.length) input.setAttribute('aria-activedescendant', `row-${nth}`);
    else input.removeAttribute('aria-activedescendant');
  }

  function typeOn(text) {
    input.value = text;
    refresh();
  }

  function refresh() {
    clearTimeout(timer);
    asked += 1;
    const text = input.value;
    if (!command) return offerCommands(text);
    if (!option) return offerOptions(text);
    const offered = offersOf(option, text, page);
    show(
      (offered ?? [])
        .slice(0, MOST_ROWS)
        .map((one) => ({ label: one.label, note: one.note, run: () => take(one.value, one.label) })),
    );
    if (option.autocomplete) timer = setTimeout(() => suggest(asked), SUGGEST_AFTER_MS);
  }

  function offerCommands(text) {
    if (!text.startsWith('/')) return show([]);
    // A whole name with a space behind it is chosen; what follows it is typed on.
    const named = commands().find((one) => text.startsWith(`/${one.name} `));
    if (named) {
      const rest = text.slice(named.name.length + 2);
      pick(named);
      return rest === '' ? undefined : typeOn(rest);
    }
    const list = commandsNamed(commands(), text.slice(1).toLowerCase());
    if (!list.length)
      return show([{ label: t('noCommand'), note: t('noCommandAbout'), run: () => undefined }]);
    return show(list.map((one) => ({ label: `/${one.name}`, note: told(one), run: () => pick(one) })));
  }

  function offerOptions(text) {
    const listed = open().filter((one) => one.name.toLowerCase().includes(text.toLowerCase()));
    // What names no option is meant as the value of the first one.
    if (listed.length === 0 && open().length > 0 && text !== '') {
      choose(open()[0]);
      return typeOn(text);
    }
    return show(
      listed.map((one) => ({
        label: one.name,
        note: `${told(one)}${one.required ? ` · ${t('required')}` : ''}`,
        run: () => choose(one),
      })),
    );
  }

  async function suggest(ticket) {
    const options = Object.fromEntries([...values].map(([name, one]) => [name, one.value]));
    options[option.name] = input.value;
    const result = await act(
      { do: 'autocomplete', channelId: page.channelId, name: command.name, options, focused: option.name },
      true,
    );
    if (ticket !== asked) return;
    if (!result.ok) return say(result.problem);
    show(
      result.choices.map((one) => ({
        label: one.name,
        note: one.name === one.value ? '' : String(one.value),
        run: () => take(one.value, one.name),
      })),
    );
  }

  /** What is typed becomes the option's value. @returns whether it could */
  function settle() {
    if (!option) return true;
    const { name } = option;
    const text = input.value.trim();
    if (text === '') {
      if (option.required) {
        say(t('isRequired', { name }));
        return false;
      }
      choose(null);
      return true;
    }
    if (offersOf(option, text, page)) {
      const row = rows[active];
      if (!row) {
        say(t('notAChoice', { text, name }));
        return false;
      }
      row.run();
      return true;
    }
    const value = typedValue(option, text);
    if (value === undefined) {
      say(t('mustBeNumber', { name }));
      return false;
    }
    take(value);
    return true;
  }

  async function submit() {
    say('');
    if (!command) {
      const text = input.value.trim();
      if (text.startsWith('/')) return rows[active]?.run();
      if (text === '') return;
      history.push({ text });
      input.value = '';
      await speak(text);
      return;
    }
    if (!settle()) return;
    const [missing] = required();
    if (missing) {
      say(t('isRequired', { name: missing.name }));
      if (option !== missing) choose(missing);
      return;
    }
    const used = { command, values };
    // The field is free at once: what is typed while this one is on its way is another.
    reset();
    const result = await send(
      used.command.name,
      Object.fromEntries([...used.values].map(([name, one]) => [name, one.value])),
    );
    if (result.ok) return history.push(used);
    if (!command && input.value === '') put(used);
    say(result.problem);
  }

  function recall() {
    const last = history.at(-1);
    if (!last) return;
    if (last.text !== undefined) input.value = last.text;
    else put(last);
  }

  function put(used) {
    command = used.command;
    values = new Map(used.values);
    option = null;
    draw();
    refresh();
  }

  input.addEventListener('input', () => {
    say('');
    refresh();
  });
  input.addEventListener('keydown', (event) => {
    const { key } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step && rows.length) {
      event.preventDefault();
      mark((active + step + rows.length) % rows.length);
    } else if (key === 'ArrowUp' && !command && input.value === '') {
      event.preventDefault();
      recall();
    } else if (key === 'Tab' && !event.shiftKey && rows.length && (command || input.value)) {
      event.preventDefault();
      rows[active].run();
    } else if (key === 'Escape') {
      event.preventDefault();
      if (rows.length && option) show([]);
      else reset();
    } else if (key === 'Backspace' && input.value === '' && command) {
      event.preventDefault();
      if (option) choose(null);
      else if (values.size) change([...values.keys()].at(-1));
      else reset();
    }
  });
  input.addEventListener('blur', () => {
    menu.hidden = true;
  });
  input.addEventListener('focus', () => {
    menu.hidden = rows.length === 0;
  });
  document.querySelector('#composer-form').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  draw();
  return {
    reset,
    /** There are other commands now: what is offered for the name being typed is looked up again. */
    commandsChanged() {
      if (!command && document.activeElement === input) refresh();
    },
    /** Hints and descriptions are in another language now. */
    languageChanged() {
      draw();
      if (document.activeElement === input) refresh();
    },
    /** As if the person had typed a slash. */
    begin() {
      input.focus();
      if (!command) typeOn('/');
    },
    /** Puts a command in the field, with values, for the person to look at or send. */
    prepare(name, given = {}) {
      const found = commands().find((one) => one.name === name);
      if (!found) return false;
      pick(found);
      for (const [key, value] of Object.entries(given)) values.set(key, { value, label: String(value) });
      choose(required()[0] ?? null);
      return true;
    },
    submit,
  };
}
