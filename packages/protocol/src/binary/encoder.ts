import { ProtocolError, UnsupportedVersionError } from '../protocol-error.ts';
import type { Field, InitOf, Schema, Struct } from '../schema/index.ts';
import { generate } from '../schema/generate.ts';
import { includesVersion, isFlexible } from '../schema/index.ts';
import { defaultExpression, differsFromDefault, FIXED_SIZES, layoutOf } from '../schema/layout.ts';
import type { Slot } from '../schema/layout.ts';
import * as refusals from '../refusals.ts';
import * as checks from '../scalar-checks.ts';
import { setInt64 } from './writer.ts';
import type { BinaryWriter } from './writer.ts';

type Encoder = (writer: BinaryWriter, body: unknown) => void;

const EMPTY = Buffer.alloc(0);

/** Writes of the types of a fixed size, into room that is there. */
const FIXED_WRITES: Readonly<Record<string, (at: string, value: string) => string>> = {
  bool: (at, value) => `view.setUint8(${at}, bool(${value}) ? 1 : 0);`,
  int8: (at, value) => `view.setInt8(${at}, int8(${value}));`,
  int16: (at, value) => `view.setInt16(${at}, int16(${value}));`,
  uint16: (at, value) => `view.setUint16(${at}, uint16(${value}));`,
  int32: (at, value) => `view.setInt32(${at}, int32(${value}));`,
  int64: (at, value) => `setInt64(view, ${at}, ${value});`,
  float64: (at, value) => `view.setFloat64(${at}, float64(${value}));`,
};

function sortedTags(fields: readonly { tag: number }[] | undefined): readonly { tag: number }[] {
  return fields === undefined ? [] : fields.toSorted((a, b) => a.tag - b.tag);
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

  /** The name of the function that writes the structure; its source is added when it is first asked for. */
  writerOf(struct: Struct): string {
    const known = this.names.get(struct);
    if (known !== undefined) return known;
    const name = `write${struct.name}${this.names.size}`;
    this.names.set(struct, name);
    const { plain, tagged, absent } = layoutOf(struct, this.version);
    const lines = ['let p, view;'];
    for (const { name: field, field: f } of absent) {
      if (f.ignorable) continue;
      lines.push(`if (${differsFromDefault(f, `o.${field}`)}) refuseField('${field}', ${this.version});`);
    }
    for (const slot of [...plain, ...tagged]) {
      lines.push(`let $${slot.name} = o.${slot.name};`);
      lines.push(`if ($${slot.name} === undefined) $${slot.name} = ${defaultExpression(slot.field)};`);
    }
    lines.push(...this.plainFields(plain));
    lines.push(...(this.flexible ? this.taggedFields(tagged) : this.noTaggedFields()));
    this.functions.push(`function ${name}(w, o) {\n${lines.join('\n')}\n}`);
    return name;
  }

  /** The writes of the untagged fields: neighbours of a fixed size share one reservation. */
  private plainFields(slots: readonly Slot[]): string[] {
    const lines: string[] = [];
    for (let i = 0; i < slots.length;) {
      const run: string[] = [];
      let size = 0;
      for (; i < slots.length; i++) {
        const { name, field } = slots[i]!;
        const write = field.array || typeof field.type !== 'string' ? undefined : FIXED_WRITES[field.type];
        if (write === undefined) break;
        run.push(write(`p + ${size}`, `$${name}`));
        size += FIXED_SIZES[field.type as 'int8']!;
      }
      if (run.length > 0) lines.push(`p = w.reserve(${size});`, 'view = w.view;', ...run);
      const slot = slots[i];
      if (slot !== undefined) lines.push(this.variableField(slot));
      i++;
    }
    return lines;
  }

  private variableField({ name, field, nullable }: Slot): string {
    const value = `$${name}`;
    const written = field.array
      ? [
          `w.length(${value}.length, ${this.flexible});`,
          `for (let i = 0; i < ${value}.length; i++) { ${this.writeStatement(field, `${value}[i]`)} }`,
        ].join('\n')
      : this.writeStatement(field, value);
    if (!nullable) return `if (${value} === null) refuseNull('${name}');\n${written}`;
    const isString = !field.array && field.type === 'string';
    const none = isString ? `w.nullString(${this.flexible && field.compact});` : `w.length(-1, ${this.flexible});`;
    return `if (${value} === null) ${none} else {\n${written}\n}`;
  }

  /** Writes one value (of an array: one element) that isn't null. */
  private writeStatement(field: Field, value: string): string {
    const { type } = field;
    if (typeof type !== 'string') return `${this.writerOf(type)}(w, ${value});`;
    const fixed = FIXED_WRITES[type];
    if (fixed !== undefined) return `p = w.reserve(${FIXED_SIZES[type]}); view = w.view; ${fixed('p', value)}`;
    if (type === 'string') return `w.string(${value}, ${this.flexible && field.compact});`;
    if (type === 'uuid') return `w.uuid(${value});`;
    return `w.${type === 'records' ? 'records' : 'byteSequence'}(${value}, ${this.flexible});`;
  }

  private taggedFields(slots: readonly Slot[]): string[] {
    const lines = ['const unknown = o.unknownTaggedFields;'];
    if (slots.length === 0) {
      return [...lines, 'if (unknown === undefined) w.uvarint(0);', 'else {', ...this.unknownAfter(0, 'unknown'), '}'];
    }
    lines.push('let count = 0;');
    for (const { name, field } of slots) {
      lines.push(`const has$${name} = ${differsFromDefault(field, `$${name}`)};`, `if (has$${name}) count++;`);
    }
    lines.push('const raw = sortedTags(unknown);', 'w.uvarint(count + raw.length);');
    let from = 0;
    for (const slot of slots) {
      const tag = Number(slot.field.tag);
      lines.push(
        `if (raw.length > 0) { w.unknownTagged(raw, ${from}, ${tag}); if (raw.some((f) => f.tag === ${tag})) refuseTag(${tag}); }`,
        `if (has$${slot.name}) {`,
        `const begun = w.beginTagged(${tag});`,
        this.variableField(slot),
        'w.endTagged(begun);',
        '}',
      );
      from = tag + 1;
    }
    lines.push(`if (raw.length > 0) w.unknownTagged(raw, ${from}, Infinity);`);
    return lines;
  }

  private unknownAfter(from: number, fields: string): string[] {
    return [`w.uvarint(${fields}.length);`, `w.unknownTagged(sortedTags(${fields}), ${from}, Infinity);`];
  }

  private noTaggedFields(): string[] {
    return [
      `if (o.unknownTaggedFields !== undefined && o.unknownTaggedFields.length > 0) refuseField('unknownTaggedFields', ${this.version});`,
    ];
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
  const scope = { ...checks, ...refusals, setInt64, EMPTY, sortedTags };
  const source = new EncoderSource(version, isFlexible(schema, version));
  const root = source.writerOf(schema.body);
  return generate(scope, `${source.toString()}\nreturn ${root};`) as Encoder;
}

/**
 * Writes a message.
 *
 * @throws UnsupportedVersionError, UnencodableValueError, Int64RangeError
 */
export function writeMessage<S extends Schema>(
  schema: S,
  version: number,
  writer: BinaryWriter,
  body: InitOf<S>,
): void {
  let versions = encoders.get(schema);
  if (versions === undefined) encoders.set(schema, (versions = []));
  const encode = (versions[version] ??= compile(schema, version));
  try {
    encode(writer, body);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    // The message is put in front once: where a field's value came from is in the stack.
    error.message = `${schema.name} v${version}: ${error.message}`;
    throw error;
  }
}
