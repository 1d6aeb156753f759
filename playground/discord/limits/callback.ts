/** Discord's limits on the two answers that are no message: autocomplete choices and modals. */
import { ComponentType, MessageFlags } from 'discord-api-types/v10';
import { isRecord, type JsonRecord, numberOf, recordsOf } from '../json.ts';
import type { BodyProblem } from '../types.ts';
import { checkCustomId, checkSelect, type Seen } from './controls.ts';
import { Report } from './report.ts';

export function choicesProblems(data: JsonRecord): BodyProblem[] {
  const report = new Report();
  if (!Array.isArray(data.choices)) report.required('data.choices');
  else report.list('data.choices', data.choices, 0, 25);
  recordsOf(data.choices).forEach((choice, index) => {
    report.text(`data.choices.${index}.name`, choice.name, 1, 100);
    if (typeof choice.value !== 'number') report.text(`data.choices.${index}.value`, choice.value, 1, 100);
  });
  return report.problems;
}

/** A deferral says whether the answer will be ephemeral, and nothing else. */
export function deferralProblems(data: JsonRecord): BodyProblem[] {
  const report = new Report();
  if ((numberOf(data.flags) & ~MessageFlags.Ephemeral) !== 0) {
    report.add('data.flags', 'BASE_TYPE_CHOICES', 'Only the EPHEMERAL flag may be set when deferring.');
  }
  return report.problems;
}

export function modalProblems(data: JsonRecord): BodyProblem[] {
  const report = new Report();
  const seen = { customIds: new Set<string>(), componentIds: new Set<number>() };
  report.text('data.custom_id', data.custom_id, 1, 100);
  report.text('data.title', data.title, 1, 45);
  report.list('data.components', data.components, 1, 5);
  recordsOf(data.components).forEach((component, index) => {
    const path = `data.components.${index}`;
    if (component.type === ComponentType.Label) {
      report.text(`${path}.label`, component.label, 1, 45);
      report.text(`${path}.description`, component.description, 0, 100);
      if (isRecord(component.component)) checkField(report, `${path}.component`, component.component, seen);
      else report.required(`${path}.component`);
    } else if (component.type === ComponentType.TextDisplay) {
      report.text(`${path}.content`, component.content, 1, 4000);
    } else if (component.type === ComponentType.ActionRow) {
      report.list(`${path}.components`, component.components, 1, 1);
      recordsOf(component.components).forEach((field, nth) => {
        const at = `${path}.components.${nth}`;
        if (field.type === ComponentType.TextInput) report.text(`${at}.label`, field.label, 1, 45);
        checkField(report, at, field, seen);
      });
    } else {
      report.add(`${path}.type`, 'UNION_TYPE_CHOICES', 'Value of field "type" must be one of (1, 10, 18).');
    }
  });
  return report.problems;
}

function checkField(report: Report, path: string, field: JsonRecord, seen: Seen): void {
  if (field.type !== ComponentType.TextInput) {
    checkSelect(report, path, field, seen);
    return;
  }
  checkCustomId(report, path, field, seen);
  if (field.style !== 1 && field.style !== 2) {
    report.add(`${path}.style`, 'BASE_TYPE_CHOICES', 'Value must be one of {1, 2}.');
  }
  report.range(`${path}.min_length`, field.min_length, 0, 4000);
  report.range(`${path}.max_length`, field.max_length, 1, 4000);
  report.text(`${path}.value`, field.value, 0, 4000);
  report.text(`${path}.placeholder`, field.placeholder, 0, 100);
}
