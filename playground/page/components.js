/** Message components, old rows and Components V2, as DOM nodes. What a press does is `act`'s business. */
import { el, safeUrl } from './dom.js';
import { inline, markdown, spoiler } from './markdown.js';
import { press } from './press.js';
import { select } from './select.js';
import { t } from './words.js';

const BUTTONS = { 1: 'primary', 2: 'secondary', 3: 'success', 4: 'danger', 5: 'link', 6: 'primary' };

export function colour(number) {
  return `#${Number(number).toString(16).padStart(6, '0')}`;
}

/** @param context { message, names, act, page } */
export function component(data, context) {
  switch (data.type) {
    case 1:
      return el(
        'div',
        { class: 'controls' },
        data.components.map((one) => component(one, context)),
      );
    case 2:
      return button(data, context);
    case 3:
    case 5:
    case 6:
    case 7:
    case 8:
      return select(data, context);
    case 9:
      return el(
        'div',
        { class: 'section' },
        el(
          'div',
          {},
          data.components.map((one) => component(one, context)),
        ),
        component(data.accessory, context),
      );
    case 10:
      return markdown(data.content, context.names);
    case 11:
      return picture(data.media, data.description, 'thumbnail', data.spoiler);
    case 12:
      return el(
        'div',
        { class: 'gallery' },
        data.items.map((item) => picture(item.media, item.description, '', item.spoiler)),
      );
    case 13:
      return file(data.file, context);
    case 14:
      return el('hr', {
        class: `${data.divider === false ? 'blank' : ''} ${data.spacing === 2 ? 'large' : ''}`,
      });
    case 17: {
      const node = el(
        'div',
        { class: 'container' },
        data.components.map((one) => component(one, context)),
      );
      if (data.accent_color != null) node.style.setProperty('--accent-bar', colour(data.accent_color));
      return data.spoiler ? spoiler(node) : node;
    }
    default:
      return el('p', { class: 'sub' }, t('notShown'));
  }
}

function button(data, { message, act }) {
  const face = [
    data.emoji?.name ? el('span', { 'aria-hidden': 'true' }, data.emoji.name) : null,
    data.label ? el('span', {}, data.label) : null,
  ];
  if (data.style === 5) {
    const href = safeUrl(data.url);
    return el(
      'a',
      { class: 'btn link', href: href ?? undefined, target: '_blank', rel: 'noopener noreferrer' },
      face,
      ' ↗',
    );
  }
  return el(
    'button',
    {
      type: 'button',
      class: `btn ${BUTTONS[data.style] ?? 'secondary'}`,
      disabled: data.disabled === true,
      'data-id': data.custom_id,
      'aria-label': data.label ? undefined : (data.emoji?.name ?? t('button')),
      onclick: (event) =>
        press(event.currentTarget, act, { do: 'click', messageId: message.id, customId: data.custom_id }),
    },
    face,
  );
}

function picture(media, words, kind, isHidden) {
  const src = safeUrl(media?.url ?? '');
  const image = el('img', {
    class: `picture ${kind}`,
    src: src ?? undefined,
    alt: words ?? '',
    loading: 'lazy',
  });
  return isHidden ? spoiler(image) : image;
}

function file(media, { message }) {
  const name = decodeURIComponent(
    String(media?.name ?? media?.url ?? 'file')
      .split('/')
      .at(-1),
  );
  const attachment = message.attachments?.find((one) => one.filename === name || one.url === media?.url);
  return fileCard(attachment ?? { url: media?.url, filename: name, size: media?.size });
}

export function fileCard(attachment) {
  const href = safeUrl(attachment.url ?? '');
  return el(
    'a',
    { class: 'file', href: href ?? undefined, download: attachment.filename },
    el('span', { class: 'file-icon', 'aria-hidden': 'true' }, '↓'),
    el(
      'span',
      {},
      el('b', {}, attachment.filename),
      el(
        'small',
        {},
        attachment.size == null
          ? t('download')
          : `${(attachment.size / 1024).toFixed(1)} kB · ${t('download')}`,
      ),
    ),
  );
}

export function embed(data, { names }) {
  const node = el('article', { class: 'embed' });
  if (data.color != null) node.style.setProperty('--accent-bar', colour(data.color));
  if (data.author?.name) node.append(el('p', { class: 'sub' }, data.author.name));
  if (data.title) node.append(el('p', { class: 'h3' }, inline(data.title, names)));
  if (data.description) node.append(markdown(data.description, names));
  if (data.fields?.length) {
    node.append(
      el(
        'div',
        { class: 'fields' },
        data.fields.map((field) =>
          el(
            'div',
            { class: field.inline ? 'inline' : undefined },
            el('b', {}, inline(field.name, names)),
            markdown(field.value, names),
          ),
        ),
      ),
    );
  }
  if (data.thumbnail?.url) node.append(picture(data.thumbnail, '', 'thumbnail'));
  if (data.image?.url) node.append(picture(data.image, data.image.description ?? '', ''));
  if (data.footer?.text) node.append(el('p', { class: 'sub' }, data.footer.text));
  return node;
}
