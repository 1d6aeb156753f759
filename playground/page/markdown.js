/**
 * Discord's markdown as DOM nodes. Blocks first (code, quotes, headings, lists, subtext), then what stands in a line.
 * `names` says who and what ids mean: { user, role, channel, command }, the last running the command.
 */
import { el, safeUrl } from './dom.js';
import { timestamp } from './time.js';
import { t } from './words.js';

const INLINE = [
  [/^\\([!-/:-@[-`{-~])/, (m) => m[1]],
  [/^(`+)([\s\S]*?[^`])\1(?!`)/, (m) => el('code', {}, m[2])],
  [/^\*\*\*([\s\S]+?)\*\*\*/, (m, n) => el('strong', {}, el('em', {}, inline(m[1], n)))],
  [/^\*\*([\s\S]+?)\*\*(?!\*)/, (m, n) => el('strong', {}, inline(m[1], n))],
  [/^__([\s\S]+?)__(?!_)/, (m, n) => el('u', {}, inline(m[1], n))],
  [/^\*(?!\s)((?:\*\*[^*]+\*\*|[^*])+?)\*(?!\*)/, (m, n) => el('em', {}, inline(m[1], n))],
  [/^_(?!\s)([^_]+?)_(?!\w)/, (m, n) => el('em', {}, inline(m[1], n))],
  [/^~~([\s\S]+?)~~/, (m, n) => el('s', {}, inline(m[1], n))],
  [/^\|\|([\s\S]+?)\|\|/, (m, n) => spoiler(inline(m[1], n))],
  [/^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/, (m) => timestamp(m[1], m[2])],
  [/^<@!?(\d+)>/, (m, n) => el('span', { class: 'mention' }, `@${n.user(m[1])}`)],
  [/^<@&(\d+)>/, (m, n) => el('span', { class: 'mention' }, `@${n.role(m[1])}`)],
  [/^<#(\d+)>/, (m, n) => el('span', { class: 'mention' }, `#${n.channel(m[1])}`)],
  [
    /^<\/([\w -]+):(\d+)>/,
    (m, n) => el('button', { type: 'button', class: 'mention', onclick: () => n.command(m[1]) }, `/${m[1]}`),
  ],
  [/^<a?:(\w+):\d+>/, (m) => el('span', { title: m[1] }, `:${m[1]}:`)],
  [/^\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/, (m, n) => link(m[2], inline(m[1], n))],
  [/^<(https?:\/\/[^\s>]+)>/, (m) => link(m[1], m[1])],
  [/^https?:\/\/[^\s<]+[^\s<.,:;"')\]]/, (m) => link(m[0], m[0])],
];
const SPECIAL = /[\\`*_~|<[h]/g;

export function inline(text, names) {
  const out = [];
  let plain = '';
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const found = tryInline(rest, text[at - 1], names);
    if (found) {
      if (plain) out.push(plain);
      plain = '';
      out.push(found.node);
      at += found.length;
    } else {
      SPECIAL.lastIndex = at + 1;
      const next = SPECIAL.exec(text)?.index ?? text.length;
      plain += text.slice(at, next);
      at = next;
    }
  }
  if (plain) out.push(plain);
  return out;
}

function tryInline(rest, before, names) {
  for (const [pattern, make] of INLINE) {
    const match = pattern.exec(rest);
    // snake_case is one word
    if (match && !(rest[0] === '_' && /\w/.test(before ?? '')))
      return { node: make(match, names), length: match[0].length };
  }
  return null;
}

export function markdown(text, names) {
  const root = el('div', { class: 'md' });
  const fence = /```(?:([\w+-]+)\n)?([\s\S]*?)```/g;
  let from = 0;
  for (const match of text.matchAll(fence)) {
    root.append(...blocks(text.slice(from, match.index).replace(/\n$/, ''), names));
    root.append(el('pre', { tabindex: '0' }, el('code', {}, match[2].replace(/^\n|\n$/g, ''))));
    from = match.index + match[0].length;
  }
  root.append(...blocks(text.slice(from).replace(from > 0 ? /^\n/ : /^$/, ''), names));
  return root;
}

function blocks(text, names) {
  if (text === '') return [];
  const out = [];
  let list = null;
  let quote = null;
  const lines = text.split('\n');
  for (const [nth, line] of lines.entries()) {
    if (line.startsWith('>>> ')) {
      const rest = [line.slice(4), ...lines.slice(nth + 1)].join('\n');
      out.push(el('blockquote', {}, blocks(rest, names)));
      break;
    }
    const item = /^(\s*)(?:([-*])|(\d+)\.)\s+(.*)/.exec(line);
    const quoted = /^> (.*)/.exec(line);
    if (!item) list = null;
    if (!quoted) quote = null;
    if (item) {
      const tag = item[2] ? 'ul' : 'ol';
      if (list?.localName !== tag) {
        list = el(tag, { start: item[3] });
        out.push(list);
      }
      list.append(el('li', { class: item[1].length > 1 ? 'deep' : undefined }, inline(item[4], names)));
    } else if (quoted) {
      if (!quote) {
        quote = el('blockquote');
        out.push(quote);
      }
      quote.append(el('p', {}, inline(quoted[1], names)));
    } else out.push(lineBlock(line, names));
  }
  return out;
}

function lineBlock(line, names) {
  const heading = /^(#{1,3}) (.+)/.exec(line);
  if (heading)
    return el(
      'p',
      { class: `h${heading[1].length}`, role: 'heading', 'aria-level': heading[1].length + 1 },
      inline(heading[2], names),
    );
  const small = /^-# (.+)/.exec(line);
  if (small) return el('p', { class: 'sub' }, inline(small[1], names));
  return el('p', { class: line.trim() === '' ? 'gap' : undefined }, inline(line, names));
}

function link(url, words) {
  const href = safeUrl(url);
  return href === null
    ? el('span', {}, words)
    : el('a', { href, target: '_blank', rel: 'noopener noreferrer' }, words);
}

export function spoiler(children) {
  const show = (event) => {
    if (event.type === 'keydown' && event.key !== 'Enter') return;
    node.classList.add('shown');
  };
  const node = el(
    'span',
    {
      class: 'spoiler',
      tabindex: '0',
      role: 'button',
      'aria-label': t('spoiler'),
      onclick: show,
      onkeydown: show,
    },
    el('span', {}, children),
  );
  return node;
}
