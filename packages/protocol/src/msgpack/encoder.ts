import { ProtocolError, UnsupportedVersionError } from '../protocol-error.ts';
import * as refusals from '../refusals.ts';
import * as checks from '../scalar-checks.ts';
import type { Field, InitOf, Schema, Struct } from '../schema/index.ts';
import { generate } from '../schema/generate.ts';
import { includesVersion, isFlexible } from '../schema/index.ts';
import { defaultExpression, differsFromDefault, layoutOf } from '../schema/layout.ts';
import type { Slot } from '../schema/layout.ts';
import { recordsToPack } from './packing.ts';

/** Turns a body into the nested arrays that are packed. */
type Encoder = (body: unknown) => unknown[];

const EMPTY = Buffer.alloc(0);

function rawTaggedFields(fields: readonly { tag: number; data: Buffer }[]): unknown[] {
  return fields.map(({ tag, data }) => [tag, data]);
}

/** Writes the source of one message's encoder at one version. */
class EncoderSource {
  private readonly functions: string[] = [];
  private readonly names = new Map<Struct, string>();
  private readonly version: number;
  private readonly flexible: boolean;

  constructor(version: number, flexible: boolean) {
    this.version = version;
    this.flexible = flexible;
  }

  arrayOf(struct: Struct): string {
    const known = this.names.get(struct);
    if (known !== undefined) return known;
    const name = `array${struct.name}${this.names.size}`;
    this.names.set(struct, name);
    const { present, absent } = layoutOf(struct, this.version);
    const lines: string[] = [];
    for (const { name: field, field: f } of absent) {
      if (f.ignorable) continue;
      lines.push(`if (${differsFromDefault(f, `o.${field}`)}) refuseField('${field}', ${this.version});`);
    }
    for (const slot of present) {
      lines.push(`let $${slot.name} = o.${slot.name};`);
      lines.push(`if ($${slot.name} === undefined) $${slot.name} = ${defaultExpression(slot.field)};`);
    }
    lines.push('const unknown = o.unknownTaggedFields;');
    const values = present.map((slot) => this.valueExpression(slot));
    if (this.flexible) {
      lines.push(`if (unknown !== undefined) return [${[...values, 'rawTaggedFields(unknown)'].join(', ')}];`);
    } else {
      lines.push(
        `if (unknown !== undefined && unknown.length > 0) refuseField('unknownTaggedFields', ${this.version});`,
      );
    }
    this.functions.push(`function ${name}(o) {\n${lines.join('\n')}\nreturn [${values.join(', ')}];\n}`);
    return name;
  }

  private valueExpression({ name, field, nullable }: Slot): string {
    const value = `$${name}`;
    const expression = field.array ? `${value}.map(${this.element(field)})` : `${this.element(field)}(${value})`;
    return `${value} === null ? ${nullable ? 'null' : `refuseNull('${name}')`} : ${expression}`;
  }

  /** The function that turns one value (of an array: one element) into what is packed. */
  private element({ type }: Field): string {
    if (typeof type !== 'string') return this.arrayOf(type);
    return type === 'records' ? 'recordsToPack' : type;
  }

  toString(): string {
    return this.functions.join('\n');
  }
}

const encoders = new WeakMap<Schema, (Encoder | undefined)[]>();

function compile(schema: Schema, version: number): Encoder {
  if (!includesVersion(schema.versions, version)) {
    throw new UnsupportedVersionError(`${schema.name} has no version ${version}`);
  }
  const source = new EncoderSource(version, isFlexible(schema, version));
  const root = source.arrayOf(schema.body);
  const scope = { ...checks, ...refusals, EMPTY, rawTaggedFields, recordsToPack };
  return generate(scope, `${source.toString()}\nreturn ${root};`) as Encoder;
}

/**
 * A body as nested arrays: the values of the fields that the version has, in the order of the schema. Unknown tagged
 * fields follow as one more element, an array of `[tag, data]`.
 *
 * @throws UnsupportedVersionError, UnencodableValueError, Int64RangeError
 */
export function toArrays<S extends Schema>(schema: S, version: number, body: InitOf<S>): unknown[] {
  let versions = encoders.get(schema);
  if (versions === undefined) encoders.set(schema, (versions = []));
  const encode = (versions[version] ??= compile(schema, version));
  try {
    return encode(body);
  } catch (error) {
    if (error instanceof ProtocolError) error.message = `${schema.name} v${version}: ${error.message}`;
    throw error;
  }
}
