/** `/cache-stats`, third page: the keys, ten a page, in an order of the reader's choice. */
import { entriesText, type Format, plural } from './format.ts';
import { plainText } from './key-text.ts';
import { topLine } from './overview.ts';
import { paged, pagerRows } from './pager.ts';
import type { ControlId, ControlRow, View } from './view.ts';

export interface KeyRow {
  readonly key: string;
  readonly tier: string;
  readonly hits: number;
  readonly weightBytes: number | undefined;
  readonly freshForMs: number | undefined;
  /** Epoch ms; `undefined` when not resident. */
  readonly createdAt: number | undefined;
  /** It is not in memory; its weight is that of the value as it is stored. @default false */
  readonly isOnDiskAlone?: boolean;
}

export type KeyOrder = 'hits' | 'size' | 'age' | 'expiry';

export const KEY_ORDERS: readonly { readonly order: KeyOrder; readonly label: string }[] = [
  { order: 'hits', label: 'Most hits first' },
  { order: 'size', label: 'Largest first' },
  { order: 'age', label: 'Oldest first' },
  { order: 'expiry', label: 'Soonest to expire first' },
];

const KEYS_A_PAGE = 10;

export interface KeysModel {
  readonly rows: readonly KeyRow[];
  readonly order: KeyOrder;
  /** From 0; brought into range. */
  readonly page: number;
  /** In memory, of the tier or of the whole cache: more than `rows` when only the first few hundred are listed. */
  readonly resident: number;
  readonly tierLabel?: string;
  /** Entries on disk, of all tiers; 0 without a disk layer. @default 0 */
  readonly stored?: number;
}

/** Where a number is missing, the row comes last. */
const LAST = Number.POSITIVE_INFINITY;

const COMPARE: Readonly<Record<KeyOrder, (a: KeyRow, b: KeyRow) => number>> = {
  hits: (a, b) => b.hits - a.hits,
  size: (a, b) => (b.weightBytes ?? -1) - (a.weightBytes ?? -1),
  age: (a, b) => difference(a.createdAt ?? LAST, b.createdAt ?? LAST),
  expiry: (a, b) => difference(a.freshForMs ?? LAST, b.freshForMs ?? LAST),
};

/** Infinity minus Infinity is no number. */
function difference(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** The rows of a page, and which page it is after all. */
export function pageOf(model: Pick<KeysModel, 'rows' | 'order' | 'page'>): {
  readonly rows: readonly KeyRow[];
  readonly page: number;
  readonly pages: number;
} {
  const sorted = [...model.rows].sort((a, b) => COMPARE[model.order](a, b));
  const { items, page, pages } = paged(sorted, model.page, KEYS_A_PAGE);
  return { rows: items, page, pages };
}

export function keysView(model: KeysModel, format: Format, id: ControlId): View {
  const { rows, page, pages } = pageOf(model);
  const first = page * KEYS_A_PAGE + 1;
  const order = KEY_ORDERS.find((one) => one.order === model.order)?.label ?? '';
  return {
    tone: 'normal',
    title: '📊 Cache Statistics — keys',
    subtitle: `${model.tierLabel ?? 'All tiers'} · ${heldText(model, format)} · ${order.toLowerCase()}`,
    blocks: [
      {
        lines:
          rows.length === 0
            ? [emptyText(model, format)]
            : rows.map((row, i) => `${format.count(first + i)}. ${rowLine(row, format)}`),
      },
    ],
    rows: controls(model, rows, page, pages, format, id),
  };
}

/** `156 keys cached`; with a disk layer `4 keys in memory, 312 on disk`. */
function heldText({ rows, resident, stored = 0, tierLabel }: KeysModel, format: Format): string {
  const isDisk = stored > 0;
  // How many of a tier are on disk is not counted.
  const beside = isDisk && tierLabel === undefined ? `, ${format.count(stored)} on disk` : '';
  const all = Math.max(resident, tierLabel === undefined ? stored : 0);
  const count = format.count(rows.length);
  const which = isDisk ? `${count} of them` : `the ${count} most used`;
  const listed = rows.length < all ? `, ${which} listed` : '';
  return `${plural(format, resident, 'key')} ${isDisk ? 'in memory' : 'cached'}${beside}${listed}`;
}

/** `products::gaming` — on disk · 12 kB · fresh for 11 h */
function rowLine(row: KeyRow, format: Format): string {
  return topLine(row, format, row.isOnDiskAlone === true ? 'on disk' : undefined);
}

function emptyText({ stored = 0, tierLabel }: KeysModel, format: Format): string {
  if (stored === 0 || tierLabel !== undefined) return 'No keys here yet.';
  return `No keys in memory yet. ${entriesText(format, stored)} on disk ${stored === 1 ? 'comes' : 'come'} back when read.`;
}

function controls(
  model: KeysModel,
  rows: readonly KeyRow[],
  page: number,
  pages: number,
  format: Format,
  id: ControlId,
): ControlRow[] {
  const all: ControlRow[] = [
    {
      id: id('order'),
      placeholder: 'Order',
      options: KEY_ORDERS.map(({ order, label }) => ({
        label,
        value: order,
        selected: order === model.order,
      })),
    },
  ];
  if (rows.length > 0) {
    all.push({
      id: id('inspect'),
      placeholder: 'Inspect a key',
      // By position: keys may be longer than the 100 characters that a value takes.
      options: rows.map((row, i) => ({ label: plainText(row.key, 90), value: String(i) })),
    });
  }
  all.push(...pagerRows({ page, pages }, format, id));
  return all;
}
