/** What happened beyond plain hits and loads, in words: old values served, timeouts, unchanged reloads, saved cost. */
import type { Figures } from '../../cache/statistics/stats.ts';
import type { Format } from './format.ts';

const REASONS: readonly (readonly [keyof Figures['stale'], string])[] = [
  ['revalidating', 'while reloading'],
  ['backing-off', 'while backing off'],
  ['failed', 'after a failure'],
  ['slow', 'since the load was slow'],
];

/** Those that are not zero; empty for a cache that never needed any of it. */
export function beyondParts(figures: Figures, format: Format): string[] {
  const { stale, timeouts, unchanged, savedCost } = figures;
  const reasons = REASONS.filter(([reason]) => isSome(stale[reason]));
  const parts: string[] = [];
  if (reasons.length > 0) {
    const total = reasons.reduce((sum, [reason]) => sum + stale[reason], 0);
    const each = reasons.map(([reason, words]) => `${format.count(stale[reason])} ${words}`);
    parts.push(`served stale ${format.count(total)} (${each.join(', ')})`);
  }
  if (isSome(timeouts)) parts.push(`timed out ${format.count(timeouts)}`);
  if (isSome(unchanged)) parts.push(`unchanged reloads ${format.count(unchanged)}`);
  if (isSome(savedCost)) parts.push(`cost saved ${costText(savedCost, format)}`);
  return parts;
}

/** Fractions matter where the unit is dollars, and do not among thousands. */
function costText(cost: number, format: Format): string {
  return Math.abs(cost) < 100 ? format.exact(cost) : format.count(cost);
}

function isSome(value: number): boolean {
  return Number.isFinite(value) && value > 0;
}
