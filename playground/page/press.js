/** A control that was used: busy until its message changes or the interaction ends. */

/** Sends what a control means, and shows that it works. */
export async function press(node, act, action) {
  node.classList.add('busy');
  node.setAttribute('aria-busy', 'true');
  const result = await act(action);
  if (!result.ok) idle(node);
}

export function idle(node) {
  node.classList.remove('busy');
  node.removeAttribute('aria-busy');
}
