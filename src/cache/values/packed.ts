/** Values kept in memory as compressed text: smaller, at the price of one decode a read. Each read has its own copy (I6). */
import { CacheError } from '../errors.ts';
import { read, write } from './codec.ts';
import { compress, decompress } from './compression.ts';
import type { Form } from './storable.ts';
import type { ValueTypes } from './value-types.ts';

/** A compressed value. Its bytes are its own, outside the heap. */
export class Packed {
  readonly bytes: Uint8Array;
  /** Bytes of its text before compression. */
  readonly plainBytes: number;
  readonly form: Form;

  constructor(bytes: Uint8Array, plainBytes: number, form: Form) {
    this.bytes = bytes;
    this.plainBytes = plainBytes;
    this.form = form;
  }
}

/** The value compressed; `undefined` where that would not save a fifth, or the value would not come back as it was. */
export function pack(value: unknown, types?: ValueTypes): Packed | undefined {
  let written: ReturnType<typeof write>;
  try {
    written = write(value, types);
  } catch (error) {
    if (error instanceof CacheError) return undefined;
    throw error;
  }
  const plain = Buffer.from(written.text);
  const compressed = compress(plain);
  if (compressed === undefined) return undefined;
  // What zlib gives looks into a larger buffer; the copy holds these bytes alone.
  return new Packed(new Uint8Array(compressed), plain.length, written.form);
}

/** A fresh value, equal to the one that was packed. */
export function unpack(packed: Packed, types?: ValueTypes): unknown {
  return read(packed.form, decompress(packed.bytes, packed.plainBytes).toString('utf8'), types);
}
