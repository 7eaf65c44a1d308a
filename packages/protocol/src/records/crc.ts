import { crc32c as nativeCrc32c } from '@node-rs/crc32';
import { crc32 as zlibCrc32 } from 'node:zlib';

/** Below this many bytes the call into native code costs more than the table. */
const NATIVE_FROM_BYTES = 96;

const table = new Int32Array(256).map((_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** CRC-32C (Castagnoli) of `buffer` from `start` up to but not including `end`: the checksum of magic 2. */
export function crc32c(buffer: Buffer, start = 0, end = buffer.length): number {
  if (end - start >= NATIVE_FROM_BYTES) {
    return nativeCrc32c(start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end));
  }
  let crc = -1;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ buffer[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/** CRC-32 of `buffer` from `start` up to but not including `end`: the checksum of magic 0 and 1. */
export function crc32(buffer: Buffer, start = 0, end = buffer.length): number {
  return zlibCrc32(buffer.subarray(start, end));
}
