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
