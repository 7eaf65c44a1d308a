import { hashMapOrder } from '@klassic/common';
import { ZNodeFormatError } from '../errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** JSON text of an object in hash map order; numeric-looking keys stay where that order puts them. */
export function hashMapText(entries: Readonly<Record<string, unknown>>): string {
  const members = hashMapOrder(Object.keys(entries)).map(
    (key) => `${JSON.stringify(key)}:${JSON.stringify(entries[key])}`,
  );
  return `{${members.join(',')}}`;
}

/** UTF-8 bytes of `value` as JSON without white space, keys in the order written. */
export function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/**
 * Reads a znode's JSON object.
 *
 * @returns undefined when the bytes are no JSON at all, as the original's `Json.parseBytes`
 * @throws ZNodeFormatError when they are JSON but no object
 */
export function parseObject(path: string, bytes: Buffer | null): JsonObject | undefined {
  if (bytes === null || bytes.length === 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ZNodeFormatError(`${path} holds no JSON object: ${bytes.toString('utf8')}`);
  }
  return value as JsonObject;
}

/** As `parseObject`. @throws ZNodeFormatError also when the bytes are no JSON */
export function requireObject(path: string, bytes: Buffer | null): JsonObject {
  const object = parseObject(path, bytes);
  if (object === undefined)
    throw new ZNodeFormatError(`${path} holds no JSON: ${bytes?.toString('utf8') ?? 'nothing'}`);
  return object;
}

function refuse(path: string, key: string, wanted: string, value: unknown): never {
  throw new ZNodeFormatError(`${path}: ${key} is ${JSON.stringify(value) ?? 'missing'}, expected ${wanted}`);
}

export function intOf(path: string, object: JsonObject, key: string): number {
  const value = object[key];
  return typeof value === 'number' && Number.isInteger(value) ? value : refuse(path, key, 'an integer', value);
}

export function stringOf(path: string, object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === 'string' ? value : refuse(path, key, 'a string', value);
}

/** An int64 written as decimal text, which must be exact as number. */
export function int64TextOf(path: string, object: JsonObject, key: string): number {
  const value = object[key];
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(number) ? number : refuse(path, key, 'a decimal number within 2^53, as text', value);
}

export function arrayOf(path: string, object: JsonObject, key: string): readonly unknown[] {
  const value = object[key];
  return Array.isArray(value) ? (value as unknown[]) : refuse(path, key, 'an array', value);
}

export function intsOf(path: string, object: JsonObject, key: string): number[] {
  return arrayOf(path, object, key).map((value) =>
    typeof value === 'number' && Number.isInteger(value) ? value : refuse(path, key, 'integers', value),
  );
}

export function objectsOf(path: string, object: JsonObject, key: string): JsonObject[] {
  return arrayOf(path, object, key).map((value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : refuse(path, key, 'objects', value),
  );
}

/** @returns undefined where the key is missing or null */
export function objectOf(path: string, object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'object' && !Array.isArray(value)
    ? (value as JsonObject)
    : refuse(path, key, 'an object', value);
}
