const PRIME_1 = 0x9e3779b1 | 0;
const PRIME_2 = 0x85ebca77 | 0;
const PRIME_3 = 0xc2b2ae3d | 0;
const PRIME_4 = 0x27d4eb2f | 0;
const PRIME_5 = 0x165667b1 | 0;

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
const round = (lane: number, input: number): number =>
  Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1);

/** xxHash32 with seed 0 of `bytes` from `start` up to but not including `end`: the checksums of LZ4 frames. */
export function xxhash32(bytes: Buffer, start = 0, end = bytes.length): number {
  let at = start;
  let hash = PRIME_5;
  if (end - start >= 16) {
    let first = (PRIME_1 + PRIME_2) | 0;
    let second = PRIME_2;
    let third = 0;
    let fourth = -PRIME_1 | 0;
    for (; at <= end - 16; at += 16) {
      first = round(first, bytes.readInt32LE(at));
      second = round(second, bytes.readInt32LE(at + 4));
      third = round(third, bytes.readInt32LE(at + 8));
      fourth = round(fourth, bytes.readInt32LE(at + 12));
    }
    hash = (rotate(first, 1) + rotate(second, 7) + rotate(third, 12) + rotate(fourth, 18)) | 0;
  }
  hash = (hash + (end - start)) | 0;
  for (; at <= end - 4; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(bytes.readInt32LE(at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at]!, PRIME_5)) | 0, 11), PRIME_1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
