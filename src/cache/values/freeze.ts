/** Deep freezing of copies of ours: nobody else's object is ever frozen (I6). */
import { types } from 'node:util';

/**
 * Freezes plain objects and arrays in place, all the way down, those in a Map or Set included, however deep and cyclic.
 * Kinds that freezing does not protect are passed over: they are their reader's own.
 * @returns the value itself
 */
export function deepFreeze<T>(value: T): T {
  if (!isEntered(value)) return value;
  const pending: object[] = [value];
  /** Collections are not frozen, so that they are remembered; objects that are frozen have been met. */
  let collections: Set<object> | undefined;
  const meet = (found: unknown) => {
    if (isEntered(found) && !Object.isFrozen(found)) pending.push(found);
  };
  for (let object = pending.pop(); object !== undefined; object = pending.pop()) {
    if (types.isMap(object) || types.isSet(object)) {
      collections ??= new Set();
      if (collections.has(object)) continue;
      collections.add(object);
      object.forEach((member: unknown, key: unknown) => {
        meet(member);
        meet(key);
      });
      continue;
    }
    Object.freeze(object);
    if (Array.isArray(object)) for (let i = 0; i < object.length; i++) meet(object[i]);
    else for (const name in object) meet(object[name as keyof typeof object]);
  }
  return value;
}

function isEntered(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === Object.prototype ||
    prototype === Array.prototype ||
    prototype === null ||
    prototype === Map.prototype ||
    prototype === Set.prototype
  );
}
