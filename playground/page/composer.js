/**
 * The message field: plain messages, and slash commands with completion. A chosen command becomes a pill; each of its
 * options becomes one too, with its choices or the bot's own suggestions below.
 */
import { el } from './dom.js';

const SUGGEST_AFTER_MS = 160;
const USER = 6;
const BOOLEAN = 5;
const NUMBERS = [4, 10];

/** @param parts { commands(), locale(), people(), channelId(), act, send(name, options), say(text) } */
export function composer(parts) {
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

  const required = () => (command?.options ?? []).filter((one) => one.required && !values.has(one.name));
  const told = (one) => one.description_localizations?.[parts.locale()] ?? one.description;
  const called = (choice) => choice.name_localizations?.[parts.locale()] ?? choice.name;
  const open = () => (command?.options ?? []).filter((one) => !values.has(one.name));

  function draw() {
    pills.replaceChildren();
    if (command) pills.append(el('span', { class: 'pill command' }, `/${command.name}`));
    for (const [name, value] of values)
      pills.append(
        el(
          'button',
          { type: 'button', class: 'pill', title: 'Change', onclick: () => change(name) },
          el('small', {}, name),
          ` ${value.label}`,
        ),
      );
    if (option) pills.append(el('span', { class: 'pill now' }, el('small', {}, option.name)));
    input.placeholder = command
      ? option
        ? told(option)
        : open().length
          ? 'Enter sends it, or choose an option'
          : 'Enter sends it'
      : 'Type / for a command';
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
    const has = (words) => words.toLowerCase().includes(text.toLowerCase());
    if (!command) {
      if (!text.startsWith('/')) return show([]);
      // A whole name with a space behind it is chosen; what follows it is typed on.
      const [, name, rest] = /^\/([\w-]+) (.*)$/s.exec(text) ?? [];
      const named = parts.commands().find((one) => one.type === 1 && one.name === name);
      if (named) {
        pick(named);
        return rest === '' ? undefined : typeOn(rest);
      }
      const wanted = text.slice(1).toLowerCase();
      const list = parts.commands().filter((one) => one.type === 1 && one.name.includes(wanted));
      list.sort(
        (a, b) =>
          Number(b.name.startsWith(wanted)) - Number(a.name.startsWith(wanted)) ||
          a.name.localeCompare(b.name),
      );
      if (!list.length)
        return show([
          {
            label: 'No command here has this name',
            note: 'You see only what you may use',
            run: () => undefined,
          },
        ]);
      return show(list.map((one) => ({ label: `/${one.name}`, note: told(one), run: () => pick(one) })));
    }
    if (!option) {
      const listed = open().filter((one) => has(one.name));
      // What names no option is meant as the value of the first one.
      if (listed.length === 0 && open().length > 0 && text !== '') {
        choose(open()[0]);
        return typeOn(text);
      }
      return show(
        listed.map((one) => ({
          label: one.name,
          note: `${told(one)}${one.required ? ' · required' : ''}`,
          run: () => choose(one),
          optional: !one.required,
        })),
      );
    }
    if (option.choices?.length)
      return show(
        option.choices
          .filter((one) => has(called(one)))
          .map((one) => ({ label: called(one), run: () => take(one.value, called(one)) })),
      );
    if (option.type === BOOLEAN)
      return show(
        ['True', 'False'].filter(has).map((one) => ({ label: one, run: () => take(one === 'True', one) })),
      );
    if (option.type === USER)
      return show(
        parts
          .people()
          .filter((one) => has(one.name))
          .slice(0, 12)
          .map((one) => ({ label: one.name, run: () => take(one.id, one.name) })),
      );
    show([]);
    if (option.autocomplete) timer = setTimeout(() => suggest(asked), SUGGEST_AFTER_MS);
  }

  async function suggest(ticket) {
    const options = Object.fromEntries([...values].map(([name, one]) => [name, one.value]));
    options[option.name] = input.value;
    const result = await parts.act(
      { do: 'autocomplete', channelId: parts.channelId(), name: command.name, options, focused: option.name },
      true,
    );
    if (ticket !== asked) return;
    if (!result.ok) return say(result.problem);
    show(
      result.choices.map((one) => ({
        label: one.name,
        note: one.name === one.value ? '' : String(one.value),
        run: () => take(one.value, one.name),
        optional: true,
      })),
    );
  }

  /** What is typed becomes the option's value. @returns whether it could */
  function settle() {
    if (!option) return true;
    const text = input.value.trim();
    if (text === '') {
      if (option.required) {
        say(`“${option.name}” is required.`);
        return false;
      }
      choose(null);
      return true;
    }
    if (option.choices?.length || option.type === BOOLEAN || option.type === USER) {
      const row = rows[active];
      if (!row) {
        say(`“${text}” is not one of the choices for “${option.name}”.`);
        return false;
      }
      row.run();
      return true;
    }
    if (NUMBERS.includes(option.type) && !Number.isFinite(Number(text))) {
      say(`“${option.name}” must be a number.`);
      return false;
    }
    take(NUMBERS.includes(option.type) ? Number(text) : text);
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
      await parts.say(text);
      return;
    }
    if (!settle()) return;
    const [missing] = required();
    if (missing) {
      say(`“${missing.name}” is required.`);
      if (option !== missing) choose(missing);
      return;
    }
    const used = { command, values };
    // The field is free at once: what is typed while this one is on its way is another.
    reset();
    const result = await parts.send(
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
    /** Puts a command in the field, with values, for the person to look at or send. */
    prepare(name, given = {}) {
      const found = parts.commands().find((one) => one.name === name);
      if (!found) return false;
      pick(found);
      for (const [key, value] of Object.entries(given)) values.set(key, { value, label: String(value) });
      choose(required()[0] ?? null);
      return true;
    },
    submit,
  };
}
