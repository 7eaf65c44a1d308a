import type { Field, Schema, Struct } from '../schema/index.ts';
import { isFlexible } from '../schema/index.ts';
import { layoutOf } from '../schema/layout.ts';
import type { Slot } from '../schema/layout.ts';
import { AnnotationError } from './annotation.ts';
import type { Annotator } from './annotation.ts';
import { annotateRecords } from './batches.ts';

/** Walks a message in Kafka's binary protocol by its schema. */
export class BinaryAnnotator {
  private readonly a: Annotator;
  private readonly version: number;
  private readonly flexible: boolean;

  constructor(annotator: Annotator, schema: Schema, version: number) {
    this.a = annotator;
    this.version = version;
    this.flexible = isFlexible(schema, version);
  }

  struct(struct: Struct, path: string): void {
    const { plain, tagged } = layoutOf(struct, this.version);
    const at = (name: string) => (path === '' ? name : `${path}.${name}`);
    for (const slot of plain) this.field(slot, at(slot.name));
    if (this.flexible) this.taggedFields(tagged, path);
  }

  private taggedFields(known: readonly Slot[], path: string): void {
    const { a } = this;
    const at = (name: string) => (path === '' ? name : `${path}.${name}`);
    const count = a.uvarint(at('(tagged fields)'), 'uvarint count');
    for (let i = 0; i < count; i++) {
      const tag = a.uvarint(at(`(tag ${i})`), 'uvarint tag');
      const size = a.uvarint(at(`(tag ${i} size)`), 'uvarint size');
      const slot = known.find(({ field }) => field.tag === tag);
      if (slot === undefined) a.raw(size, at(`(unknown tag ${tag})`), 'bytes');
      else this.field(slot, at(slot.name));
    }
  }

  private field({ field, nullable }: Slot, path: string): void {
    if (!field.array) {
      this.value(field, path, nullable);
      return;
    }
    const { a } = this;
    const length = this.flexible
      ? a.uvarint(path, 'uvarint array length, plus 1', -1)
      : a.int32(path, 'int32 array length');
    if (length < 0 && !nullable) throw new AnnotationError(`${path} is null, which it may not be`);
    for (let i = 0; i < length; i++) {
      const { type } = field;
      const element = `${path}[${i}]`;
      // Elements of no bytes would never end.
      if (a.position >= a.end) throw new AnnotationError(`${element} of ${length} is missing`);
      if (typeof type === 'string') this.value({ ...field, array: false }, element, false);
      else a.inside(element, type.name, () => this.struct(type, element));
    }
  }

  private value(field: Field, path: string, nullable: boolean): void {
    const { a } = this;
    const { type } = field;
    if (typeof type !== 'string') {
      a.inside(path, type.name, () => this.struct(type, path));
      return;
    }
    switch (type) {
      case 'bool':
        a.take(1, path, 'bool', (at) => a.bytes.readUInt8(at) !== 0);
        return;
      case 'int8':
        a.int8(path);
        return;
      case 'int16':
        a.int16(path);
        return;
      case 'uint16':
        a.take(2, path, 'uint16', (at) => a.bytes.readUInt16BE(at));
        return;
      case 'int32':
        a.int32(path);
        return;
      case 'int64':
        a.int64(path);
        return;
      case 'float64':
        a.take(8, path, 'float64', (at) => a.bytes.readDoubleBE(at));
        return;
      case 'uuid':
        a.take(16, path, 'uuid', (at) => a.bytes.toString('base64url', at, at + 16));
        return;
      case 'string':
      case 'bytes':
      case 'records': {
        const length = this.length(type === 'string', this.flexible && field.compact, `${path}.length`);
        if (length >= 0) this.content(type, path, length);
        else if (!nullable) throw new AnnotationError(`${path} is null, which it may not be`);
      }
    }
  }

  private length(short: boolean, compact: boolean, path: string): number {
    if (compact) return this.a.uvarint(path, 'uvarint length, plus 1', -1);
    return short ? this.a.int16(path, 'int16 length') : this.a.int32(path, 'int32 length');
  }

  private content(type: 'string' | 'bytes' | 'records', path: string, length: number): void {
    const { a } = this;
    if (type === 'string') a.text(length, path, 'string');
    else if (type === 'bytes') a.raw(length, path, 'bytes');
    else if (a.position + length > a.end) a.raw(length, path, 'records');
    else annotateRecords(a, a.position + length, path);
  }
}
