/** The live panel: what the cache does this second, from the bot's own statistics and the requests it sends. */
import { el, morph } from './dom.js';
import { currentRate, sampleRate, sparkline } from './lookup-rate.js';
import { requestList } from './requests.js';
import { relative } from './time.js';
import { t } from './words.js';

export function drawStats(stats, locale, rates) {
  if (stats) sampleRate(stats);
  const number = (value, digits = 0) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  const percent = (value) =>
    value === null
      ? '—'
      : new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(value);
  const entries = (count) => t('entries', { count, n: number(count) });
  const shown = stats
    ? figures(stats, { number, percent, entries })
    : el('div', { class: 'empty' }, el('b', {}, t('noFigures')), el('p', {}, t('noFiguresAbout')));
  morph(document.querySelector('#stats'), el('div', {}, shown, ratesFigures(rates, number), requestList()));
}

function figures(stats, say) {
  const { number, percent, entries } = say;
  const { total } = stats;
  const used = stats.maxWeightBytes > 0 ? total.weightBytes / stats.maxWeightBytes : 0;
  return [
    el(
      'section',
      { class: 'hero' },
      el('h2', {}, t('hitRate')),
      el('p', { class: total.hitRate === null ? 'big none' : 'big' }, percent(total.hitRate)),
      el(
        'p',
        { class: 'sub' },
        [
          t('hits', { count: total.hits, n: number(total.hits) }),
          t('misses', { count: total.misses, n: number(total.misses) }),
        ].join(' · '),
      ),
    ),
    el('section', {}, el('h2', {}, t('lookupsASecond'), el('b', {}, number(currentRate(), 1))), sparkline()),
    oldValues(stats, say),
    el(
      'section',
      {},
      el('h2', {}, t('memory'), el('b', {}, percent(used))),
      meter(used, t('memoryUsed')),
      el(
        'p',
        { class: 'sub' },
        t('memoryOf', {
          used: bytes(total.weightBytes, number),
          most: bytes(stats.maxWeightBytes, number),
          entries: entries(total.entries),
        }),
      ),
    ),
    diskFigures(stats, say),
    el(
      'section',
      {},
      el('h2', {}, t('tiers')),
      stats.tiers.map((tier) =>
        el(
          'div',
          { class: 'tier' },
          el('span', {}, tier.label),
          el('b', {}, percent(tier.hitRate)),
          meter(tier.hitRate ?? 0, t('hitRateOf', { tier: tier.label })),
          el('small', {}, `${entries(tier.entries)} · ${bytes(tier.weightBytes, number)}`),
        ),
      ),
    ),
    el(
      'section',
      {},
      el('h2', {}, t('topKeys')),
      stats.topKeys.length
        ? el(
            'ol',
            { class: 'keys' },
            stats.topKeys
              .slice(0, 6)
              .map((row) =>
                el('li', {}, el('code', { title: row.key }, row.key), el('span', {}, number(row.hits))),
              ),
          )
        : el('p', { class: 'sub' }, t('nothingRead')),
    ),
  ];
}

/** What reached the other API: however often people ask, as rarely as its own rules allow. */
function ratesFigures({ requests, notModified }, number) {
  return el(
    'section',
    { id: 'rates-figures' },
    el('h2', {}, t('ratesApi'), el('b', {}, number(requests))),
    el(
      'p',
      { class: 'sub' },
      t('ratesRequests', { count: requests, n: number(requests), still: number(notModified) }),
    ),
  );
}

/** What outlives the bot, and what a restart has brought back. Absent where there is no disk layer. */
function diskFigures({ disk }, { number, entries }) {
  if (!disk) return null;
  const refused = disk.outdated + disk.unproven + disk.expired + disk.damaged;
  const lines = [
    t('diskUsed', { entries: entries(disk.entries), used: bytes(disk.bytes, number) }),
    disk.found > 0 ? t('diskRestored', { found: number(disk.found), restored: number(disk.restored) }) : null,
    refused > 0 ? t('diskRefused', { count: refused, n: number(refused) }) : null,
  ];
  return el(
    'section',
    { id: 'disk' },
    el('h2', {}, t('disk')),
    lines.filter((one) => one !== null).map((words) => el('p', { class: 'sub' }, words)),
    disk.state === 'ready' ? null : el('p', { class: 'sub failing' }, t('diskFailing')),
  );
}

/** What the loading policies do: old values by reason, and the loads that failed. Absent until there is something. */
function oldValues({ total, lastFailure }, { number }) {
  const { stale, failures } = total;
  const byReason = [
    [t('revalidating'), stale.revalidating],
    [t('failed'), stale.failed + stale['backing-off']],
    [t('slowLoads'), stale.slow],
  ];
  const served = byReason.reduce((sum, [, count]) => sum + count, 0);
  if (served === 0 && failures === 0) return null;
  return el(
    'section',
    { id: 'stale' },
    el('h2', {}, t('oldValues'), el('b', {}, number(served))),
    el('p', { class: 'sub' }, byReason.map(([words, count]) => `${words} ${number(count)}`).join(' · ')),
    failures === 0 ? null : failureLines(total, lastFailure, number),
  );
}

function failureLines({ failures, timeouts }, last, number) {
  const words = [
    t('failedLoads', { count: failures, n: number(failures) }),
    timeouts > 0 ? t('timedOut', { n: number(timeouts) }) : null,
    last ? relative(last.at) : null,
  ];
  return [
    el('p', { class: 'sub failing' }, words.filter((each) => each !== null).join(' · ')),
    last ? el('p', { class: 'sub failure', title: last.message }, el('code', {}, last.key)) : null,
  ];
}

function meter(share, label) {
  const value = Math.min(1, Math.max(0, share));
  const fill = el('i');
  fill.style.setProperty('width', `${value * 100}%`);
  return el(
    'div',
    {
      class: 'meter',
      role: 'meter',
      'aria-label': label,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
      'aria-valuenow': Math.round(value * 100),
    },
    fill,
  );
}

function bytes(count, number) {
  if (count < 1000) return `${number(count)} B`;
  return count < 1000 * 1024 ? `${number(count / 1024, 1)} kB` : `${number(count / 2 ** 20, 1)} MB`;
}
