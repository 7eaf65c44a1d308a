import { Int64RangeError, UnencodableValueError } from './protocol-error.ts';

/** @throws UnencodableValueError always */
export function refuse(type: string, value: unknown): never {
  const shown = value === null || typeof value !== 'object' ? String(value) : typeof value;
  throw new UnencodableValueError(`${shown} is no ${type}`);
}

/** Returns the value if it is an integer within the bounds. @throws UnencodableValueError */
export function int8(value: unknown): number {
  return ((value as number) << 24) >> 24 === value ? value : refuse('int8', value);
}

export function int16(value: unknown): number {
  return ((value as number) << 16) >> 16 === value ? value : refuse('int16', value);
}

export function uint16(value: unknown): number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff
    ? (value as number)
    : refuse('uint16', value);
}

export function int32(value: unknown): number {
  return ((value as number) | 0) === value ? value : refuse('int32', value);
}

export function float64(value: unknown): number {
  return typeof value === 'number' ? value : refuse('float64', value);
}

/** @throws Int64RangeError beyond ±(2^53 - 1), UnencodableValueError when it is no integer */
export function int64(value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  if (typeof value === 'bigint' || Number.isInteger(value)) {
    throw new Int64RangeError(`The int64 ${String(value)} is beyond ±(2^53 - 1)`);
  }
  return refuse('int64', value);
}

export function bool(value: unknown): boolean {
  return typeof value === 'boolean' ? value : refuse('bool', value);
}

export function string(value: unknown): string {
  return typeof value === 'string' ? value : refuse('string', value);
}

const UUID = /^[A-Za-z0-9_-]{22}$/;

export function uuid(value: unknown): string {
  return typeof value === 'string' && UUID.test(value) ? value : refuse('uuid of 22 characters', value);
}

export function bytes(value: unknown): Buffer {
  return Buffer.isBuffer(value) ? value : refuse('Buffer', value);
}
