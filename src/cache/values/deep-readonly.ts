/** The type of frozen values. */

type Unchanged =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | ((...args: never[]) => unknown);

/**
 * `T`, of which nothing can be changed: what a read gives under `values: 'frozen'`. Dates and bytes, which freezing does
 * not protect, are each reader's own.
 */
export type DeepReadonly<T> = T extends Unchanged | Date | RegExp | ArrayBuffer | ArrayBufferView
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
    : T extends ReadonlySet<infer M>
      ? ReadonlySet<DeepReadonly<M>>
      : T extends object
        ? { readonly [Name in keyof T]: DeepReadonly<T[Name]> }
        : T;

/** Options that ask for frozen values. */
export interface Frozen {
  readonly values: 'frozen';
}
