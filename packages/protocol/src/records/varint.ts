import { IllegalRecordsError } from './record-errors.ts';

/** A value read, and where the next one starts. */
export interface VarintRead {
  readonly value: number;
  readonly next: number;
}

/**
 * An unsigned varint of at most five bytes: the tagged fields and compact lengths of the flexible versions (KIP-482).
 *
 * @throws IllegalRecordsError when it is longer or the bytes end
 */
export function readUnsignedVarint(bytes: Buffer, at: number): VarintRead {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new IllegalRecordsError('The bytes end inside a varint');
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return { value: value >>> 0, next: at + i + 1 };
  }
  throw new IllegalRecordsError('Varint is too long, the most significant bit in the 5th byte is set');
}

/**
 * A zigzag varint of 32 bits: lengths, counts and offset deltas inside a record.
 *
 * @throws IllegalRecordsError when it is longer than five bytes or the bytes end
 */
export function readVarint(bytes: Buffer, at: number): VarintRead {
  const { value, next } = readUnsignedVarint(bytes, at);
  return { value: (value >>> 1) ^ -(value & 1), next };
}

/**
 * A zigzag varint of 64 bits: timestamp deltas. Beyond 2^53 the value is rounded: the caller checks what it adds up to.
 *
 * @throws IllegalRecordsError when it is longer than ten bytes or the bytes end
 */
export function readVarlong(bytes: Buffer, at: number): VarintRead {
  let high = 0;
  let low = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new IllegalRecordsError('The bytes end inside a varint');
    const bits = byte & 0x7f;
    // The sign is the lowest bit: the rest is gathered as its 31 low bits and the bits above them.
    if (i < 4) low += bits * 2 ** (7 * i);
    else high += bits * 2 ** (7 * (i - 4));
    if (byte < 0x80) {
      const negative = low % 2 === 1;
      const magnitude = Math.floor(low / 2) + (high % 2 ** 36) * 2 ** 27;
      return { value: negative ? -magnitude - 1 : magnitude, next: at + i + 1 };
    }
  }
  throw new IllegalRecordsError('Varlong is too long, the most significant bit in the 10th byte is set');
}

/** Bytes that {@link writeUnsignedVarint} takes. */
export function sizeOfUnsignedVarint(value: number): number {
  const bits = 32 - Math.clz32(value);
  return bits === 0 ? 1 : Math.ceil(bits / 7);
}

/** Bytes that {@link writeVarint} takes. */
export function sizeOfVarint(value: number): number {
  return sizeOfUnsignedVarint((value << 1) ^ (value >> 31));
}

/** Bytes that {@link writeVarlong} takes. */
export function sizeOfVarlong(value: number): number {
  let magnitude = value >= 0 ? value : -1 - value;
  let size = 1;
  for (magnitude = Math.floor(magnitude / 0x40); magnitude > 0; magnitude = Math.floor(magnitude / 0x80)) size++;
  return size;
}

/** Writes the low 32 bits of `value`; returns where the next value goes. */
export function writeUnsignedVarint(bytes: Buffer, value: number, at: number): number {
  let rest = value >>> 0;
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** Writes a 32 bit integer in zigzag; returns where the next value goes. */
export function writeVarint(bytes: Buffer, value: number, at: number): number {
  return writeUnsignedVarint(bytes, (value << 1) ^ (value >> 31), at);
}

/** Writes a safe integer in zigzag; returns where the next value goes. */
export function writeVarlong(bytes: Buffer, value: number, at: number): number {
  if (value >= -0x4000_0000 && value < 0x4000_0000) return writeUnsignedVarint(bytes, (value << 1) ^ (value >> 31), at);
  const negative = value < 0;
  const magnitude = negative ? -1 - value : value;
  // The sign is the lowest bit, so the first byte holds six bits of the magnitude and the doubling never leaves 2^53.
  let rest = Math.floor(magnitude / 0x40);
  bytes[at++] = ((magnitude % 0x40) << 1) | (negative ? 1 : 0) | (rest > 0 ? 0x80 : 0);
  while (rest > 0) {
    const bits = rest % 0x80;
    rest = Math.floor(rest / 0x80);
    bytes[at++] = rest > 0 ? bits | 0x80 : bits;
  }
  return at;
}
