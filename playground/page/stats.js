/** The live panel: what the cache does this second, from the bot's own statistics and the requests it sends. */
import { el, morph } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const SAMPLES = 60;
const rates = [];
let last = null;
let requests = [];

export function resetStats() {
  rates.length = 0;
  last = null;
}

export function addRequest(request) {
  requests = [...requests, request].slice(-8);
}

export function setRequests(list) {
  requests = list.slice(-8);
}

export function drawStats(stats, locale) {
  const root = document.querySelector('#stats');
  if (stats && stats.at !== last?.at) {
    if (last && stats.sinceAt === last.sinceAt) {
      const seconds = Math.max(0.2, (stats.at - last.at) / 1000);
      rates.push(Math.max(0, stats.total.lookups - last.total.lookups) / seconds);
      if (rates.length > SAMPLES) rates.shift();
    } else rates.length = 0;
    last = stats;
  }
  const number = (value, digits = 0) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  const percent = (value) =>
    value === null
      ? '—'
      : new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(value);
  const shown = stats
    ? figures(stats, { number, percent })
    : el(
        'div',
        { class: 'empty' },
        el('b', {}, 'No figures yet'),
        el('p', {}, 'They come once the bot is online, every second.'),
      );
  morph(root, el('div', {}, shown, requestList()));
}

function figures(stats, { number, percent }) {
  const { total } = stats;
  const used = stats.maxWeightBytes > 0 ? total.weightBytes / stats.maxWeightBytes : 0;
  return [
    el(
      'section',
      { class: 'hero' },
      el('h2', {}, 'Hit rate'),
      el('p', { class: total.hitRate === null ? 'big none' : 'big' }, percent(total.hitRate)),
      el('p', { class: 'sub' }, `${number(total.hits)} hits · ${number(total.misses)} misses`),
    ),
    el(
      'section',
      {},
      el('h2', {}, 'Lookups a second', el('b', {}, number(rates.at(-1) ?? 0, 1))),
      sparkline(),
    ),
    el(
      'section',
      {},
      el('h2', {}, 'Memory', el('b', {}, percent(used))),
      meter(used, 'Memory used'),
      el(
        'p',
        { class: 'sub' },
        `${bytes(total.weightBytes, number)} of ${bytes(stats.maxWeightBytes, number)} · ${number(total.entries)} entries`,
      ),
    ),
    el(
      'section',
      {},
      el('h2', {}, 'Tiers'),
      stats.tiers.map((tier) =>
        el(
          'div',
          { class: 'tier' },
          el('span', {}, tier.label),
          el('b', {}, percent(tier.hitRate)),
          meter(tier.hitRate ?? 0, `${tier.label} hit rate`),
          el('small', {}, `${number(tier.entries)} entries · ${bytes(tier.weightBytes, number)}`),
        ),
      ),
    ),
    el(
      'section',
      {},
      el('h2', {}, 'Top keys'),
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
        : el('p', { class: 'sub' }, 'Nothing has been read yet.'),
    ),
  ];
}

function requestList() {
  const rows = [...requests].reverse().map((one) => {
    const bad = one.problems.length > 0 || one.status >= 400;
    const words = one.problems.length
      ? one.problems[0].message
      : bad
        ? `status ${one.status}`
        : "passes Discord's schema";
    return el(
      'li',
      { class: bad ? 'bad' : 'good', title: one.problems.map((p) => `${p.path}: ${p.message}`).join('\n') },
      el('span', { class: 'mark', 'aria-label': words }, bad ? '✕' : '✓'),
      el('code', { title: `${one.method} ${one.route}` }, `${one.method} ${gist(one.route)}`),
      el('small', {}, `${bad ? `${one.status} · ` : ''}${Math.round(one.durationMs)} ms`),
    );
  });
  return el(
    'section',
    {},
    el('h2', {}, "The bot's requests"),
    rows.length ? el('ul', { class: 'requests' }, rows) : el('p', { class: 'sub' }, 'None so far.'),
    el('p', { class: 'sub' }, "✓ accepted, and valid by Discord's published schema"),
  );
}

/** What a route is about, in two words: `interactions/callback`. Its whole is in the title. */
function gist(route) {
  return route
    .split('/')
    .filter((part) => part !== '' && !part.startsWith(':'))
    .slice(-2)
    .join('/');
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

function sparkline() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 240 48');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute(
    'aria-label',
    `Lookups a second over the last minute, now ${Math.round(rates.at(-1) ?? 0)}`,
  );
  const most = Math.max(1, ...rates);
  const points = rates.map((rate, nth) => [
    240 - (rates.length - 1 - nth) * (240 / (SAMPLES - 1)),
    44 - (rate / most) * 40,
  ]);
  if (points.length > 1) {
    const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
    svg.append(
      shape('polygon', { points: `${points[0][0].toFixed(1)},48 ${line} 240,48`, class: 'area' }),
      shape('polyline', { points: line, class: 'line' }),
    );
  } else svg.append(shape('line', { x1: 0, x2: 240, y1: 44, y2: 44, class: 'line idle' }));
  return svg;
}

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function bytes(count, number) {
  if (count < 1000) return `${number(count)} B`;
  return count < 1000 * 1024 ? `${number(count / 1024, 1)} kB` : `${number(count / 2 ** 20, 1)} MB`;
}
