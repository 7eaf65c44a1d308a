import { Int64RangeError, MalformedMessageError } from '../protocol-error.ts';
import type { RawTaggedField } from '../schema/index.ts';
import { ZERO_UUID } from '../schema/layout.ts';

const TWO_TO_32 = 0x1_0000_0000;

const EMPTY = Buffer.alloc(0);

/** Strings up to this many bytes are put together here: the call into the runtime would take longer. */
const SHORT_STRING = 12;

/** An int64 as an exact number. @throws Int64RangeError */
export function int64At(view: DataView, at: number): number {
  const high = view.getInt32(at);
  const low = view.getUint32(at + 4);
  if (high === 0) return low;
  const value = high * TWO_TO_32 + low;
  if (high >= -0x20_0000 && high < 0x20_0000 && Number.isSafeInteger(value)) return value;
  throw new Int64RangeError(`The int64 ${view.getBigInt64(at)} is beyond ±(2^53 - 1)`);
}

/** A place in the bytes of a message. Every read is checked against the end. */
export class BinaryReader {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly end: number;
  position: number;

  constructor(bytes: Buffer, position = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.end = bytes.length;
    this.position = position;
  }

  /** Moves on by so many bytes; returns where they start. @throws MalformedMessageError */
  take(size: number): number {
    const at = this.position;
    const next = at + size;
    if (next > this.end) {
      throw new MalformedMessageError(`${size} bytes are wanted at ${at}, but the message ends at ${this.end}`);
    }
    this.position = next;
    return at;
  }

  /** An unsigned varint of at most five bytes (KIP-482). @throws MalformedMessageError */
  uvarint(): number {
    let byte = this.view.getUint8(this.take(1));
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift <= 28; shift += 7) {
      byte = this.view.getUint8(this.take(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MalformedMessageError(`The varint before ${this.position} has more than five bytes`);
  }

  /** A length of two bytes, or compact. -1 stands for null. */
  private shortLength(compact: boolean): number {
    return compact ? this.uvarint() - 1 : this.view.getInt16(this.take(2));
  }

  private longLength(compact: boolean): number {
    return compact ? this.uvarint() - 1 : this.view.getInt32(this.take(4));
  }

  nullableString(compact: boolean): string | null {
    const length = this.shortLength(compact);
    if (length < 0) return null;
    if (length > 0x7fff) throw new MalformedMessageError(`A string of ${length} bytes before ${this.position}`);
    const at = this.take(length);
    if (length > SHORT_STRING) return this.bytes.toString('utf8', at, at + length);
    let text = '';
    for (let i = at; i < at + length; i++) {
      const code = this.view.getUint8(i);
      if (code >= 0x80) return this.bytes.toString('utf8', at, at + length);
      text += String.fromCharCode(code);
    }
    return text;
  }

  string(compact: boolean): string {
    return this.nullableString(compact) ?? this.unexpectedNull();
  }

  nullableBytes(compact: boolean): Buffer | null {
    const length = this.longLength(compact);
    if (length < 0) return null;
    if (length === 0) return EMPTY;
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  bytesField(compact: boolean): Buffer {
    return this.nullableBytes(compact) ?? this.unexpectedNull();
  }

  uuid(): string {
    const at = this.take(16);
    const { view } = this;
    if ((view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12)) === 0) {
      return ZERO_UUID;
    }
    return this.bytes.toString('base64url', at, at + 16);
  }

  /**
   * The length of an array, -1 for null. It is refused when the rest of the message cannot hold so many elements.
   *
   * @param elementSize the fewest bytes an element can take
   */
  nullableArrayLength(compact: boolean, elementSize: number): number {
    const length = this.longLength(compact);
    if (length < 0) return -1;
    if (length * elementSize > this.end - this.position) {
      throw new MalformedMessageError(
        `An array of ${length} elements before ${this.position}, but only ${this.end - this.position} bytes follow`,
      );
    }
    return length;
  }

  arrayLength(compact: boolean, elementSize: number): number {
    const length = this.nullableArrayLength(compact, elementSize);
    return length < 0 ? this.unexpectedNull() : length;
  }

  /** The elements of an int32 array. Replicas are few: literals are made without a call into the runtime. */
  int32s(length: number): number[] {
    if (length === 0) return [];
    const at = this.take(4 * length);
    const { view } = this;
    switch (length) {
      case 1:
        return [view.getInt32(at)];
      case 2:
        return [view.getInt32(at), view.getInt32(at + 4)];
      case 3:
        return [view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8)];
      default: {
        const values = new Array<number>(length);
        for (let i = 0; i < length; i++) values[i] = view.getInt32(at + 4 * i);
        return values;
      }
    }
  }

  /** Takes a tagged field's bytes as they are. */
  rawTaggedField(tag: number, size: number): RawTaggedField {
    const at = this.take(size);
    return { tag, data: this.bytes.subarray(at, at + size) };
  }

  /** A known tagged field has been read: it must be as long as it said. */
  endTaggedField(tag: number, end: number): void {
    if (this.position !== end) {
      throw new MalformedMessageError(`The tagged field ${tag} ends at ${this.position}, not at ${end} as it says`);
    }
  }

  private unexpectedNull(): never {
    throw new MalformedMessageError(`Null before ${this.position} in a field that may not be null`);
  }
}
