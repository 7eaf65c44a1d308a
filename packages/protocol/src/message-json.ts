import { UnsupportedVersionError } from './protocol-error.ts';
import { includesVersion } from './schema/index.ts';
import type { Field, InitOf, Schema, Struct } from './schema/index.ts';
import { defaultValue, layoutOf } from './schema/layout.ts';

type Json = Record<string, unknown>;

/**
 * A message as the request logger prints it: the version's fields in the order of the schema, a tagged field only
 * where it differs from its default, bytes in base64, of record sets only their size as `<field>SizeInBytes`
 * (Kafka's generated JsonConverters with serializeRecords=false).
 *
 * @throws UnsupportedVersionError
 */
export function messageToJson<S extends Schema>(schema: S, version: number, body: InitOf<S>): Json {
  if (!includesVersion(schema.versions, version)) {
    throw new UnsupportedVersionError(`${schema.name} has no version ${version}`);
  }
  return structJson(schema.body, version, body);
}

function structJson(struct: Struct, version: number, body: Json): Json {
  const json: Json = {};
  for (const { name, field } of layoutOf(struct, version).present) {
    const value = body[name] ?? (body[name] === null ? null : defaultValue(field));
    if (field.tag !== undefined && isDefault(field, value)) continue;
    if (field.type === 'records' && value !== null) json[`${name}SizeInBytes`] = (value as Buffer).length;
    else json[name] = fieldJson(field, version, value);
  }
  return json;
}

function fieldJson(field: Field, version: number, value: unknown): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((element) => scalarJson(field, version, element));
  return scalarJson(field, version, value);
}

function scalarJson({ type }: Field, version: number, value: unknown): unknown {
  if (typeof type !== 'string') return structJson(type, version, value as Json);
  return Buffer.isBuffer(value) ? value.toString('base64') : value;
}

/** Whether a value is what its field has where none is given. */
export function isDefault(field: Field, value: unknown): boolean {
  if (value === undefined) return true;
  if (Array.isArray(value) || Buffer.isBuffer(value)) return value.length === 0 && field.default !== null;
  if (value === null || typeof field.type === 'string') return value === defaultValue(field);
  const members = value as Json;
  return (
    members['unknownTaggedFields'] === undefined &&
    Object.entries(field.type.fields).every(([name, member]) => isDefault(member, members[name]))
  );
}
