/** Collects what is wrong with a body, in Discord's words. */
import type { BodyProblem } from '../types.ts';

/** Length as Discord counts it: characters, not UTF-16 units. */
export function lengthOf(text: string): number {
  return [...text].length;
}

export class Report {
  readonly problems: BodyProblem[] = [];

  add(path: string, code: string, message: string): void {
    this.problems.push({ path, code, message });
  }

  /** Text that must be there and no longer than `most`. `least` 0 also lets it be left out. */
  text(path: string, value: unknown, least: number, most: number): void {
    if (value === undefined || value === null) {
      if (least > 0) this.add(path, 'BASE_TYPE_REQUIRED', 'This field is required');
    } else if (typeof value !== 'string') {
      this.add(path, 'BASE_TYPE_STRING', 'Must be a string.');
    } else {
      this.#bounds(path, lengthOf(value), least, most, 'in length');
    }
  }

  /** A list whose length is bounded. */
  list(path: string, value: unknown, least: number, most: number): void {
    const length = Array.isArray(value) ? value.length : 0;
    if (length < least || length > most) {
      this.add(path, 'BASE_TYPE_BAD_LENGTH', `Must be between ${least} and ${most} in length.`);
    }
  }

  /** A number within bounds, if it is there. */
  range(path: string, value: unknown, least: number, most: number): void {
    if (value === undefined || value === null) return;
    if (typeof value !== 'number' || value < least) {
      this.add(path, 'NUMBER_TYPE_MIN', `int value should be greater than or equal to ${least}.`);
    } else if (value > most) {
      this.add(path, 'NUMBER_TYPE_MAX', `int value should be less than or equal to ${most}.`);
    }
  }

  required(path: string): void {
    this.add(path, 'BASE_TYPE_REQUIRED', 'This field is required');
  }

  #bounds(path: string, length: number, least: number, most: number, unit: string): void {
    if (length < least && least === 1 && length === 0) this.required(path);
    else if (length < least) this.add(path, 'BASE_TYPE_MIN_LENGTH', `Must be ${least} or more ${unit}.`);
    if (length > most) this.add(path, 'BASE_TYPE_MAX_LENGTH', `Must be ${most} or fewer ${unit}.`);
  }
}
