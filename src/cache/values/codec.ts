/**
 * Values as bytes, for layers outside the heap: what `decode` gives equals what `encode` took, with its kinds kept
 * (Date, Map, Set, BigInt, undefined, NaN, -0, RegExp, bytes, cycles), or it throws. Nothing of a value is ever run.
 *
 * The form is self-describing and, where not compressed, plain text that a person can read in the sqlite3 shell:
 *
 *     cc1j-9ae0daaf{"id":"42","name":"Ada"}
 *     │ ││└ CRC-32 of all the rest, in hexadecimal
 *     │ │└ "-" as it is, "z" compressed with zstd
 *     │ └ "j" JSON, "d" devalue
 *     └ version 1
 *
 * A checksum tells damage, not forgery: hostile bytes may decode to another value, though never to code, to a kind that
 * the cache does not hold, or to more than `maxBytes`. `storable.ts` decides what can be kept.
 */
import { crc32 } from 'node:zlib';
import { parse, stringify } from 'devalue';
import { CacheError } from '../errors.ts';
import { compress, decompress } from './compression.ts';
import { type Form, judge, MAX_SPARSE_LENGTH } from './storable.ts';
import type { TaughtType, ValueTypes } from './value-types.ts';

export interface EncodeOptions {
  /** Values that take more bytes than this are compressed where that saves a fifth; `Infinity`: none. @default 1024 */
  readonly compressAboveBytes?: number;
  /** Classes whose instances it may hold. */
  readonly types?: ValueTypes;
}

export interface Encoded {
  readonly bytes: Uint8Array;
  /** The same as text, for people to read; `undefined` where it is compressed. */
  readonly text: string | undefined;
  readonly codec: Form;
  readonly compressed: boolean;
  /** Bytes of the value before compression, without the header. */
  readonly plainBytes: number;
}

export interface DecodeOptions {
  /** Values that take more bytes than this, once decompressed, are refused. @default 64 MiB */
  readonly maxBytes?: number;
  /** Classes whose instances it may hold. */
  readonly types?: ValueTypes;
}

/** Below it zstd seldom saves a fifth of a row's JSON. */
const COMPRESS_ABOVE_BYTES = 1_024;

const MAX_BYTES = 64 * 1_024 ** 2;

const VERSION = 'cc1';
const CHECKSUM_AT = VERSION.length + 2;
const PAYLOAD_AT = CHECKSUM_AT + 8;

/**
 * @throws CacheError `ERR_STORE_FAILED` for a value that would not come back as it was
 * @throws CacheError `ERR_ARGUMENT_INVALID` for a threshold that is no number of bytes
 */
export function encode(value: unknown, options: EncodeOptions = {}): Encoded {
  const threshold = sizeOf('compressAboveBytes', options.compressAboveBytes ?? COMPRESS_ABOVE_BYTES);
  const { form, text } = write(value, options.types);
  const plainBytes = Buffer.byteLength(text);
  if (plainBytes > threshold) {
    const compressed = compress(Buffer.from(text));
    if (compressed !== undefined) {
      const head = Buffer.from(header(form, 'z', compressed));
      return {
        bytes: Buffer.concat([head, compressed]),
        text: undefined,
        codec: form,
        compressed: true,
        plainBytes,
      };
    }
  }
  const whole = header(form, '-', text) + text;
  return { bytes: Buffer.from(whole), text: whole, codec: form, compressed: false, plainBytes };
}

/**
 * The value that was encoded; each call gives one of its own.
 * @throws CacheError `ERR_STORE_FAILED` for bytes that are damaged, too many, or of another version
 */
export function decode(stored: Uint8Array | string, options: DecodeOptions = {}): unknown {
  const maxBytes = sizeOf('maxBytes', options.maxBytes ?? MAX_BYTES);
  const head =
    typeof stored === 'string' ? stored.slice(0, PAYLOAD_AT) : textOf(stored.subarray(0, PAYLOAD_AT));
  const [form, packing] = [head[VERSION.length], head[VERSION.length + 1]];
  if (!head.startsWith(VERSION)) throw unreadable('it is of another version, or no value of this cache');
  if ((form !== 'j' && form !== 'd') || (packing !== '-' && packing !== 'z') || head.length < PAYLOAD_AT)
    throw unreadable('its header is damaged');
  const codec: Form = form === 'j' ? 'json' : 'devalue';
  const payload = typeof stored === 'string' ? stored.slice(PAYLOAD_AT) : stored.subarray(PAYLOAD_AT);
  if (payload.length > maxBytes) throw unreadable(`it takes more than ${maxBytes} bytes`);
  if (header(codec, packing, payload) !== head) throw unreadable('its checksum is wrong');
  if (packing === '-')
    return read(codec, typeof payload === 'string' ? payload : textOf(payload), options.types);
  if (typeof payload === 'string') throw unreadable('compressed values are bytes, not text');
  let plain: Buffer;
  try {
    plain = decompress(payload, maxBytes);
  } catch (error) {
    throw unreadable(`it cannot be decompressed within ${maxBytes} bytes`, error);
  }
  return read(codec, textOf(plain), options.types);
}

/** A value as text, without header and checksum. */
export function write(value: unknown, types?: ValueTypes): { readonly form: Form; readonly text: string } {
  const { form, hasSpecials } = judge(value, types);
  if (form === 'json') return { form, text: JSON.stringify(value) };
  try {
    return {
      form,
      text: stringify(value, hasSpecials ? reducersOf(types) : undefined, { operations: WRITING }),
    };
  } catch (error) {
    throw new CacheError(
      'ERR_STORE_FAILED',
      'The value cannot be stored: it would not come back as it was.',
      {
        cause: error,
      },
    );
  }
}

/** @throws CacheError `ERR_STORE_FAILED` for text that `write` cannot have written */
export function read(form: Form, text: string, types?: ValueTypes): unknown {
  try {
    return form === 'json' ? JSON.parse(text) : parse(text, reviversOf(types), { operations: READING });
  } catch (error) {
    throw unreadable('its text is damaged', error);
  }
}

/** Kinds that devalue alone would change into others. */
const REDUCERS = {
  Buffer: (value: unknown) => Buffer.isBuffer(value) && ownBytes(value),
  Stopped: (value: unknown) =>
    value instanceof RegExp && value.lastIndex !== 0 && [value.source, value.flags, value.lastIndex],
};

const REVIVERS = {
  Buffer: (bytes: unknown) => {
    if (!(bytes instanceof ArrayBuffer)) throw new TypeError('A Buffer is made of an ArrayBuffer.');
    return Buffer.from(bytes);
  },
  Stopped: ([source, flags, lastIndex]: [string, string, number]) => {
    const expression = new RegExp(source, flags);
    expression.lastIndex = Number(lastIndex);
    return expression;
  },
};

/** Names of taught classes are led by a sign that no other kind has. */
const TAUGHT = '#';

/** In a list, since devalue takes what is false for "not of this kind". */
function reducersOf(types: ValueTypes | undefined): Record<string, (value: unknown) => unknown> {
  const reducers: Record<string, (value: unknown) => unknown> = { ...REDUCERS };
  for (const type of types?.all() ?? []) {
    reducers[TAUGHT + type.name] = (value) =>
      typeof value === 'object' && value !== null && types?.find(value) === type && [type.encode?.(value)];
  }
  return reducers;
}

function reviversOf(types: ValueTypes | undefined): Parameters<typeof parse>[1] {
  const revivers: Parameters<typeof parse>[1] = { ...REVIVERS };
  for (const type of types?.all() ?? []) revivers[TAUGHT + type.name] = reviverOf(type);
  return revivers;
}

function reviverOf({ name, decode }: TaughtType) {
  return ([encoded]: [unknown]): unknown => {
    if (decode === undefined) throw new TypeError(`The cache was taught no decode for ${name}.`);
    return decode(encoded);
  };
}

/** A view is stored with the bytes that it shows, not with all those of the buffer it looks into. */
const WRITING = {
  viewInfo: (view: ArrayBufferView) => {
    const buffer = ownBytes(view);
    const { byteLength } = buffer;
    return { buffer, byteOffset: 0, byteLength, length: byteLength, bufferByteLength: byteLength };
  },
};

/** devalue knows kinds that the cache does not hold, and arrays longer than anybody could walk. */
const READING = {
  box: refuseKind,
  fromStringValue: refuseKind,
  createSparseArray: (length: number) => {
    if (length > MAX_SPARSE_LENGTH) throw new RangeError('The array is too long.');
    return new Array(length);
  },
};

function refuseKind(): never {
  throw new TypeError('The cache holds no values of this kind.');
}

function ownBytes(view: ArrayBufferView): ArrayBuffer {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;
}

function header(form: Form, packing: '-' | 'z', payload: Uint8Array | string): string {
  const kind = `${VERSION}${form === 'json' ? 'j' : 'd'}${packing}`;
  return kind + crc32(payload, crc32(kind)).toString(16).padStart(8, '0');
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function sizeOf(name: string, bytes: number): number {
  if (typeof bytes === 'number' && bytes >= 0) return bytes;
  throw new CacheError('ERR_ARGUMENT_INVALID', `${name} is a number of bytes, not ${String(bytes)}.`);
}

function unreadable(why: string, cause?: unknown): CacheError {
  return new CacheError('ERR_STORE_FAILED', `A stored value cannot be read: ${why}.`, { cause });
}
