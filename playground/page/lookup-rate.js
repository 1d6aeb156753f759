/** Lookups a second over the last minute: kept from one snapshot to the next, and drawn as a line. */
import { t } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const SAMPLES = 60;
const rates = [];
let last = null;

/** Another bot counts from nothing. */
export function resetRates() {
  rates.length = 0;
  last = null;
}

export function sampleRate(stats) {
  if (stats.at === last?.at) return;
  if (last && stats.sinceAt === last.sinceAt) {
    const seconds = Math.max(0.2, (stats.at - last.at) / 1000);
    rates.push(Math.max(0, stats.total.lookups - last.total.lookups) / seconds);
    if (rates.length > SAMPLES) rates.shift();
  } else rates.length = 0;
  last = stats;
}

export function currentRate() {
  return rates.at(-1) ?? 0;
}

export function sparkline() {
  const svg = shape('svg', {
    viewBox: '0 0 240 48',
    class: 'spark',
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': t('lookupsPicture', { rate: Math.round(currentRate()) }),
  });
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
