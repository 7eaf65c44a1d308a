import { invariant } from '@klassic/common';
import type { Field, ScalarName, Struct } from './field.ts';
import { includesVersion } from './version-range.ts';

/** A field with its name, as it stands in one version. */
export interface Slot {
  readonly name: string;
  readonly field: Field;
  /** Whether null is allowed in this version. */
  readonly nullable: boolean;
}

/** A structure as it stands in one version. */
export interface Layout {
  /** All fields of the structure in order: what a decoded object has. */
  readonly all: readonly Slot[];
  /** The fields the version has, in order. */
  readonly present: readonly Slot[];
  /** Those of them that aren't tagged. */
  readonly plain: readonly Slot[];
  /** Those of them that are tagged, by tag. */
  readonly tagged: readonly Slot[];
  /** The fields the version lacks. */
  readonly absent: readonly Slot[];
}

/** Bytes of the types that always take as many. */
export const FIXED_SIZES: Partial<Readonly<Record<ScalarName, number>>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
};

/** What stands for no id. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

const ZEROS: Readonly<Record<Exclude<ScalarName, 'bytes' | 'records'>, unknown>> = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  int64: 0,
  float64: 0,
  uuid: ZERO_UUID,
  string: '',
};

const NAME = /^[a-z][A-Za-z0-9]*$/;

const layouts = new WeakMap<Struct, Layout[]>();

/** The structure's fields sorted by what a version does with them. */
export function layoutOf(struct: Struct, version: number): Layout {
  let versions = layouts.get(struct);
  if (versions === undefined) layouts.set(struct, (versions = []));
  return (versions[version] ??= makeLayout(struct, version));
}

function makeLayout(struct: Struct, version: number): Layout {
  const all = Object.entries(struct.fields).map(([name, field]): Slot => {
    invariant(NAME.test(name), `"${name}" is no field name`);
    return { name, field, nullable: includesVersion(field.nullable, version) };
  });
  const present = all.filter(({ field }) => includesVersion(field.versions, version));
  return {
    all,
    present,
    plain: present.filter(({ field }) => field.tag === undefined),
    tagged: present
      .filter(({ field }) => field.tag !== undefined)
      .sort((a, b) => Number(a.field.tag) - Number(b.field.tag)),
    absent: all.filter((slot) => !present.includes(slot)),
  };
}

/** Whether the field is a structure (or an array of them). */
export function structOf(field: Field): Struct | undefined {
  return typeof field.type === 'string' ? undefined : field.type;
}

/** The default of a field; of a structure an object without fields. Arrays and buffers are made anew. */
export function defaultValue(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if (field.array) return [];
  if (typeof field.type !== 'string') return {};
  return field.type === 'bytes' || field.type === 'records' ? Buffer.alloc(0) : ZEROS[field.type];
}

/** The field's default as a JavaScript expression; `EMPTY` stands for a buffer of no bytes. */
export function defaultExpression(field: Field): string {
  const { type } = field;
  if (field.default === undefined && !field.array && typeof type !== 'string') {
    const members = Object.entries(type.fields).map(([name, member]) => `${name}: ${defaultExpression(member)}`);
    return `{ ${members.join(', ')} }`;
  }
  const value = defaultValue(field);
  return Buffer.isBuffer(value) ? 'EMPTY' : JSON.stringify(value);
}

/** A JavaScript condition: `value` (an expression) is not undefined and differs from the field's default. */
export function differsFromDefault(field: Field, value: string): string {
  const given = `${value} !== undefined`;
  if (field.default === null) return `${given} && ${value} !== null`;
  if (field.array) return `${given} && (${value} === null || ${value}.length !== 0)`;
  if (typeof field.type !== 'string') {
    const members = Object.entries(field.type.fields).map(
      ([name, member]) => `(${differsFromDefault(member, `${value}.${name}`)})`,
    );
    return `${given} && (${[...members, `${value}.unknownTaggedFields !== undefined`].join(' || ')})`;
  }
  if (field.type === 'bytes' || field.type === 'records') {
    return `${given} && (${value} === null || ${value}.length !== 0)`;
  }
  return `${given} && ${value} !== ${defaultExpression(field)}`;
}
