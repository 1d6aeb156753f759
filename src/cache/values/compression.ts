/**
 * Zstandard from `node:zlib`, with bounds: what does not become clearly smaller is left as it is, and nothing
 * decompresses beyond the size its reader allows.
 */
import { constants as bufferConstants } from 'node:buffer';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Measured on shop rows: level 3 takes a tenth of what it costs to load 12 KB; higher levels save a few per cent more. */
const LEVEL = 3;

/** A compressed value costs a decode at each read, so it must save at least a fifth. */
export const WORTH_RATIO = 0.8;

/** The compressed bytes, or `undefined` where that would not save a fifth. */
export function compress(bytes: Uint8Array): Uint8Array | undefined {
  const compressed = zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  return compressed.length <= bytes.length * WORTH_RATIO ? compressed : undefined;
}

/** @throws what `node:zlib` throws for broken bytes, and for those that would exceed `maxBytes` */
export function decompress(bytes: Uint8Array, maxBytes: number): Buffer {
  return zstdDecompressSync(bytes, { maxOutputLength: Math.min(maxBytes, bufferConstants.MAX_LENGTH) });
}
