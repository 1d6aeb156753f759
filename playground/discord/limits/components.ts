/**
 * Discord's limits on message components, old (rows of buttons and selects) and Components V2.
 * Numbers are those of Discord's component reference.
 */
import { ComponentType } from 'discord-api-types/v10';
import { isRecord, type JsonRecord, numberOf, recordsOf, stringOf } from '../json.ts';
import { checkButton, checkScheme, checkSelect, SELECTS, type Seen } from './controls.ts';
import { lengthOf, type Report } from './report.ts';

const MOST_COMPONENTS = 40;
const MOST_TEXT = 4000;

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
