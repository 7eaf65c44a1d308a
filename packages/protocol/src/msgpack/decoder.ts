import { MalformedMessageError, UnencodableValueError, UnsupportedVersionError } from '../protocol-error.ts';
import * as checks from '../scalar-checks.ts';
import type { Field, MessageOf, RawTaggedField, Schema, Struct } from '../schema/index.ts';
import { generate } from '../schema/generate.ts';
import { includesVersion, isFlexible } from '../schema/index.ts';
import { defaultExpression, layoutOf } from '../schema/layout.ts';
import type { Slot } from '../schema/layout.ts';

/** Turns unpacked arrays into a body. */
type Decoder = (arrays: unknown) => unknown;

const EMPTY = Buffer.alloc(0);

function refuseNull(name: string): never {
  throw new MalformedMessageError(`${name} is null`);
}

function refuseArray(name: string, value: unknown): never {
  throw new MalformedMessageError(`${name} is ${Array.isArray(value) ? `of ${value.length} values` : typeof value}`);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : refuseArray('an array', value);
}

function rawTaggedFields(value: unknown): RawTaggedField[] {
  return list(value).map((pair) => {
    const [tag, data, ...more] = list(pair);
    if (!Number.isInteger(tag) || more.length > 0) refuseArray('a tagged field', pair);
    return { tag: checks.int32(tag), data: checks.bytes(data) };
  });
}

/** An integer of 64 bits comes as a bigint, whatever its value. */
function int64(value: unknown): number {
  const exact = typeof value === 'bigint' && BigInt.asIntN(53, value) === value ? Number(value) : value;
  return checks.int64(exact);
}

/** Writes the source of one message's decoder at one version. */
class DecoderSource {
  private readonly functions: string[] = [];
  private readonly names = new Map<Struct, string>();
  private readonly version: number;
  private readonly flexible: boolean;

  constructor(version: number, flexible: boolean) {
    this.version = version;
    this.flexible = flexible;
  }

  objectOf(struct: Struct): string {
    const known = this.names.get(struct);
    if (known !== undefined) return known;
    const name = `object${struct.name}${this.names.size}`;
    this.names.set(struct, name);
    const { all, present } = layoutOf(struct, this.version);
    const count = present.length;
    const bad = `!Array.isArray(a) || (a.length !== ${count}${this.flexible ? ` && a.length !== ${count + 1}` : ''})`;
    const members = all.map((slot) => {
      const index = present.indexOf(slot);
      return `${slot.name}: ${index < 0 ? defaultExpression(slot.field) : this.valueExpression(slot, `a[${index}]`)}`;
    });
    const lines = [`if (${bad}) refuseArray('${struct.name}', a);`, `const object = { ${members.join(', ')} };`];
    if (this.flexible) {
      lines.push(`if (a.length === ${count + 1}) object.unknownTaggedFields = rawTaggedFields(a[${count}]);`);
    }
    this.functions.push(`function ${name}(a) {\n${lines.join('\n')}\nreturn object;\n}`);
    return name;
  }

  private valueExpression({ name, field, nullable }: Slot, value: string): string {
    const expression = field.array ? `list(${value}).map(${this.element(field)})` : `${this.element(field)}(${value})`;
    return `${value} === null ? ${nullable ? 'null' : `refuseNull('${name}')`} : ${expression}`;
  }

  private element({ type }: Field): string {
    if (typeof type !== 'string') return this.objectOf(type);
    return type === 'records' ? 'bytes' : type;
  }

  toString(): string {
    return this.functions.join('\n');
  }
}

const decoders = new WeakMap<Schema, (Decoder | undefined)[]>();

function compile(schema: Schema, version: number): Decoder {
  if (!includesVersion(schema.versions, version)) {
    throw new UnsupportedVersionError(`${schema.name} has no version ${version}`);
  }
  const source = new DecoderSource(version, isFlexible(schema, version));
  const root = source.objectOf(schema.body);
  const scope = { ...checks, int64, EMPTY, refuseNull, refuseArray, list, rawTaggedFields };
  return generate(scope, `${source.toString()}\nreturn ${root};`) as Decoder;
}

/**
 * A body out of unpacked arrays; every value is checked against its field.
 *
 * @throws MalformedMessageError, UnsupportedVersionError, Int64RangeError
 */
export function fromArrays<S extends Schema>(schema: S, version: number, arrays: unknown): MessageOf<S> {
  let versions = decoders.get(schema);
  if (versions === undefined) decoders.set(schema, (versions = []));
  const decode = (versions[version] ??= compile(schema, version));
  try {
    return decode(arrays) as MessageOf<S>;
  } catch (error) {
    if (!(error instanceof UnencodableValueError)) throw error;
    throw new MalformedMessageError(`${schema.name} v${version}: ${error.message}`, { cause: error });
  }
}
