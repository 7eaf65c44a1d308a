import { UnsupportedVersionError } from '../protocol-error.ts';
import type { Field, MessageOf, Schema, Struct } from '../schema/index.ts';
import { generate } from '../schema/generate.ts';
import { includesVersion, isFlexible } from '../schema/index.ts';
import { defaultExpression, FIXED_SIZES, layoutOf, structOf } from '../schema/layout.ts';
import type { Slot } from '../schema/layout.ts';
import { int64At } from './reader.ts';
import type { BinaryReader } from './reader.ts';

type Decoder = (reader: BinaryReader) => unknown;

const EMPTY = Buffer.alloc(0);

/** Reads of the types of a fixed size: `p` is where the run of fields starts. */
const FIXED_READS: Readonly<Record<string, (at: string) => string>> = {
  bool: (at) => `view.getUint8(${at}) !== 0`,
  int8: (at) => `view.getInt8(${at})`,
  int16: (at) => `view.getInt16(${at})`,
  uint16: (at) => `view.getUint16(${at})`,
  int32: (at) => `view.getInt32(${at})`,
  int64: (at) => `int64At(view, ${at})`,
  float64: (at) => `view.getFloat64(${at})`,
};

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

  /** The name of the function that reads the structure; its source is added when it is first asked for. */
  readerOf(struct: Struct): string {
    const known = this.names.get(struct);
    if (known !== undefined) return known;
    const name = `read${struct.name}${this.names.size}`;
    this.names.set(struct, name);
    const { all, plain, tagged, absent } = layoutOf(struct, this.version);
    const lines = ['const { view } = r;', 'let p;', ...this.plainFields(plain)];
    for (const { name: field, field: f } of tagged) lines.push(`let $${field} = ${defaultExpression(f)};`);
    const missing = new Map(absent.map((slot) => [slot.name, defaultExpression(slot.field)]));
    const members = all.map((slot) => `${slot.name}: ${missing.get(slot.name) ?? `$${slot.name}`}`);
    lines.push(...(this.flexible ? this.taggedFields(tagged) : []));
    lines.push(`const object = { ${members.join(', ')} };`);
    if (this.flexible) lines.push('if (unknown !== undefined) object.unknownTaggedFields = unknown;');
    this.functions.push(`function ${name}(r) {\n${lines.join('\n')}\nreturn object;\n}`);
    return name;
  }

  /** The reads of the untagged fields: neighbours of a fixed size share one check. */
  private plainFields(slots: readonly Slot[]): string[] {
    const lines: string[] = [];
    for (let i = 0; i < slots.length;) {
      const run: string[] = [];
      let size = 0;
      for (; i < slots.length; i++) {
        const { name, field } = slots[i]!;
        const read = field.array || typeof field.type !== 'string' ? undefined : FIXED_READS[field.type];
        if (read === undefined) break;
        run.push(`const $${name} = ${read(`p + ${size}`)};`);
        size += FIXED_SIZES[field.type as 'int8']!;
      }
      if (run.length > 0) lines.push(`p = r.take(${size});`, ...run);
      const slot = slots[i];
      if (slot !== undefined) lines.push(...this.variableField(slot, 'let '));
      i++;
    }
    return lines;
  }

  private variableField({ name, field, nullable }: Slot, declare: 'let ' | ''): string[] {
    if (!field.array) return [`${declare}$${name} = ${this.readExpression(field, nullable)};`];
    const length = `length$${name}`;
    const orNull = nullable ? `${length} < 0 ? null : ` : '';
    const smallest = this.minimum({ ...field, array: false }, true);
    const read = `const ${length} = r.${nullable ? 'nullableArrayLength' : 'arrayLength'}(${this.flexible}, ${smallest});`;
    if (field.type === 'int32') return [read, `${declare}$${name} = ${orNull}r.int32s(${length});`];
    return [
      read,
      `${declare}$${name} = ${orNull}new Array(${length});`,
      `for (let i = 0; i < ${length}; i++) $${name}[i] = ${this.readExpression(field, false)};`,
    ];
  }

  /** Reads one value (of an array: one element). */
  private readExpression(field: Field, nullable: boolean): string {
    const { type } = field;
    if (typeof type !== 'string') return `${this.readerOf(type)}(r)`;
    const fixed = FIXED_READS[type];
    if (fixed !== undefined) return fixed(`r.take(${FIXED_SIZES[type]})`);
    if (type === 'uuid') return 'r.uuid()';
    if (type === 'string') return `r.${nullable ? 'nullableString' : 'string'}(${this.flexible && field.compact})`;
    return `r.${nullable ? 'nullableBytes' : 'bytesField'}(${this.flexible})`;
  }

  private taggedFields(slots: readonly Slot[]): string[] {
    const cases = slots.map((slot) => {
      const read = this.variableField(slot, '').join('\n');
      return `case ${slot.field.tag}: {\n${read}\nr.endTaggedField(tag, end);\nbreak;\n}`;
    });
    return [
      'let unknown;',
      'for (let n = r.uvarint(); n > 0; n--) {',
      'const tag = r.uvarint(), size = r.uvarint(), end = r.position + size;',
      'switch (tag) {',
      ...cases,
      'default: (unknown ??= []).push(r.rawTaggedField(tag, size));',
      '}',
      '}',
    ];
  }

  /** The fewest bytes a field can take, at least one where it is an array's element. */
  private minimum(field: Field, element: boolean): number {
    const struct = structOf(field);
    if (field.array) return this.flexible ? 1 : 4;
    if (struct !== undefined) {
      const sizes = layoutOf(struct, this.version).plain.map((slot) => this.minimum(slot.field, false));
      return Math.max(
        sizes.reduce((a, b) => a + b, this.flexible ? 1 : 0),
        element ? 1 : 0,
      );
    }
    const fixed = FIXED_SIZES[field.type as 'int8'];
    if (fixed !== undefined) return fixed;
    if (field.type === 'string') return this.flexible && field.compact ? 1 : 2;
    return this.flexible ? 1 : 4;
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
  const root = source.readerOf(schema.body);
  return generate({ EMPTY, int64At }, `${source.toString()}\nreturn ${root};`) as Decoder;
}

/**
 * Reads a message and leaves the reader behind it. Bytes that follow are the caller's matter.
 *
 * @throws MalformedMessageError, UnsupportedVersionError, Int64RangeError
 */
export function readMessage<S extends Schema>(schema: S, version: number, reader: BinaryReader): MessageOf<S> {
  let versions = decoders.get(schema);
  if (versions === undefined) decoders.set(schema, (versions = []));
  const decode = (versions[version] ??= compile(schema, version));
  return decode(reader) as MessageOf<S>;
}
