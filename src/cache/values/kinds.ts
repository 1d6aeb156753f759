/** What kind of object a value is, told without running any code of its. */

type LookupAccessor = (this: object, name: string | number) => unknown;
// The only ways to see an accessor without running it that allocate nothing; a descriptor costs twice as much.
export const lookupGetter: LookupAccessor = Reflect.get(Object.prototype, '__lookupGetter__');
export const lookupSetter: LookupAccessor = Reflect.get(Object.prototype, '__lookupSetter__');

/** Prototypes of the views of bytes that the language has. */
export const VIEWS: ReadonlySet<object> = new Set([
  DataView.prototype,
  Int8Array.prototype,
  Uint8Array.prototype,
  Uint8ClampedArray.prototype,
  Int16Array.prototype,
  Uint16Array.prototype,
  Int32Array.prototype,
  Uint32Array.prototype,
  Float32Array.prototype,
  Float64Array.prototype,
  BigInt64Array.prototype,
  BigUint64Array.prototype,
]);

/** Whether there are fields that `for…in` does not tell of, or inherited ones: `enumerable` is how many it told of. */
export function hasHiddenFields(object: object, enumerable: number): boolean {
  return (
    Object.getOwnPropertyNames(object).length !== enumerable ||
    Object.getOwnPropertySymbols(object).length !== 0
  );
}
