/** Discord's limits on what people operate: buttons and selects, in messages and modals. */
import { ButtonStyle, ComponentType } from 'discord-api-types/v10';
import { isRecord, type JsonRecord, numberOf, recordsOf, stringOf } from '../json.ts';
import type { Report } from './report.ts';

export const SELECTS: ReadonlySet<number> = new Set([
  ComponentType.StringSelect,
  ComponentType.UserSelect,
  ComponentType.RoleSelect,
  ComponentType.MentionableSelect,
  ComponentType.ChannelSelect,
]);

/** What may not appear twice in a message. */
export interface Seen {
  readonly customIds: Set<string>;
  readonly componentIds: Set<number>;
}

/** A button of any style. */
export function checkButton(report: Report, path: string, button: JsonRecord, seen: Seen): void {
  const style = numberOf(button.style, -1);
  if (style < ButtonStyle.Primary || style > ButtonStyle.Premium) {
    report.add(`${path}.style`, 'BASE_TYPE_CHOICES', 'Value must be one of {1, 2, 3, 4, 5, 6}.');
    return;
  }
  report.text(`${path}.label`, button.label, 0, 80);
  if (style === ButtonStyle.Premium) return;
  if (!button.label && !isRecord(button.emoji)) {
    report.add(path, 'BUTTON_COMPONENT_MISSING_LABEL_OR_EMOJI', 'A button must have a label or an emoji');
  }
  if (style === ButtonStyle.Link) {
    report.text(`${path}.url`, button.url, 1, 512);
    if (typeof button.url === 'string')
      checkScheme(report, `${path}.url`, button.url, ['http:', 'https:', 'discord:']);
    if (button.custom_id !== undefined) {
      report.add(
        path,
        'BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE',
        'A custom id and url cannot both be specified',
      );
    }
  } else {
    checkCustomId(report, path, button, seen);
    if (button.url !== undefined && button.url !== null) {
      report.add(
        path,
        'BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE',
        'A custom id and url cannot both be specified',
      );
    }
  }
}

/** A select in a message or a modal. */
export function checkSelect(report: Report, path: string, select: JsonRecord, seen: Seen): void {
  checkCustomId(report, path, select, seen);
  report.text(`${path}.placeholder`, select.placeholder, 0, 150);
  report.range(`${path}.min_values`, select.min_values, 0, 25);
  report.range(`${path}.max_values`, select.max_values, 1, 25);
  if (numberOf(select.min_values, 1) > numberOf(select.max_values, 1)) {
    report.add(
      `${path}.min_values`,
      'SELECT_COMPONENT_MIN_OVER_MAX',
      'min_values must not be more than max_values',
    );
  }
  if (select.type !== ComponentType.StringSelect) return;
  const options = recordsOf(select.options);
  report.list(`${path}.options`, select.options, 1, 25);
  const values = new Set<string>();
  options.forEach((option, index) => {
    const at = `${path}.options.${index}`;
    report.text(`${at}.label`, option.label, 1, 100);
    report.text(`${at}.value`, option.value, 1, 100);
    report.text(`${at}.description`, option.description, 0, 100);
    const value = stringOf(option.value);
    if (values.has(value)) {
      report.add(
        `${at}.value`,
        'SELECT_COMPONENT_OPTION_VALUE_DUPLICATED',
        'The specified option value is already used',
      );
    }
    values.add(value);
  });
  const preset = options.filter((option) => option.default === true).length;
  if (preset > numberOf(select.max_values, 1)) {
    report.add(
      `${path}.options`,
      'SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES',
      'More options are default than may be chosen',
    );
  }
}

/** A `custom_id` of 1 to 100 characters that no other component of the message has. */
export function checkCustomId(report: Report, path: string, component: JsonRecord, seen: Seen): void {
  report.text(`${path}.custom_id`, component.custom_id, 1, 100);
  const customId = stringOf(component.custom_id);
  if (customId !== '' && seen.customIds.has(customId)) {
    report.add(
      `${path}.custom_id`,
      'COMPONENT_CUSTOM_ID_DUPLICATED',
      'Component custom id cannot be duplicated',
    );
  }
  seen.customIds.add(customId);
}

/** An address with one of these schemes, each with its colon. */
export function checkScheme(report: Report, path: string, url: string, schemes: readonly string[]): void {
  const scheme = /^[a-z]+:/i.exec(url)?.[0].toLowerCase() ?? '';
  if (!schemes.includes(scheme)) {
    const names = schemes.map((one) => `'${one.slice(0, -1)}'`).join(', ');
    report.add(
      path,
      'URL_TYPE_INVALID_SCHEME',
      `Scheme "${scheme}" is not supported. Scheme must be one of (${names}).`,
    );
  }
}
