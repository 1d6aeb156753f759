/** What a Discord client does with a filled-in modal before it sends it. Pure. */
import { type APIModalInteractionResponseCallbackData, ComponentType } from 'discord-api-types/v10';
import { gatherIds } from './client-options.ts';
import { isRecord, type JsonRecord, numberOf, recordsOf, stringOf } from './json.ts';
import type { LocalGuild, ModalValue } from './types.ts';
import type { World } from './world.ts';

/** The `data` of a modal submit. @throws Error with the words a client would show */
export function modalSubmission(
  world: World,
  guild: LocalGuild,
  modal: APIModalInteractionResponseCallbackData,
  values: Readonly<Record<string, ModalValue>>,
): JsonRecord {
  const unused = new Set(Object.keys(values));
  const ids: string[] = [];
  const answer = (field: JsonRecord, id: number): JsonRecord => {
    const customId = stringOf(field.custom_id);
    unused.delete(customId);
    const value = values[customId];
    const common = { type: field.type, custom_id: customId, id };
    if (field.type === ComponentType.TextInput) return { ...common, value: textOf(field, customId, value) };
    const chosen = chosenOf(field, customId, value);
    if (field.type !== ComponentType.StringSelect) ids.push(...chosen);
    return { ...common, values: chosen };
  };
  let next = 0;
  const components = recordsOf(modal.components).map((component) => {
    const id = ++next;
    const type = component.type;
    if (isRecord(component.component)) return { type, id, component: answer(component.component, ++next) };
    if (type === ComponentType.TextDisplay) return { type, id };
    return { type, id, components: recordsOf(component.components).map((field) => answer(field, ++next)) };
  });
  const [stray] = unused;
  if (stray !== undefined) throw new Error(`the modal "${modal.title}" has no field "${stray}"`);
  const resolved = gatherIds(world, guild, ids, ['users', 'roles', 'channels']);
  return { custom_id: modal.custom_id, components, ...(ids.length > 0 ? { resolved } : {}) };
}

function textOf(field: JsonRecord, customId: string, value: ModalValue | undefined): string {
  const text = value === undefined ? stringOf(field.value) : value;
  if (typeof text !== 'string') throw new Error(`"${customId}" must be text`);
  if (text === '' && field.required !== false) throw new Error(`"${customId}" is required`);
  const least = numberOf(field.min_length);
  if (text !== '' && text.length < least)
    throw new Error(`"${customId}" must be ${least} or more characters`);
  const most = numberOf(field.max_length, 4000);
  if (text.length > most) throw new Error(`"${customId}" must be ${most} or fewer characters`);
  return text;
}

function chosenOf(field: JsonRecord, customId: string, value: ModalValue | undefined): string[] {
  const chosen = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  if (!Array.isArray(chosen)) throw new Error(`"${customId}" must be a list of values`);
  if (chosen.length === 0 && field.required !== false) throw new Error(`"${customId}" is required`);
  return checkChosen(field, customId, chosen.map(String), chosen.length === 0);
}

/** The values of a select, if it offers them and takes as many. */
export function checkChosen(
  select: JsonRecord,
  customId: string,
  values: readonly string[],
  mayBeEmpty = false,
): string[] {
  const least = mayBeEmpty ? 0 : numberOf(select.min_values, 1);
  const most = numberOf(select.max_values, 1);
  if (values.length < least || values.length > most) {
    throw new Error(`"${customId}" takes ${least} to ${most} values, not ${values.length}`);
  }
  if (select.type === ComponentType.StringSelect) {
    const offered = recordsOf(select.options).map((option) => option.value);
    const stray = values.find((value) => !offered.includes(value));
    if (stray !== undefined) throw new Error(`"${customId}" does not offer "${stray}"`);
  }
  return [...values];
}
