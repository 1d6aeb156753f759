/** The feed of the bot's last requests to Discord: what was asked, whether it was valid, and how long it took. */
import { el } from './dom.js';
import { t } from './words.js';

const SHOWN = 8;
let requests = [];

export function addRequest(request) {
  requests = [...requests, request].slice(-SHOWN);
}

export function setRequests(list) {
  requests = list.slice(-SHOWN);
}

/** Newest first. */
export function requestList() {
  const rows = [...requests].reverse().map((one) => {
    const bad = one.problems.length > 0 || one.status >= 400;
    const words = one.problems.length
      ? one.problems[0].message
      : bad
        ? t('status', { status: one.status })
        : t('passes');
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
    el('h2', {}, t('requests')),
    rows.length ? el('ul', { class: 'requests' }, rows) : el('p', { class: 'sub' }, t('noRequests')),
    el('p', { class: 'sub' }, t('requestsAbout')),
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
