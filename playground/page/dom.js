/** Makes DOM nodes. Text goes in as text nodes alone; nothing here or elsewhere on the page parses HTML. */

/** @param {Record<string, unknown>} [props] `class`, `on…`, `data-…`, `aria-…`, other attributes; false and undefined are left out */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(
    ...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return node;
}

/**
 * Makes `old` the same as `fresh`, and leaves standing what already is: a selection, a transition and a scroll
 * position survive. Listeners are not carried over, so it is for what only shows.
 */
export function morph(old, fresh) {
  const wanted = [...fresh.childNodes];
  for (const [nth, next] of wanted.entries()) {
    const now = old.childNodes[nth];
    if (!now) old.append(next);
    else if (now.nodeName !== next.nodeName) now.replaceWith(next);
    else if (next.nodeType !== Node.ELEMENT_NODE) {
      if (now.data !== next.data) now.data = next.data;
    } else {
      for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
      // An attribute named style would be refused by the page's policy; its properties are not.
      for (const { name, value } of next.attributes)
        if (name !== 'style' && now.getAttribute(name) !== value) now.setAttribute(name, value);
      for (const name of next.style ?? []) now.style.setProperty(name, next.style.getPropertyValue(name));
      morph(now, next);
    }
  }
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
}

/** Draws a part of the page anew; who was in it by keyboard stays where they were, or at what came in its place. */
export function redraw(root, ...children) {
  const places = () => [...root.querySelectorAll('button, select, input, a[href]')];
  const at = places().indexOf(document.activeElement);
  root.replaceChildren(...children);
  if (at >= 0) (places()[at] ?? places().at(-1))?.focus({ preventScroll: true });
}

/** Only web addresses become links or pictures. */
export function safeUrl(url) {
  try {
    const parsed = new URL(url, location.href);
    if (!['http:', 'https:'].includes(parsed.protocol)) return null;
    // Files of the local Discord are ours under either of this machine's names.
    if (parsed.pathname.startsWith('/attachments/') && parsed.port === location.port) return parsed.pathname;
    return parsed.href;
  } catch {
    return null;
  }
}
