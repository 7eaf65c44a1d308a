import { versionRange } from './version-range.ts';
import type { VersionRange } from './version-range.ts';

/** The scalar types of Kafka's schemas and what they are in code. */
export interface ScalarTypes {
  bool: boolean;
  int8: number;
  int16: number;
  uint16: number;
  int32: number;
  /** A `number`, exact within ±(2^53 - 1); beyond that a codec throws Int64RangeError. */
  int64: number;
  float64: number;
  /** 22 characters of base64url, as Kafka prints it. */
  uuid: string;
  string: string;
  bytes: Buffer;
  /** A record set; opaque here, read by `records/`. */
  records: Buffer;
}

export type ScalarName = keyof ScalarTypes;

/** A tagged field this release doesn't know: kept as it came and sent on (KIP-482). */
export interface RawTaggedField {
  readonly tag: number;
  readonly data: Buffer;
}

/** What a field may say beyond its type and versions. */
export interface FieldOptions<T> {
  /** The versions in which null is allowed. */
  readonly nullable?: string;
  /** The value where the version lacks the field or the sender gave none; else 0, false, '', no bytes, no elements. */
  readonly default?: T | null;
  /** A tagged field (KIP-482), in flexible versions only. */
  readonly tag?: number;
  /** A value given for a version that lacks the field is dropped; else it is refused. */
  readonly ignorable?: true;
  /** Keeps its int16 length in flexible versions, too. */
  readonly compact?: false;
}

/** One field of a structure: its element type, whether it is an array of them, whether it may be null. */
export interface Field<
  E extends ScalarName | Struct = ScalarName | Struct,
  A extends boolean = boolean,
  N extends boolean = boolean,
> {
  readonly type: E;
  readonly array: A;
  readonly versions: VersionRange;
  /** The versions in which it may be null; `everNullable` says so to the compiler. */
  readonly nullable: VersionRange;
  readonly everNullable: N;
  /** Undefined stands for the zero of the type. */
  readonly default: unknown;
  readonly tag: number | undefined;
  readonly ignorable: boolean;
  readonly compact: boolean;
}

export interface Fields {
  readonly [name: string]: Field;
}

/** A structure: its fields in the order in which they are written. */
export interface Struct<F extends Fields = Fields> {
  readonly name: string;
  readonly fields: F;
}

type OrNull<T, N> = true extends N ? T | null : T;
type OrArray<T, A> = true extends A ? T[] : T;
type OrReadonlyArray<T, A> = true extends A ? readonly T[] : T;

type ElementValue<E> = E extends ScalarName ? ScalarTypes[E] : E extends Struct<infer F> ? StructValue<F> : never;
type ElementInit<E> = E extends ScalarName ? ScalarTypes[E] : E extends Struct<infer F> ? StructInit<F> : never;

type FieldValue<F> = F extends Field<infer E, infer A, infer N> ? OrNull<OrArray<ElementValue<E>, A>, N> : never;
type FieldInit<F> = F extends Field<infer E, infer A, infer N> ? OrNull<OrReadonlyArray<ElementInit<E>, A>, N> : never;

/** What decoding gives: every field is there. */
export type StructValue<F extends Fields> = { -readonly [K in keyof F]: FieldValue<F[K]> } & {
  unknownTaggedFields?: RawTaggedField[];
};

/** What encoding takes: an absent field has its default. */
export type StructInit<F extends Fields> = { readonly [K in keyof F]?: FieldInit<F[K]> | undefined } & {
  readonly unknownTaggedFields?: readonly RawTaggedField[] | undefined;
};

type EverNullable<O> = O extends { readonly nullable: string } ? true : false;

function makeField<E extends ScalarName | Struct, A extends boolean, N extends boolean>(
  type: E,
  array: A,
  versions: string,
  options: FieldOptions<unknown>,
): Field<E, A, N> {
  return {
    type,
    array,
    versions: versionRange(versions),
    nullable: versionRange(options.nullable ?? 'none'),
    everNullable: (options.nullable !== undefined) as N,
    default: options.default,
    tag: options.tag,
    ignorable: options.ignorable ?? false,
    compact: options.compact ?? true,
  };
}

function scalar<E extends ScalarName>(type: E) {
  return <const O extends FieldOptions<ScalarTypes[E]> = FieldOptions<ScalarTypes[E]>>(
    versions: string,
    options?: O,
  ): Field<E, false, EverNullable<O>> => makeField(type, false, versions, options ?? {});
}

export const bool = scalar('bool');
export const int8 = scalar('int8');
export const int16 = scalar('int16');
export const uint16 = scalar('uint16');
export const int32 = scalar('int32');
export const int64 = scalar('int64');
export const float64 = scalar('float64');
export const uuid = scalar('uuid');
export const string = scalar('string');
export const bytes = scalar('bytes');
export const records = scalar('records');

/** A structure by its name in Kafka's schemas. */
export function struct<F extends Fields>(name: string, fields: F): Struct<F> {
  return { name, fields };
}

/** An array of scalars or structures. */
export function array<
  E extends ScalarName | Struct,
  const O extends FieldOptions<readonly []> = FieldOptions<readonly []>,
>(versions: string, element: E, options?: O): Field<E, true, EverNullable<O>> {
  return makeField(element, true, versions, options ?? {});
}

/** A structure that stands alone, not in an array. */
export function one<F extends Fields>(
  versions: string,
  type: Struct<F>,
  options?: FieldOptions<never>,
): Field<Struct<F>, false, false> {
  return makeField(type, false, versions, options ?? {});
}
