/** What an answer has cost, in a line below it: how long its reader waited, and what the database was asked. */
import { el } from './dom.js';
import { t } from './words.js';

export function costLine({ ms, queries }, locale) {
  const number = new Intl.NumberFormat(locale);
  return el(
    'p',
    { class: 'cost' },
    `${t('answeredIn', { ms: number.format(Math.max(1, Math.round(ms))) })} · `,
    queries === 0 ? el('b', {}, t('noQueries')) : t('queries', { count: queries, n: number.format(queries) }),
  );
}
