/** Pages of a list: which items are on one, and the row of buttons to turn them. */
import type { Format } from './format.ts';
import type { ControlId, ControlRow } from './view.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** From 0, brought into range. */
  readonly page: number;
  readonly pages: number;
}

export function paged<T>(all: readonly T[], page: number, size: number): Page<T> {
  const pages = Math.max(1, Math.ceil(all.length / size));
  const wanted = Number.isFinite(page) ? Math.trunc(page) : 0;
  const within = Math.min(Math.max(0, wanted), pages - 1);
  return { items: all.slice(within * size, (within + 1) * size), page: within, pages };
}

/** `◀ 1/16 ▶`; nothing where there is one page. */
export function pagerRows(
  { page, pages }: Pick<Page<unknown>, 'page' | 'pages'>,
  format: Format,
  id: ControlId,
): ControlRow[] {
  if (pages <= 1) return [];
  return [
    [
      { id: id('previous'), label: '◀', style: 'secondary', disabled: page === 0 },
      {
        id: id('page'),
        label: `${format.count(page + 1)}/${format.count(pages)}`,
        style: 'secondary',
        disabled: true,
      },
      { id: id('next'), label: '▶', style: 'secondary', disabled: page === pages - 1 },
    ],
  ];
}
