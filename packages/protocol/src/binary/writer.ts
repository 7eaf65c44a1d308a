import { UnencodableValueError } from '../protocol-error.ts';
import { int64, refuse } from '../scalar-checks.ts';
import type { RawTaggedField } from '../schema/index.ts';
import { ZERO_UUID } from '../schema/layout.ts';

/** Small messages are cut from slabs of this many bytes. */
const SLAB_BYTES = 64 * 1024;

/** Record sets above this many bytes are referenced, not copied. */
export const REFERENCE_ABOVE_BYTES = 4096;

const TWO_TO_32 = 0x1_0000_0000;

/** Writes an int64. @throws Int64RangeError, UnencodableValueError */
export function setInt64(view: DataView, at: number, value: unknown): void {
  const exact = int64(value);
  const high = Math.floor(exact / TWO_TO_32);
  view.setInt32(at, high);
  view.setUint32(at + 4, exact - high * TWO_TO_32);
}

/**
 * Where a message is written: a buffer that grows, cut where a large record set is put in between by reference.
 * One message at a time: `begin`, writes, `finish`.
 */
export class BinaryWriter {
  bytes = Buffer.allocUnsafeSlow(SLAB_BYTES);
  view: DataView = new DataView(this.bytes.buffer);
  position = 0;
  private start = 0;
  private chunks: Buffer[] = [];

  /** @param sizeHint how many bytes are likely to be written */
  begin(sizeHint: number): void {
    if (this.position + sizeHint > this.bytes.length) this.allocate(Math.max(SLAB_BYTES, sizeHint));
    this.start = this.position;
    this.chunks = [];
  }

  /** The message in pieces. */
  finish(): Buffer[] {
    const { chunks } = this;
    if (this.position > this.start || chunks.length === 0) {
      chunks.push(this.bytes.subarray(this.start, this.position));
      this.start = this.position;
    }
    this.chunks = [];
    return chunks;
  }

  private allocate(size: number): void {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.view = new DataView(this.bytes.buffer);
    this.position = 0;
  }

  /** Makes room for so many bytes and moves behind them; returns where they start. `view` and `bytes` may be others now. */
  reserve(size: number): number {
    const at = this.position;
    if (at + size > this.bytes.length) return this.grow(size);
    this.position = at + size;
    return at;
  }

  private grow(size: number): number {
    const written = this.bytes.subarray(this.start, this.position);
    this.allocate(Math.max(SLAB_BYTES, 2 * (written.length + size)));
    written.copy(this.bytes);
    this.start = 0;
    this.position = written.length + size;
    return written.length;
  }

  /** An unsigned varint (KIP-482). */
  uvarint(value: number): void {
    if (value < 0x80) {
      // Room first: making it may put another buffer in this one's place, as everywhere below.
      const at = this.reserve(1);
      this.bytes[at] = value;
      return;
    }
    let at = this.reserve(value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[at] = rest;
  }

  /** The length of an array, a byte sequence or a record set; -1 for null. */
  length(value: number, compact: boolean): void {
    if (compact) {
      this.uvarint(value + 1);
      return;
    }
    const at = this.reserve(4);
    this.view.setInt32(at, value);
  }

  nullString(compact: boolean): void {
    if (compact) {
      this.uvarint(0);
      return;
    }
    const at = this.reserve(2);
    this.view.setInt16(at, -1);
  }

  string(value: unknown, compact: boolean): void {
    if (typeof value !== 'string') refuse('string', value);
    const { length } = value;
    // Three bytes a UTF-16 unit at most; what isn't used is given back.
    const at = this.reserve(length < 0x7fff ? 3 + 3 * length : Buffer.byteLength(value) + 3);
    const { bytes } = this;
    // The length in front is of as many bytes as an ASCII string's is: right nearly always.
    const prefix = !compact ? 2 : length < 0x7f ? 1 : length < 0x3fff ? 2 : 3;
    let size = length < 32 ? this.ascii(value, at + prefix) : -1;
    if (size < 0) size = bytes.write(value, at + prefix, 'utf8');
    if (size > 0x7fff) throw new UnencodableValueError(`A string of ${size} bytes: 32767 are the most`);
    this.position = at;
    if (compact) {
      const needed = size < 0x7f ? 1 : size < 0x3fff ? 2 : 3;
      if (needed !== prefix) bytes.copyWithin(at + needed, at + prefix, at + prefix + size);
      this.uvarint(size + 1);
    } else {
      this.view.setInt16(at, size);
      this.position = at + 2;
    }
    this.position += size;
  }

  /** Copies an ASCII string; returns its size, or -1 when it isn't ASCII. */
  private ascii(value: string, at: number): number {
    const { bytes } = this;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return -1;
      bytes[at + i] = code;
    }
    return value.length;
  }

  byteSequence(value: unknown, compact: boolean): void {
    if (!(value instanceof Uint8Array)) refuse('byte sequence', value);
    this.length(value.length, compact);
    const at = this.reserve(value.length);
    this.bytes.set(value, at);
  }

  /** A record set: a large one becomes a piece of its own. */
  records(value: unknown, compact: boolean): void {
    if (!Buffer.isBuffer(value) || value.length <= REFERENCE_ABOVE_BYTES) {
      this.byteSequence(value, compact);
      return;
    }
    this.length(value.length, compact);
    this.chunks.push(this.bytes.subarray(this.start, this.position), value);
    this.start = this.position;
  }

  uuid(value: unknown): void {
    const at = this.reserve(16);
    if (value === ZERO_UUID) {
      this.bytes.fill(0, at, at + 16);
      return;
    }
    if (typeof value !== 'string' || value.length !== 22 || this.bytes.write(value, at, 16, 'base64url') !== 16) {
      refuse('uuid of 22 characters', value);
    }
  }

  /** Opens a tagged field; returns what `endTagged` wants. The size in front is taken for one byte. */
  beginTagged(tag: number): number {
    this.uvarint(tag);
    return this.reserve(1) - this.start;
  }

  endTagged(begun: number): void {
    const from = this.start + begun + 1;
    const size = this.position - from;
    if (size < 0x80) {
      this.bytes[from - 1] = size;
      return;
    }
    const extra = size < 0x4000 ? 1 : size < 0x20_0000 ? 2 : size < 0x1000_0000 ? 3 : 4;
    this.reserve(extra);
    const moved = this.start + begun + 1;
    this.bytes.copyWithin(moved + extra, moved, moved + size);
    this.position = moved - 1;
    this.uvarint(size);
    this.position = moved + extra + size;
  }

  /** Writes the unknown tagged fields from one tag on, below another. */
  unknownTagged(fields: readonly RawTaggedField[], from: number, below: number): void {
    for (const { tag, data } of fields) {
      if (tag < from || tag >= below) continue;
      this.uvarint(tag);
      this.uvarint(data.length);
      const at = this.reserve(data.length);
      this.bytes.set(data, at);
    }
  }
}
