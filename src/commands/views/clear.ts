/** What `/cache-clear` says: what it would remove, what it removed, and why it did not. */
import type { Preview } from '../../cache/index/preview.ts';
import type { Removal } from '../../cache/removal.ts';
import type { ClearTarget } from '../target.ts';
import { entriesText, type Format, instant, plural } from './format.ts';
import { keyText } from './key-text.ts';
import type { Block, Button, ControlId, Mention, SelectOption, View } from './view.ts';

/** Keys shown as examples in a preview. */
const EXAMPLES = 3;

export interface PreviewModel {
  readonly target: ClearTarget;
  readonly preview: Preview;
  readonly tierLabel: (tier: string) => string;
  /** What reading them again will take, by the mean load times; `undefined` when nothing was ever loaded. */
  readonly reloadMs: number | undefined;
}

export interface QuestionModel extends PreviewModel {
  /** Epoch ms at which the question ends. */
  readonly expiresAt: number;
  /** There are warmers that can bring entries back at once. */
  readonly canWarm: boolean;
  /** How many matched when it was first asked, when more match now. */
  readonly before?: number;
}

/** The question before removing. */
export function previewView(model: QuestionModel, format: Format, id: ControlId): View {
  const entries = entriesText(format, coveredEntries(model.preview));
  const isAll = model.target.kind === 'all';
  const buttons: Button[] = [
    { id: id('cancel'), label: 'Cancel', style: 'secondary' },
    { id: id('confirm'), label: `Clear ${countsText(model.preview, format)}`, style: 'danger' },
  ];
  if (isAll && model.canWarm)
    buttons.push({ id: id('confirm-warm'), label: 'Clear and warm', style: 'secondary' });
  const grown =
    model.before === undefined
      ? []
      : [{ lines: [`**${entries} match now** (${format.count(model.before)} before), so this asks again.`] }];
  return {
    tone: 'danger',
    title: isAll ? '⚠️ Clear the whole cache?' : '⚠️ Clear cached entries?',
    blocks: [...grown, ...previewBlocks(model, format)],
    notes: [`Nothing is cleared yet. This question ends ${instant(model.expiresAt)}.`],
    rows: [buttons],
  };
}

/** The same without a question. */
export function previewOnlyView(model: PreviewModel, format: Format): View {
  return {
    tone: 'normal',
    title: '🔍 What would be cleared',
    blocks: previewBlocks(model, format),
    notes: ['Only a preview: nothing was cleared.'],
  };
}

function previewBlocks({ target, preview, tierLabel, reloadMs }: PreviewModel, format: Format): Block[] {
  const covered =
    preview.stored === 0
      ? `**${entriesText(format, preview.entries)}**, ≈ ${format.bytes(preview.weightBytes)}`
      : `**${format.count(preview.entries)} in memory** (${preview.entries > 0 ? '≈ ' : ''}${format.bytes(preview.weightBytes)}), **${format.count(preview.stored)} on disk**`;
  const lines = [
    target.kind === 'all'
      ? `Everything → ${covered}${preview.tiers.length === 0 ? '' : `, in ${plural(format, preview.tiers.length, 'tier')}`}`
      : `${targetText(target)} → ${covered}`,
  ];
  const tiers = preview.tiers.map((row) => `${tierLabel(row.tier)} (${format.count(row.entries)})`);
  if (tiers.length > 0) lines.push(`Tiers: ${tiers.join(' · ')}`);
  const cost = reloadMs === undefined ? '' : `, ≈ ${format.duration(reloadMs)} in all`;
  const after = [
    `The database is not changed. The next lookups read it again: ${plural(format, coveredEntries(preview), 'load')}${cost}.`,
  ];
  if (preview.loads > 0) after.push(`${plural(format, preview.loads, 'load')} in flight will not be stored.`);
  const examples = preview.examples.slice(0, EXAMPLES).map((key) => keyText(key));
  const more = Math.max(0, preview.entries - examples.length);
  return [
    { lines },
    { heading: 'After it', lines: after },
    ...(examples.length === 0 ? [] : [{ heading: 'Examples', lines: examples, more }]),
  ];
}

/** How many there are, wherever they lie: most of those in memory are on disk, too. */
export function coveredEntries({ entries, stored }: Pick<Preview, 'entries' | 'stored'>): number {
  return Math.max(entries, stored);
}

/** `42 entries`; where there is a disk layer `42 entries (57 on disk)`. */
function countsText({ entries, stored }: Pick<Preview, 'entries' | 'stored'>, format: Format): string {
  if (entries === 0 && stored > 0) return `${entriesText(format, stored)} on disk`;
  return `${entriesText(format, entries)}${stored === 0 ? '' : ` (${format.count(stored)} on disk)`}`;
}

function targetText(target: ClearTarget): string {
  switch (target.kind) {
    case 'all':
      return 'Everything';
    case 'tier':
      return `The ${target.label} tier`;
    case 'tag':
      return `Tag ${keyText(target.tag)}`;
    case 'pattern':
      return `Pattern ${keyText(target.text)}`;
    case 'key':
      return `Key ${keyText(target.text)}`;
  }
}

export interface ClearedModel {
  /** What a person types for it. */
  readonly target: string;
  /** A key may be called `all`. @default false */
  readonly isKey?: boolean;
  readonly removal: Removal;
  /** How many of it were on disk. */
  readonly stored: number;
  readonly ms: number;
  readonly reference: string;
  /** A button that warms what was cleared. */
  readonly warm: { readonly id: string; readonly label: string } | undefined;
}

/** What was removed. */
export function clearedView(model: ClearedModel, format: Format): View {
  const { removal } = model;
  const what =
    model.target === 'all' && model.isKey !== true ? 'the whole cache' : keyText(model.target, 200);
  const weight = removal.weightBytes > 0 ? ` (≈ ${format.bytes(removal.weightBytes)})` : '';
  const lines = [
    `**Cleared ${countsText({ entries: removal.entries, stored: model.stored }, format)}**${weight} — ${what} — in ${format.duration(model.ms)}.`,
  ];
  if (removal.loads > 0) {
    lines.push(
      `${plural(format, removal.loads, 'load')} in flight ${removal.loads === 1 ? 'was' : 'were'} discarded, not stored.`,
    );
  }
  return {
    tone: 'good',
    title: '🧹 Cleared',
    blocks: [{ lines }],
    notes: [`The database was not changed · reference ${model.reference}`],
    ...(model.warm === undefined
      ? {}
      : { rows: [[{ id: model.warm.id, label: model.warm.label, style: 'primary' as const }]] }),
  };
}

/** One line about it, for a second press and the like. @param at epoch ms */
export function clearedOutcome(
  { entries, stored }: Pick<Preview, 'entries' | 'stored'>,
  at: number,
  format: Format,
): string {
  return `${countsText({ entries, stored }, format)} cleared ${instant(at)}.`;
}

/** Nothing is covered. @param id makes the `custom_id` of the button that takes the suggestion */
export function nothingMatchesView(
  text: string,
  suggestion: { readonly text: string; readonly entries: number } | undefined,
  format: Format,
  id?: ControlId,
): View {
  const lines = [`Nothing matches ${keyText(text, 200)}.`];
  if (suggestion !== undefined) {
    lines.push(`Did you mean ${keyText(suggestion.text, 200)} (${entriesText(format, suggestion.entries)})?`);
  }
  lines.push('Nothing was changed.');
  const view: View = { tone: 'degraded', title: '🔍 Nothing to clear', blocks: [{ lines }] };
  if (suggestion === undefined || id === undefined) return view;
  return {
    ...view,
    rows: [
      [
        { id: id('cancel'), label: 'Cancel', style: 'secondary' },
        { id: id('suggested'), label: 'Take the suggestion', style: 'primary' },
      ],
    ],
  };
}

/** Everything was asked for, and there is nothing. */
export function alreadyEmptyView(): View {
  return {
    tone: 'normal',
    title: '🔍 Nothing to clear',
    blocks: [{ lines: ['The cache is empty already. Nothing was changed.'] }],
  };
}

/** The text cannot be read as a pattern. */
export function badPatternView(text: string, problem: string, mention: Mention): View {
  return {
    tone: 'degraded',
    title: '✏️ Not a valid pattern',
    blocks: [
      {
        lines: [
          `${keyText(text)} can't be used: ${problem}`,
          `\`*\` stands for any text: \`products:*\` is all products, \`user::123456::*\` one user. See ${mention('cache-info')}.`,
          'Nothing was changed.',
        ],
      },
    ],
  };
}

/** No pattern was given: a select, never "all". @param isPreview nothing is cleared, whatever is chosen */
export function chooseView(
  options: readonly SelectOption[],
  expiresAt: number,
  id: ControlId,
  isPreview = false,
): View {
  return {
    tone: 'normal',
    title: '🧹 What should be cleared?',
    blocks: [
      { lines: ['Choose a tier, a namespace or everything. You see what it covers before anything goes.'] },
    ],
    notes: [
      `${isPreview ? 'Only a preview: nothing is cleared' : 'Nothing is cleared yet'}. This question ends ${instant(expiresAt)}.`,
    ],
    rows: [
      { id: id('choose'), placeholder: 'Choose what to clear', options },
      [{ id: id('cancel'), label: 'Cancel', style: 'secondary' }],
    ],
  };
}

/** The question ended without a press. */
export function notConfirmedView(): View {
  return {
    tone: 'normal',
    title: '⌛ Not confirmed',
    blocks: [{ lines: ['Not confirmed in 60 s. Nothing was cleared.'] }],
  };
}

export function cancelledView(): View {
  return { tone: 'normal', title: '✋ Cancelled', blocks: [{ lines: ['Cancelled. Nothing was cleared.'] }] };
}
