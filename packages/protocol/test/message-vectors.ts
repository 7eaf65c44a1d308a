import { readReferenceLines } from '@klassic/test-support';
import type { Schema } from '../src/schema/index.ts';
import { layoutOf } from '../src/schema/layout.ts';

/** One line of `vectors/messages`. */
export interface MessageVector {
  api: string;
  apiKey: number | null;
  type: 'request' | 'response' | 'header' | 'data';
  version: number;
  flexible: boolean;
  sample: string;
  json: Record<string, unknown>;
  hex: string;
  prefixedHex?: string;
  unknownTaggedFields?: { path: string; tag: number; hex: string }[];
  correlationId?: number;
  clientId?: string | null;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARK = '\u0000int:';

/** JSON.parse would round an int64: integers of 16 digits or more become bigints where they are beyond 2^53. */
function parse(text: string): unknown {
  const marked = text.replace(TOKEN, (token) => (/^-?\d{16,}$/.test(token) ? `"\\u0000int:${token}"` : token));
  return JSON.parse(marked, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    const exact = BigInt(value.slice(MARK.length));
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  });
}

export function messageVectors(name: string): MessageVector[] {
  return readReferenceLines('vectors', 'messages', `${name}.jsonl`).map((line) => parse(line) as MessageVector);
}

/** Whether an int64 in it cannot be an exact number. */
export function beyondSafeIntegers(value: unknown): boolean {
  if (typeof value === 'bigint') return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(beyondSafeIntegers);
}

const INT64_BITS = 50;

/**
 * The vector with its int64 values beyond 2^53 cut to 50 bits, in JSON and bytes alike, so that the rest of such a
 * vector is tested, too. Not for `min` and `max`: their bytes may be several fields'.
 */
export function withinSafeIntegers(vector: MessageVector): MessageVector {
  let { hex } = vector;
  const cut = (value: unknown): unknown => {
    if (typeof value === 'bigint') {
      const short = BigInt.asIntN(INT64_BITS, value);
      hex = replaceBytes(hex, int64Hex(value), int64Hex(short));
      return Number(short);
    }
    if (Array.isArray(value)) return value.map(cut);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, cut(member)]));
  };
  const json = cut(vector.json) as Record<string, unknown>;
  const { prefixedHex: _, ...rest } = vector;
  return { ...rest, json, hex };
}

function int64Hex(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, '0');
}

function replaceBytes(hex: string, from: string, to: string): string {
  for (let at = hex.indexOf(from); at >= 0; at = hex.indexOf(from, at + 1)) {
    if (at % 2 === 0) hex = hex.slice(0, at) + to + hex.slice(at + from.length);
  }
  return hex;
}

/**
 * The body as Kafka's JSON has it: the version's fields only, no tagged field with its default value, bytes and record
 * sets in base64. Unknown tagged fields are gathered with their paths.
 */
export function referenceJson(
  schema: Schema,
  version: number,
  body: object,
): { json: unknown; unknown: { path: string; tag: number; hex: string }[] } {
  const unknown: { path: string; tag: number; hex: string }[] = [];
  return { json: structJson(schema.body, version, body as Body, '', unknown), unknown };
}

type Body = Record<string, unknown> & { unknownTaggedFields?: { tag: number; data: Buffer }[] };

function structJson(
  struct: Schema['body'],
  version: number,
  body: Body,
  path: string,
  unknown: { path: string; tag: number; hex: string }[],
): unknown {
  for (const { tag, data } of body.unknownTaggedFields ?? []) unknown.push({ path, tag, hex: data.toString('hex') });
  const json: Record<string, unknown> = {};
  for (const { name, field } of layoutOf(struct, version).present) {
    const inner = path === '' ? name : `${path}.${name}`;
    const { type } = field;
    const one = (value: unknown, at: string): unknown => {
      if (typeof type !== 'string') return structJson(type, version, value as Body, at, unknown);
      return Buffer.isBuffer(value) ? value.toString('base64') : value;
    };
    const value = body[name];
    const many = field.array && Array.isArray(value);
    json[name] = value === null ? null : many ? value.map((each, i) => one(each, `${inner}[${i}]`)) : one(value, inner);
  }
  return json;
}
