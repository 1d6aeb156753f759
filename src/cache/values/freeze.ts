/**
 * Deep freezing, so that a kept value can be handed to every reader as it is (I6).
 * For values that the weigher calls `frozen`; kinds that cannot be frozen are passed over, and left to `clone.ts`.
 */

/**
 * Freezes plain objects and arrays in place, all the way down, however deep and cyclic. Never throws.
 * What is frozen already is walked nonetheless: it may hold what is not.
 * @returns the value itself
 */
export function deepFreeze<T>(value: T): T {
  if (!isFreezable(value)) return value;
  const pending: object[] = [value];
  /** Those met frozen; without it cycles would never end. What is frozen here and met again is walked once more. */
  let metFrozen: Set<object> | undefined;
  for (let object = pending.pop(); object !== undefined; object = pending.pop()) {
    if (Object.isFrozen(object)) {
      metFrozen ??= new Set();
      if (metFrozen.has(object)) continue;
      metFrozen.add(object);
    } else {
      Object.freeze(object);
    }
    if (Array.isArray(object)) {
      for (let i = 0; i < object.length; i++) {
        const element: unknown = object[i];
        if (isFreezable(element)) pending.push(element);
      }
    } else {
      for (const name in object) {
        const field: unknown = object[name as keyof typeof object];
        if (isFreezable(field)) pending.push(field);
      }
    }
  }
  return value;
}

function isFreezable(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
