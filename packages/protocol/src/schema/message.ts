import { struct } from './field.ts';
import type { Fields, Struct, StructInit, StructValue } from './field.ts';
import { includesVersion, versionRange } from './version-range.ts';
import type { VersionRange } from './version-range.ts';

export type MessageType = 'request' | 'response' | 'header' | 'data';

/** A message at all its versions: the one source of its TypeScript types and of both codecs. */
export interface Schema<F extends Fields = Fields> {
  readonly name: string;
  readonly type: MessageType;
  /** The API of a request or response; null for the rest. */
  readonly apiKey: number | null;
  readonly versions: VersionRange;
  /** Versions with compact lengths and tagged fields (KIP-482). */
  readonly flexible: VersionRange;
  readonly body: Struct<F>;
}

/** What decoding a message gives: every field is there, with its default where the version lacks it. */
export type MessageOf<S> = S extends Schema<infer F> ? StructValue<F> : never;

/** What encoding a message takes: fields may be left out. */
export type InitOf<S> = S extends Schema<infer F> ? StructInit<F> : never;

interface Head {
  readonly name: string;
  readonly versions: string;
  readonly flexible: string;
}

function schema<F extends Fields>(
  type: MessageType,
  apiKey: number | null,
  { name, versions, flexible }: Head,
  fields: F,
): Schema<F> {
  return {
    name,
    type,
    apiKey,
    versions: versionRange(versions),
    flexible: versionRange(flexible),
    body: struct(name, fields),
  };
}

type Request = Head & { readonly apiKey: number };

export function request<F extends Fields>(head: Request, fields: F): Schema<F> {
  return schema('request', head.apiKey, head, fields);
}

export function response<F extends Fields>(head: Request, fields: F): Schema<F> {
  return schema('response', head.apiKey, head, fields);
}

export function header<F extends Fields>(head: Head, fields: F): Schema<F> {
  return schema('header', null, head, fields);
}

/** A message that is stored in a topic or carried inside another one. */
export function data<F extends Fields>(head: Head, fields: F): Schema<F> {
  return schema('data', null, head, fields);
}

/** Whether the version has compact lengths and tagged fields. */
export function isFlexible(schema: Schema, version: number): boolean {
  return includesVersion(schema.flexible, version);
}
