/** Whether something is to be awaited: a promise, or what behaves as one. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null || !('then' in value)) return false;
  try {
    return typeof value.then === 'function';
  } catch {
    // It cannot be awaited either: whoever tries is told why.
    return false;
  }
}
