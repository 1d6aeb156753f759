/** How well the warmers guessed what would be used, in words. */
import type { CacheStats, WarmedFigures } from '../../cache/statistics/stats.ts';
import { type Format, plural } from './format.ts';

/** `40 of 52 used (76.9 %)`; `undefined` where nothing was warmed yet. */
export function precisionText(figures: WarmedFigures | undefined, format: Format): string | undefined {
  if (figures === undefined || figures.precision === null) return undefined;
  const { warmed, used, unused, precision } = figures;
  const waiting = warmed - used - unused;
  const more = waiting > 0 ? `, ${format.count(waiting)} not yet` : '';
  return `${format.count(used)} of ${format.count(warmed)} used (${format.percent(precision)})${more}`;
}

/** A line of `/cache-stats`: what was loaded before anybody asked, and was it asked for. */
export function warmedLine({ warmth }: CacheStats, format: Format): string | undefined {
  if (warmth === null) return undefined;
  const start = precisionText(warmth.start, format);
  const predicted = precisionText(warmth.predicted, format);
  if (start === undefined && predicted === undefined) return undefined;
  const parts = [
    ...(start === undefined ? [] : [`at the start ${start}`]),
    ...(predicted === undefined ? [] : [`before their hour ${predicted}`]),
  ];
  return `**Warmed Ahead:** ${parts.join(' · ')} · ${plural(format, warmth.keys, 'key')} remembered`;
}
