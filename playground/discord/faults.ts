/** Faults to inject into REST requests: which of the pending ones strikes, and when it is used up. */
import type { Fault, FaultTarget } from './types.ts';

export class Faults {
  readonly #pending: { readonly target: FaultTarget; readonly fault: Fault; left: number }[] = [];

  /** @returns a function that takes the fault back */
  add(target: FaultTarget, fault: Fault): () => void {
    const one = { target, fault, left: fault.times ?? 1 };
    this.#pending.push(one);
    return () => {
      one.left = 0;
    };
  }

  /** The fault that this request meets, if any; it counts as used. */
  take(request: { method: string; path: string; route: string }): Fault | null {
    const one = this.#pending.find(({ left, target }) => left > 0 && matches(target, request));
    if (!one) return null;
    one.left--;
    return one.fault;
  }
}

function matches(target: FaultTarget, request: { method: string; path: string; route: string }): boolean {
  if (typeof target === 'function') return target(request);
  const [first, second] = target.split(' ');
  const [method, path] = second === undefined ? [null, first] : [first, second];
  if (method !== null && method !== request.method) return false;
  // Parameters may be named as one likes: `/interactions/:id/:token/callback`.
  const shape = (pattern: string) => pattern.replaceAll(/:[^/]+/g, ':');
  return path === request.path || shape(path ?? '') === shape(request.route);
}
