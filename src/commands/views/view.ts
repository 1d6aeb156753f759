/**
 * What a reply says, before Discord's shapes: a title, blocks of lines, notes, controls. Views build it, `budget.ts`
 * makes it fit, `render.ts` turns it into Components V2 or embeds. Plain data, so that both come from one model.
 */

/** The accent. Each is told in words, too: colour is never the only sign. */
export type Tone = 'normal' | 'good' | 'degraded' | 'danger';

/** A heading and lines of Discord markdown. Untrusted text must have passed `keyText`. */
export interface Block {
  readonly heading?: string;
  readonly lines: readonly string[];
  /** How many further items were left out; shown as "… and 12 more". */
  readonly more?: number;
}

export interface Button {
  /** The `custom_id`. */
  readonly id: string;
  /** A verb, at most 38 characters to be readable whole. */
  readonly label: string;
  readonly style: 'primary' | 'secondary' | 'danger';
  readonly disabled?: boolean;
}

export interface SelectOption {
  readonly label: string;
  readonly value: string;
  readonly description?: string;
  readonly selected?: boolean;
}

export interface Select {
  /** The `custom_id`. */
  readonly id: string;
  readonly placeholder: string;
  /** 1 to 25; more are left out. */
  readonly options: readonly SelectOption[];
  readonly disabled?: boolean;
}

/** Discord's own list of people. */
export interface UserSelect {
  /** The `custom_id`. */
  readonly id: string;
  readonly placeholder: string;
  readonly of: 'users';
  readonly disabled?: boolean;
}

/** A row of up to five buttons, or one select. */
export type ControlRow = readonly Button[] | Select | UserSelect;

export interface View {
  readonly tone: Tone;
  /** With its emoji, the only one in the reply besides those of the headings. */
  readonly title: string;
  /** Small grey text under the title. */
  readonly subtitle?: string;
  readonly blocks: readonly Block[];
  /** Small grey text at the end. */
  readonly notes?: readonly string[];
  readonly rows?: readonly ControlRow[];
  /** A file to download. */
  readonly file?: { readonly name: string; readonly text: string };
}

/** Makes the `custom_id` of an action of the panel at hand. */
export type ControlId = (action: string) => string;

/** Which command to point to, clickable where its id is known. */
export type Mention = (
  command: 'cache-stats' | 'cache-clear' | 'cache-warm' | 'cache-info' | 'cache-writes',
) => string;

/** The same view with every control greyed out: for an answer that is on its way, or over. */
export function disabled(view: View): View {
  if (view.rows === undefined) return view;
  return { ...view, rows: view.rows.map(disableRow) };
}

function disableRow(row: ControlRow): ControlRow {
  return isSelect(row) ? { ...row, disabled: true } : row.map((button) => ({ ...button, disabled: true }));
}

/** Tells the two kinds of rows apart. */
export function isSelect(row: ControlRow): row is Select | UserSelect {
  return !Array.isArray(row);
}
