/** Discord's timestamps: every style, in the reader's language, relative ones ticking while they are on screen. */
import { el } from './dom.js';

const STYLES = {
  t: { timeStyle: 'short' },
  T: { timeStyle: 'medium' },
  d: { dateStyle: 'short' },
  D: { dateStyle: 'long' },
  f: { dateStyle: 'long', timeStyle: 'short' },
  F: { dateStyle: 'full', timeStyle: 'short' },
};
const UNITS = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

let locale = 'en-US';

export function setTimeLocale(next) {
  locale = next;
  tick();
}

export function timestamp(seconds, style = 'f') {
  const at = Number(seconds) * 1000;
  if (Math.abs(at) > 8.64e15) return el('span', {}, `<t:${seconds}:${style}>`);
  const full = new Intl.DateTimeFormat(locale, STYLES.F).format(at);
  const node = el('time', { class: 'stamp', datetime: new Date(at).toISOString(), title: full });
  if (style === 'R') node.dataset.relative = String(at);
  node.textContent =
    style === 'R' ? relative(at) : new Intl.DateTimeFormat(locale, STYLES[style] ?? STYLES.f).format(at);
  return node;
}

/** The hour and minute of an ISO timestamp. */
export function clock(iso) {
  return new Date(iso).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
}

export function relative(at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(Math.trunc(seconds / size), unit);
}

function tick() {
  for (const node of document.querySelectorAll('time[data-relative]')) {
    const text = relative(Number(node.dataset.relative));
    if (node.textContent !== text) node.textContent = text;
  }
}
setInterval(tick, 1000);
