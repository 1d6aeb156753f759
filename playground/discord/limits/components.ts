/**
 * Discord's limits on message components, old (rows of buttons and selects) and Components V2.
 * Numbers are those of Discord's component reference.
 */
import { ButtonStyle, ComponentType } from 'discord-api-types/v10';
import { isRecord, type JsonRecord, numberOf, recordsOf, stringOf } from '../json.ts';
import { lengthOf, type Report } from './report.ts';

const MOST_COMPONENTS = 40;
const MOST_TEXT = 4000;

const SELECTS: ReadonlySet<number> = new Set([
  ComponentType.StringSelect,
  ComponentType.UserSelect,
  ComponentType.RoleSelect,
  ComponentType.MentionableSelect,
  ComponentType.ChannelSelect,
]);

const IN_CONTAINER: readonly number[] = [
  ComponentType.ActionRow,
  ComponentType.TextDisplay,
  ComponentType.Section,
  ComponentType.MediaGallery,
  ComponentType.Separator,
  ComponentType.File,
];

/** Every component under these, parents first. */
export function* everyComponent(components: unknown): Generator<JsonRecord> {
  for (const component of recordsOf(components)) {
    yield component;
    yield* everyComponent(component.components);
    if (isRecord(component.accessory)) yield component.accessory;
    if (isRecord(component.component)) yield component.component;
  }
}

/** @param v2 whether the message has the Components V2 flag */
export function checkComponents(report: Report, components: unknown, v2: boolean): void {
  if (components === undefined || components === null) return;
  const customIds = new Set<string>();
  const seen = { customIds, componentIds: new Set<number>() };
  recordsOf(components).forEach((component, index) => {
    const path = `components.${index}`;
    const allowed = v2 ? [...IN_CONTAINER, ComponentType.Container] : [ComponentType.ActionRow];
    checkOne(report, path, component, allowed, seen);
  });
  if (!v2) {
    report.list('components', components, 0, 5);
    return;
  }
  const all = [...everyComponent(components)];
  if (all.length > MOST_COMPONENTS) {
    report.add(
      'components',
      'COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED',
      `The total number of components exceeds the maximum of ${MOST_COMPONENTS} (${all.length})`,
    );
  }
  const text = all
    .filter((component) => component.type === ComponentType.TextDisplay)
    .reduce((sum, component) => sum + lengthOf(stringOf(component.content)), 0);
  if (text > MOST_TEXT) {
    report.add(
      'components',
      'COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED',
      `The total displayable text size exceeds the maximum of ${MOST_TEXT} (${text})`,
    );
  }
}

interface Seen {
  readonly customIds: Set<string>;
  readonly componentIds: Set<number>;
}

function checkOne(
  report: Report,
  path: string,
  component: JsonRecord,
  allowed: readonly number[],
  seen: Seen,
): void {
  const type = numberOf(component.type, -1);
  if (!allowed.includes(type)) {
    report.add(
      `${path}.type`,
      'UNION_TYPE_CHOICES',
      `Value of field "type" must be one of (${allowed.join(', ')}).`,
    );
    return;
  }
  const id = component.id;
  if (typeof id === 'number' && id !== 0) {
    if (seen.componentIds.has(id)) {
      report.add(`${path}.id`, 'COMPONENT_DUPLICATED_ID', 'Component id cannot be duplicated');
    }
    seen.componentIds.add(id);
  }
  const children = recordsOf(component.components);
  const each = (of: readonly number[]) =>
    children.forEach((child, index) => {
      checkOne(report, `${path}.components.${index}`, child, of, seen);
    });
  switch (type) {
    case ComponentType.ActionRow:
      checkRow(report, path, children);
      each([ComponentType.Button, ...SELECTS]);
      break;
    case ComponentType.Container:
      report.list(`${path}.components`, component.components, 1, MOST_COMPONENTS);
      report.range(`${path}.accent_color`, component.accent_color, 0, 0xffffff);
      each(IN_CONTAINER);
      break;
    case ComponentType.Section:
      report.list(`${path}.components`, component.components, 1, 3);
      each([ComponentType.TextDisplay]);
      if (!isRecord(component.accessory)) report.required(`${path}.accessory`);
      else {
        const of = [ComponentType.Button, ComponentType.Thumbnail];
        checkOne(report, `${path}.accessory`, component.accessory, of, seen);
      }
      break;
    case ComponentType.TextDisplay:
      report.text(`${path}.content`, component.content, 1, MOST_TEXT);
      break;
    case ComponentType.Thumbnail:
      report.text(`${path}.description`, component.description, 0, 1024);
      checkMedia(report, `${path}.media`, component.media);
      break;
    case ComponentType.MediaGallery:
      report.list(`${path}.items`, component.items, 1, 10);
      recordsOf(component.items).forEach((item, index) => {
        report.text(`${path}.items.${index}.description`, item.description, 0, 1024);
        checkMedia(report, `${path}.items.${index}.media`, item.media);
      });
      break;
    case ComponentType.File:
      checkMedia(report, `${path}.file`, component.file, ['attachment:']);
      break;
    case ComponentType.Button:
      checkButton(report, path, component, seen);
      break;
    default:
      if (SELECTS.has(type)) checkSelect(report, path, component, seen);
  }
}

function checkRow(report: Report, path: string, children: readonly JsonRecord[]): void {
  const selects = children.filter((child) => SELECTS.has(numberOf(child.type))).length;
  if (children.length === 0 || children.length > 5) {
    report.add(`${path}.components`, 'BASE_TYPE_BAD_LENGTH', 'Must be between 1 and 5 in length.');
  }
  if (selects > 0 && children.length > 1) {
    report.add(
      `${path}.components`,
      'COMPONENT_LAYOUT_WIDTH_EXCEEDED',
      'The specified component exceeds the maximum width',
    );
  }
}

function checkButton(report: Report, path: string, button: JsonRecord, seen: Seen): void {
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

function checkMedia(
  report: Report,
  path: string,
  media: unknown,
  schemes = ['http:', 'https:', 'attachment:'],
): void {
  if (!isRecord(media) || typeof media.url !== 'string') {
    report.required(`${path}.url`);
    return;
  }
  report.text(`${path}.url`, media.url, 1, 2048);
  checkScheme(report, `${path}.url`, media.url, schemes);
}

function checkScheme(report: Report, path: string, url: string, schemes: readonly string[]): void {
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
