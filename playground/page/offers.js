/** What a command and its options can be given: as rows to choose from, and read from what is typed. */
import { entityRows, kindsOfOption, matching } from './entities.js';
import { t } from './words.js';

const SUBCOMMAND = 1;
const GROUP = 2;
const BOOLEAN = 5;
const NUMBERS = [4, 10];

/** Each slash command, or each subcommand of one in its place: `shop buy`. */
export function runnable(commands) {
  return commands.filter((one) => one.type === 1).flatMap((one) => leaves(one, one.name));
}

function leaves(part, name) {
  const branches = (part.options ?? []).filter((one) => one.type === SUBCOMMAND || one.type === GROUP);
  if (branches.length === 0) return [{ ...part, name }];
  return branches.flatMap((one) => leaves(one, `${name} ${one.name}`));
}

/** What begins with the words stands first. */
export function commandsNamed(commands, words) {
  const begins = (one) => Number(one.name.startsWith(words));
  return commands
    .filter((one) => one.name.includes(words))
    .sort((a, b) => begins(b) - begins(a) || a.name.localeCompare(b.name));
}

/**
 * The rows of an option for what is typed; `undefined` where anything may be typed.
 * @param hello who and what there is
 */
export function offersOf(option, text, { hello, locale }) {
  const has = (words) => words.toLowerCase().includes(text.toLowerCase());
  if (option.choices?.length) {
    const called = (choice) => choice.name_localizations?.[locale] ?? choice.name;
    return option.choices
      .map((one) => ({ label: called(one), value: one.value }))
      .filter((one) => has(one.label));
  }
  if (option.type === BOOLEAN)
    return [true, false]
      .map((value) => ({ label: value ? t('yes') : t('no'), value }))
      .filter((one) => has(one.label));
  const kinds = kindsOfOption(option);
  return kinds && matching(entityRows(hello, kinds, option.channel_types), text);
}

/** @returns the value, or `undefined` where it must be a number and is none */
export function typedValue(option, text) {
  if (!NUMBERS.includes(option.type)) return text;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
