import { isFlexible } from '../schema/index.ts';
import type { Field, Schema, Struct } from '../schema/index.ts';
import { layoutOf } from '../schema/layout.ts';
import { AnnotationError } from './annotation.ts';
import type { Annotator } from './annotation.ts';
import { annotateRecords } from './batches.ts';

/** Markers with a fixed meaning: name, bytes of the number behind them, and how to read it. */
type Read = (bytes: Buffer, at: number) => number | string | boolean | null;
const NUMBERS: Readonly<Record<number, readonly [name: string, size: number, read: Read]>> = {
  0xc0: ['nil', 0, () => null],
  0xc2: ['bool', 0, () => false],
  0xc3: ['bool', 0, () => true],
  0xca: ['float32', 4, (b, at) => b.readFloatBE(at)],
  0xcb: ['float64', 8, (b, at) => b.readDoubleBE(at)],
  0xcc: ['uint8', 1, (b, at) => b.readUInt8(at)],
  0xcd: ['uint16', 2, (b, at) => b.readUInt16BE(at)],
  0xce: ['uint32', 4, (b, at) => b.readUInt32BE(at)],
  0xcf: ['uint64', 8, (b, at) => String(b.readBigUInt64BE(at))],
  0xd0: ['int8', 1, (b, at) => b.readInt8(at)],
  0xd1: ['int16', 2, (b, at) => b.readInt16BE(at)],
  0xd2: ['int32', 4, (b, at) => b.readInt32BE(at)],
  0xd3: ['int64', 8, (b, at) => String(b.readBigInt64BE(at))],
};

/** Markers in front of a length, by what follows. */
const LENGTHS: Readonly<Record<number, readonly [kind: 'bin' | 'str' | 'array', size: 1 | 2 | 4]>> = {
  0xc4: ['bin', 1],
  0xc5: ['bin', 2],
  0xc6: ['bin', 4],
  0xd9: ['str', 1],
  0xda: ['str', 2],
  0xdb: ['str', 4],
  0xdc: ['array', 2],
  0xdd: ['array', 4],
};

/** Walks MessagePack arrays by the schema whose fields they hold. */
export class MsgpackAnnotator {
  private readonly a: Annotator;

  constructor(annotator: Annotator) {
    this.a = annotator;
  }

  message(schema: Schema, version: number, path: string): void {
    this.struct(schema.body, version, isFlexible(schema, version), path);
  }

  private struct(struct: Struct, version: number, flexible: boolean, path: string): void {
    const { present } = layoutOf(struct, version);
    const count = this.arrayHead(path, `fixarray: ${struct.name}`);
    const at = (name: string) => (path === '' ? name : `${path}.${name}`);
    for (let i = 0; i < count; i++) {
      const slot = present[i];
      if (slot !== undefined) this.field(slot.field, version, flexible, at(slot.name));
      else if (flexible && i === present.length) this.anything(at('(unknown tagged fields)'));
      else throw new AnnotationError(`${struct.name} at ${this.a.position} has ${count} values`);
    }
  }

  private field(field: Field, version: number, flexible: boolean, path: string): void {
    const { type } = field;
    if (this.marker() === 0xc0) {
      this.scalar(path);
      return;
    }
    const one = (at: string) => {
      if (typeof type !== 'string') this.a.inside(at, type.name, () => this.struct(type, version, flexible, at));
      else this.scalar(at, type === 'records');
    };
    if (!field.array) {
      one(path);
      return;
    }
    const count = this.arrayHead(path, 'array');
    for (let i = 0; i < count; i++) one(`${path}[${i}]`);
  }

  private marker(): number {
    const { a } = this;
    if (a.position >= a.end) throw new AnnotationError(`The bytes end at ${a.end}, where a value must be`);
    return a.bytes.readUInt8(a.position);
  }

  /** The head of an array; returns how many values follow. */
  arrayHead(path: string, type: string): number {
    const marker = this.marker();
    if (marker >= 0x90 && marker < 0xa0) {
      this.a.take(1, path, type, () => marker - 0x90);
      return marker - 0x90;
    }
    const [kind, size] = LENGTHS[marker] ?? [];
    if (kind !== 'array') throw new AnnotationError(`${path}: 0x${marker.toString(16)} is no array's marker`);
    return this.lengthBehind(path, `array ${8 * size!}`, size!);
  }

  private lengthBehind(path: string, type: string, size: 1 | 2 | 4): number {
    const { bytes } = this.a;
    const at = this.a.take(1 + size, path, type, (from) =>
      from + 1 + size <= bytes.length ? bytes.readUIntBE(from + 1, size) : null,
    );
    return bytes.readUIntBE(at + 1, size);
  }

  /** Any value that is no array. */
  scalar(path: string, records = false): void {
    const { a } = this;
    const marker = this.marker();
    if (marker < 0x80 || marker >= 0xe0) {
      a.take(1, path, 'fixint', () => (marker < 0x80 ? marker : marker - 0x100));
      return;
    }
    if (marker >= 0xa0 && marker < 0xc0) {
      a.take(1, `${path}.length`, 'fixstr', () => marker - 0xa0);
      a.text(marker - 0xa0, path, 'string');
      return;
    }
    const number = NUMBERS[marker];
    if (number !== undefined) {
      const [name, size, read] = number;
      a.take(1 + size, path, name, (at) => read(a.bytes, at + 1));
      return;
    }
    const [kind, size] = LENGTHS[marker] ?? [];
    if (kind !== 'bin' && kind !== 'str') {
      throw new AnnotationError(`${path}: 0x${marker.toString(16)} is no marker that is sent here`);
    }
    const length = this.lengthBehind(`${path}.length`, `${kind} ${8 * size!}`, size!);
    if (kind === 'str') a.text(length, path, 'string');
    else if (records && a.position + length <= a.end) annotateRecords(a, a.position + length, path);
    else a.raw(length, path, 'bytes');
  }

  private anything(path: string): void {
    const marker = this.marker();
    if ((marker < 0x90 || marker >= 0xa0) && LENGTHS[marker]?.[0] !== 'array') {
      this.scalar(path);
      return;
    }
    const count = this.arrayHead(path, 'array');
    for (let i = 0; i < count; i++) this.anything(`${path}[${i}]`);
  }
}
