import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeWithReference, readReferenceJson } from '@klassic/test-support';
import { apis, errorByCode, Errors, KafkaError } from '../src/index.ts';
import * as messages from '../src/messages/index.ts';
import { includesVersion, isFlexible } from '../src/schema/index.ts';
import type { Schema } from '../src/schema/index.ts';
import { layoutOf } from '../src/schema/layout.ts';
import type { Slot } from '../src/schema/layout.ts';

interface ReferenceField {
  name: string;
  type: string;
  array: boolean;
  nullable: boolean;
  compact?: boolean;
  elementCompact?: boolean;
  tag?: number;
  default?: unknown;
  ignorable?: boolean;
  struct?: string;
  fields?: ReferenceField[];
}

interface ReferenceSchema {
  apiKey?: number;
  type: string;
  validVersions: [number, number];
  flexibleVersions: number[];
  versions: Record<string, ReferenceField[]>;
}

/** A field of ours as the reference's tables show it. */
function shown({ name, field, nullable }: Slot, version: number, flexible: boolean): ReferenceField {
  const struct = typeof field.type === 'string' ? undefined : field.type;
  const type = typeof field.type === 'string' ? field.type : 'struct';
  const sized = type === 'string' || type === 'bytes' || type === 'records';
  return {
    name,
    type,
    array: field.array,
    nullable,
    ...(flexible && field.compact && (field.array || sized) ? { compact: true } : {}),
    ...(flexible && field.array && sized ? { elementCompact: true } : {}),
    ...(field.tag === undefined ? {} : { tag: field.tag }),
    ...(struct !== undefined && !field.array ? {} : { default: shownDefault(field) }),
    ...(field.ignorable ? { ignorable: true } : {}),
    ...(struct === undefined ? {} : { struct: struct.name, fields: table(struct, version, flexible) }),
  };
}

function shownDefault({ type, array, default: given }: Slot['field']): unknown {
  if (given !== undefined) return given;
  if (array) return [];
  // The table has null for a record set that may not be null.
  if (type === 'records') return null;
  return { string: '', bytes: '', bool: false, uuid: 'AAAAAAAAAAAAAAAAAAAAAA' }[type as 'string'] ?? 0;
}

function table(struct: Schema['body'], version: number, flexible: boolean): ReferenceField[] {
  return layoutOf(struct, version).present.map((slot) => shown(slot, version, flexible));
}

/** The order of tagged fields is that of their tags, and `ignorable: false` goes without saying. */
function normalized(fields: ReferenceField[]): unknown[] {
  const plain = fields.filter(({ tag }) => tag === undefined);
  const tagged = fields.filter(({ tag }) => tag !== undefined).sort((a, b) => a.tag! - b.tag!);
  return [...plain, ...tagged].map(({ ignorable, fields: inner, default: given, ...rest }) => ({
    ...rest,
    ...(ignorable === true ? { ignorable } : {}),
    ...(inner === undefined ? {} : { fields: normalized(inner) }),
    // A float64's is printed '0.0'.
    default: given === '0.0' ? 0 : given,
  }));
}

describeWithReference(describe)('the schemas', () => {
  it.each(Object.values(messages).map((schema) => [schema.name, schema] as const))('%s', (name, schema: Schema) => {
    const reference = readReferenceJson('vectors', 'schema', `${name}.json`) as ReferenceSchema;
    expect(schema.type).toBe(reference.type);
    if (schema.apiKey !== null) expect(schema.apiKey).toBe(reference.apiKey);
    expect([schema.versions.min, schema.versions.max]).toEqual(reference.validVersions);
    for (const [text, fields] of Object.entries(reference.versions)) {
      const version = Number(text);
      const flexible = isFlexible(schema, version);
      expect(flexible).toBe(reference.flexibleVersions.includes(version));
      expect({ version, fields: normalized(table(schema.body, version, flexible)) }).toEqual({
        version,
        fields: normalized(fields),
      });
    }
  });

  it('are those of the APIs', () => {
    const index = readReferenceJson('vectors', 'messages', 'index.json') as {
      apis: { apiKey: number; name: keyof typeof apis; enum: string; listeners: string[] }[];
    };
    expect(Object.keys(apis)).toEqual(index.apis.map(({ name }) => name));
    for (const { apiKey, name, enum: loggedName, listeners } of index.apis) {
      const api = apis[name];
      expect(api).toMatchObject({ key: apiKey, name, loggedName, raftOnly: !listeners.includes('ZK_BROKER') });
      expect(api.request.name).toBe(`${name}Request`);
      expect(api.response.name).toBe(`${name}Response`);
      expect(includesVersion(api.response.versions, api.maxVersion)).toBe(true);
    }
  });

  it('are advertised as the reference does', () => {
    const { apis: advertised } = readReferenceJson('vectors', 'api-versions-2.8.2.json') as {
      apis: { name: keyof typeof apis; apiKey: number }[];
    };
    for (const { name, apiKey, ...rest } of advertised) expect({ ...apis[name], key: apiKey }).toMatchObject(rest);
    const ours = Object.values(apis).filter(({ raftOnly }) => !raftOnly);
    expect(ours.map(({ name }) => name)).toEqual(advertised.map(({ name }) => name));
  });

  it('and the errors are the reference’s', () => {
    expect(Object.values(Errors)).toEqual(readReferenceJson('vectors', 'errors.json'));
  });
});

describe('errors', () => {
  it('are documented as they are', () => {
    const rows = readFileSync(join(import.meta.dirname, '../ERRORS.md'), 'utf8')
      .split('\n')
      .filter((line) => /^\| +-?\d/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    expect(
      rows.map(([, code, name, retriable, metadata, message]) => ({ code, name, retriable, metadata, message })),
    ).toEqual(
      Object.values(Errors).map(({ code, name, retriable, invalidMetadata, message }) => ({
        code: String(code),
        name,
        retriable: retriable ? 'yes' : '',
        metadata: invalidMetadata ? 'yes' : '',
        message,
      })),
    );
  });

  it('are found by their code', () => {
    expect(errorByCode(6)).toBe(Errors.NOT_LEADER_OR_FOLLOWER);
    expect(errorByCode(-1)).toBe(Errors.UNKNOWN_SERVER_ERROR);
    expect(errorByCode(9999)).toBe(Errors.UNKNOWN_SERVER_ERROR);
  });

  it('say more than the table where they can', () => {
    expect(new KafkaError(Errors.INVALID_TOPIC_EXCEPTION).message).toBe(Errors.INVALID_TOPIC_EXCEPTION.message);
    expect(new KafkaError(Errors.INVALID_TOPIC_EXCEPTION, 'Topic name is illegal').message).toBe(
      'Topic name is illegal',
    );
  });
});
