import { describe, expect, it } from '@jest/globals';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import { isDeepStrictEqual } from 'node:util';
import { BinaryReader } from '../src/binary/reader.ts';
import { readMessage } from '../src/binary/decoder.ts';
import {
  decodeMessage,
  decodeVersionedMessage,
  encodeMessage,
  encodeVersionedMessage,
  Int64RangeError,
} from '../src/index.ts';
import * as messages from '../src/messages/index.ts';
import { fromArrays } from '../src/msgpack/decoder.ts';
import { toArrays } from '../src/msgpack/encoder.ts';
import { pack, unpack } from '../src/msgpack/packing.ts';
import type { Field, Schema } from '../src/schema/index.ts';
import { layoutOf } from '../src/schema/layout.ts';
import { beyondSafeIntegers, messageVectors, referenceJson, withinSafeIntegers } from './message-vectors.ts';
import type { MessageVector } from './message-vectors.ts';

const schemas: readonly Schema[] = Object.values(messages);

/** Everything a vector asks for; throws what is not met. */
function check(schema: Schema, vector: MessageVector): void {
  const { version } = vector;
  const bytes = Buffer.from(vector.hex, 'hex');
  if (beyondSafeIntegers(vector.json)) {
    expect(() => decodeMessage(schema, version, bytes)).toThrow(Int64RangeError);
    if (vector.sample !== 'min' && vector.sample !== 'max') check(schema, withinSafeIntegers(vector));
    return;
  }
  const reader = new BinaryReader(bytes);
  const body = readMessage(schema, version, reader);
  if (reader.position !== bytes.length) throw new Error(`${bytes.length - reader.position} bytes left`);
  compare(schema, vector, body, 'decoded');
  const encoded = encodeMessage(schema, version, body).toString('hex');
  if (encoded !== vector.hex) throw new Error(`encoded ${encoded}, not ${vector.hex}`);

  const packed = Buffer.concat(pack(toArrays(schema, version, body), 0));
  const unpacked = fromArrays(schema, version, unpack(packed, 0));
  if (!isDeepStrictEqual(unpacked, body)) throw new Error('MessagePack gives another body');

  if (vector.prefixedHex !== undefined) {
    const prefixed = Buffer.from(vector.prefixedHex, 'hex');
    const stored = decodeVersionedMessage(schema, prefixed);
    if (stored.version !== version || !isDeepStrictEqual(stored.message, body)) throw new Error('with its version');
    if (!encodeVersionedMessage(schema, version, stored.message).equals(prefixed)) throw new Error('with its version');
  }
}

function compare(schema: Schema, vector: MessageVector, body: object, what: string): void {
  const { json, unknown } = referenceJson(schema, vector.version, body);
  const expected = withDefaults(schema.body, vector.version, vector.json);
  if (!isDeepStrictEqual(json, expected)) {
    throw new Error(`${what} ${JSON.stringify(json)}, not ${JSON.stringify(expected)}`);
  }
  const sorted = (fields: { path: string; tag: number }[]) =>
    fields.map((f) => JSON.stringify([f.path, f.tag, (f as { hex?: string }).hex])).sort();
  if (!isDeepStrictEqual(sorted(unknown), sorted(vector.unknownTaggedFields ?? []))) throw new Error('unknown tags');
}

/** Kafka's JSON leaves out a tagged field with its default value: it is put in again. */
function withDefaults(struct: Schema['body'], version: number, json: Record<string, unknown>): unknown {
  const full: Record<string, unknown> = {};
  for (const { name, field } of layoutOf(struct, version).present) {
    const { type } = field;
    const one = (value: unknown) =>
      typeof type === 'string' || value === null
        ? value
        : withDefaults(type, version, value as Record<string, unknown>);
    const given = json[name];
    if (given === undefined) full[name] = defaultJson(field);
    else full[name] = Array.isArray(given) ? given.map(one) : one(given);
  }
  return full;
}

function defaultJson(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if (field.array) return [];
  if (typeof field.type !== 'string') {
    return Object.fromEntries(Object.entries(field.type.fields).map(([name, member]) => [name, defaultJson(member)]));
  }
  return (
    { string: '', bool: false, bytes: '', records: '', uuid: 'AAAAAAAAAAAAAAAAAAAAAA' }[field.type as 'string'] ?? 0
  );
}

describeWithReference(describe)('the golden vectors of messages', () => {
  it.each(schemas.map((schema) => [schema.name, schema] as const))('%s', (name, schema) => {
    const failures: string[] = [];
    const vectors = messageVectors(name);
    for (const vector of vectors) {
      try {
        check(schema, vector);
      } catch (error) {
        failures.push(`v${vector.version} ${vector.sample}: ${String(error)}`);
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
    expect(vectors.length).toBeGreaterThan(0);
  });

  it('cover every message there is', () => {
    const index = readReferenceJson('vectors', 'messages', 'index.json') as {
      apis: { request: { message: string }; response: { message: string } }[];
      others: { message: string }[];
    };
    const names = [
      ...index.apis.flatMap(({ request, response }) => [request.message, response.message]),
      ...index.others.map(({ message }) => message),
    ];
    expect(schemas.map(({ name }) => name).sort()).toEqual(names.sort());
  });
});
