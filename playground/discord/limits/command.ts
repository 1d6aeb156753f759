/** Discord's limits on the definition of an application command. */
import { ApplicationCommandType, ApplicationCommandOptionType as Option } from 'discord-api-types/v10';
import { isRecord, type JsonRecord, numberOf, recordsOf, stringOf } from '../json.ts';
import type { BodyProblem } from '../types.ts';
import { lengthOf, Report } from './report.ts';

/** Of name, description, option and choice texts together; of the localizations the longest counts. */
const MOST_TEXT = 8000;
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;

/** Every locale that Discord knows. */
const LOCALES = new Set(
  'id da de en-GB en-US es-ES es-419 fr hr it lt hu nl no pl pt-BR ro fi sv-SE vi tr cs el bg ru uk hi th zh-CN ja zh-TW ko'.split(
    ' ',
  ),
);

/** @param scope guild commands know neither contexts nor installations */
export function commandProblems(body: JsonRecord, scope: 'guild' | 'global', isPatch = false): BodyProblem[] {
  const report = new Report();
  const isChatInput =
    numberOf(body.type, ApplicationCommandType.ChatInput) === ApplicationCommandType.ChatInput;
  if (isChatInput) {
    checkNames(report, '', body, isPatch);
    checkOptions(report, 'options', body.options, 0);
  } else {
    report.text('name', body.name, isPatch ? 0 : 1, 32);
    if (stringOf(body.description) !== '') {
      report.add(
        'description',
        'APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION',
        'Context menu commands cannot have description',
      );
    }
  }
  if (scope === 'guild') {
    for (const field of ['contexts', 'integration_types']) {
      if (body[field] === undefined || body[field] === null) continue;
      report.add(field, 'APPLICATION_COMMAND_GLOBAL_ONLY', 'Only global commands can have this field');
    }
  }
  if (textLength(body) > MOST_TEXT) {
    report.add('', 'APPLICATION_COMMAND_TOO_LARGE', `Command exceeds maximum size (${MOST_TEXT})`);
  }
  return report.problems;
}

/** The whole list of a bulk overwrite: names may appear once per type. */
export function bulkProblems(bodies: readonly JsonRecord[], scope: 'guild' | 'global'): BodyProblem[] {
  const seen = new Set<string>();
  return bodies.flatMap((body, index) => {
    const found = commandProblems(body, scope).map((one) => ({
      ...one,
      path: one.path === '' ? `${index}` : `${index}.${one.path}`,
    }));
    const name = `${numberOf(body.type, 1)} ${stringOf(body.name)}`;
    if (seen.has(name)) {
      found.push({
        path: `${index}`,
        code: 'APPLICATION_COMMANDS_DUPLICATE_NAME',
        message: 'Application command names must be unique',
      });
    }
    seen.add(name);
    return found;
  });
}

function checkNames(report: Report, prefix: string, body: JsonRecord, isPatch: boolean): void {
  const name = (path: string, value: unknown) => {
    report.text(path, value, 1, 32);
    if (typeof value === 'string' && (!NAME.test(value) || value !== value.toLowerCase())) {
      report.add(path, 'APPLICATION_COMMAND_INVALID_NAME', 'Command name is invalid');
    }
  };
  if (!isPatch || body.name !== undefined) name(`${prefix}name`, body.name);
  if (!isPatch || body.description !== undefined)
    report.text(`${prefix}description`, body.description, 1, 100);
  for (const [locale, text] of localized(report, `${prefix}name_localizations`, body.name_localizations)) {
    name(`${prefix}name_localizations.${locale}`, text);
  }
  for (const [locale, text] of localized(
    report,
    `${prefix}description_localizations`,
    body.description_localizations,
  )) {
    report.text(`${prefix}description_localizations.${locale}`, text, 1, 100);
  }
}

function localized(report: Report, path: string, value: unknown): [string, unknown][] {
  const entries = Object.entries(isRecord(value) ? value : {}).filter(([, text]) => text !== null);
  for (const [locale] of entries) {
    if (!LOCALES.has(locale))
      report.add(`${path}.${locale}`, 'BASE_TYPE_CHOICES', `"${locale}" is not a locale.`);
  }
  return entries;
}

function checkOptions(report: Report, path: string, value: unknown, depth: number): void {
  if (value === undefined || value === null) return;
  report.list(path, value, 0, 25);
  const options = recordsOf(value);
  const names = new Set<string>();
  let optionalSeen = false;
  options.forEach((option, index) => {
    const at = `${path}.${index}`;
    checkNames(report, `${at}.`, option, false);
    const name = stringOf(option.name);
    if (names.has(name))
      report.add(`${at}.name`, 'APPLICATION_COMMAND_OPTIONS_NAME_INVALID', 'Option name is already used');
    names.add(name);
    if (option.required === true && optionalSeen) {
      const message = 'Required options must be placed before non-required options';
      report.add(at, 'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID', message);
    }
    if (option.required !== true) optionalSeen = true;
    checkOption(report, at, option, depth);
  });
  const isBranch = (option: JsonRecord) =>
    option.type === Option.Subcommand || option.type === Option.SubcommandGroup;
  if (options.some(isBranch) && !options.every(isBranch)) {
    const message =
      'Sub-command and sub-command group option types are mutually exclusive to all other types';
    report.add(path, 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', message);
  }
}

function checkOption(report: Report, path: string, option: JsonRecord, depth: number): void {
  const type = numberOf(option.type, -1);
  if (type < Option.Subcommand || type > Option.Attachment) {
    report.add(
      `${path}.type`,
      'BASE_TYPE_CHOICES',
      'Value must be one of {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}.',
    );
    return;
  }
  if (type === Option.Subcommand || type === Option.SubcommandGroup) {
    if (depth > (type === Option.SubcommandGroup ? 0 : 1)) {
      report.add(path, 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', 'Subcommands are nested too deeply');
    }
    checkOptions(report, `${path}.options`, option.options, depth + 1);
    return;
  }
  const takesChoices = type === Option.String || type === Option.Integer || type === Option.Number;
  const choices = recordsOf(option.choices);
  if (option.choices !== undefined && option.choices !== null)
    report.list(`${path}.choices`, option.choices, 0, 25);
  if (choices.length > 0 && option.autocomplete === true) {
    report.add(
      path,
      'APPLICATION_COMMAND_AUTOCOMPLETE_WITH_CHOICES',
      'An option cannot have both choices and autocomplete',
    );
  }
  if (!takesChoices && (choices.length > 0 || option.autocomplete === true)) {
    report.add(
      path,
      'APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID',
      'This option type cannot have choices or autocomplete',
    );
  }
  choices.forEach((choice, index) => {
    report.text(`${path}.choices.${index}.name`, choice.name, 1, 100);
    if (type === Option.String) report.text(`${path}.choices.${index}.value`, choice.value, 1, 100);
    else if (typeof choice.value !== 'number') {
      report.add(`${path}.choices.${index}.value`, 'NUMBER_TYPE_COERCE', 'Must be a number.');
    }
  });
  report.range(`${path}.min_length`, option.min_length, 0, 6000);
  report.range(`${path}.max_length`, option.max_length, 1, 6000);
}

function textLength(body: JsonRecord): number {
  const longest = (text: unknown, localizations: unknown) =>
    Math.max(
      lengthOf(stringOf(text)),
      ...Object.values(isRecord(localizations) ? localizations : {}).map((one) => lengthOf(stringOf(one))),
    );
  const own =
    longest(body.name, body.name_localizations) + longest(body.description, body.description_localizations);
  const choices = recordsOf(body.choices).reduce(
    (sum, choice) => sum + longest(choice.name, choice.name_localizations) + lengthOf(String(choice.value)),
    0,
  );
  return recordsOf(body.options).reduce((sum, option) => sum + textLength(option), own + choices);
}
