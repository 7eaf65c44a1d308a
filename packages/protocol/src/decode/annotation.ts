/** One range of bytes and what it says. */
export interface Annotation {
  /** Where it starts, in bytes from the start of what was given. */
  readonly offset: number;
  /** Bytes; 0 for a structure's heading. */
  readonly length: number;
  /** How deep it stands in structures and arrays. */
  readonly depth: number;
  /** The field with all it stands in: `topics[0].partitions[1].fetchOffset`. */
  readonly path: string;
  /** `int32`, `compact string`, `array length`, `varint` … */
  readonly type: string;
  /** The value; int64 beyond 2^53 and bytes as text. */
  readonly value: string | number | boolean | null;
}

/** Bytes with the ranges that were understood, in order. */
export interface AnnotatedBytes {
  readonly bytes: Buffer;
  readonly annotations: readonly Annotation[];
  /** Why the rest was not understood; null when all was. */
  readonly problem: string | null;
}

/** What ends an annotation early: the ranges before it are kept. */
export class AnnotationError extends Error {}

/** Names the bytes of a buffer one after the other. */
export class Annotator {
  readonly bytes: Buffer;
  readonly annotations: Annotation[] = [];
  position: number;
  end: number;
  private depth = 0;

  constructor(bytes: Buffer, position = 0) {
    this.bytes = bytes;
    this.position = position;
    this.end = bytes.length;
  }

  /** Notes the next `length` bytes and moves behind them; returns where they start. */
  take(length: number, path: string, type: string, value: (at: number) => Annotation['value']): number {
    const at = this.position;
    if (length < 0 || at + length > this.end) {
      throw new AnnotationError(`${path} (${type}) wants ${length} bytes at ${at}, but ${this.end - at} are left`);
    }
    this.position = at + length;
    this.annotations.push({ offset: at, length, depth: this.depth, path, type, value: value(at) });
    return at;
  }

  /** A heading for what follows, one step deeper. */
  inside(path: string, type: string, body: () => void): void {
    this.annotations.push({ offset: this.position, length: 0, depth: this.depth, path, type, value: null });
    this.depth++;
    try {
      body();
    } finally {
      this.depth--;
    }
  }

  int8(path: string, type = 'int8'): number {
    return this.bytes.readInt8(this.take(1, path, type, (at) => this.bytes.readInt8(at)));
  }

  int16(path: string, type = 'int16'): number {
    return this.bytes.readInt16BE(this.take(2, path, type, (at) => this.bytes.readInt16BE(at)));
  }

  int32(path: string, type = 'int32'): number {
    return this.bytes.readInt32BE(this.take(4, path, type, (at) => this.bytes.readInt32BE(at)));
  }

  uint32(path: string, type: string): number {
    const hex = (at: number) => `0x${this.bytes.readUInt32BE(at).toString(16).padStart(8, '0')}`;
    return this.bytes.readUInt32BE(this.take(4, path, type, hex));
  }

  int64(path: string): void {
    this.take(8, path, 'int64', (at) => {
      const value = this.bytes.readBigInt64BE(at);
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    });
  }

  /** An unsigned varint; `shift` is added to the value shown (compact lengths are one more than they say). */
  uvarint(path: string, type: string, shift = 0): number {
    const value = this.varintValue(5);
    this.take(value.length, path, type, () => Number(value.bits) + shift);
    return Number(value.bits) + shift;
  }

  /** A zigzag varint, of 32 or 64 bits. */
  varint(path: string, type: 'varint' | 'varlong'): number {
    const { bits, length } = this.varintValue(type === 'varint' ? 5 : 10);
    const value = Number((bits >> 1n) ^ -(bits & 1n));
    this.take(length, path, type, () => value);
    return value;
  }

  private varintValue(most: number): { bits: bigint; length: number } {
    let bits = 0n;
    for (let i = 0; i < most && this.position + i < this.end; i++) {
      const byte = this.bytes.readUInt8(this.position + i);
      bits |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return { bits, length: i + 1 };
    }
    throw new AnnotationError(`The varint at ${this.position} does not end`);
  }

  text(length: number, path: string, type: string): void {
    this.take(length, path, type, (at) => this.bytes.toString('utf8', at, at + length));
  }

  /** Bytes as text where they are printable ASCII, else in hex; long ones by their beginning. */
  raw(length: number, path: string, type: string): void {
    this.take(length, path, type, (at) => shownBytes(this.bytes.subarray(at, at + length)));
  }

  finish(problem: string | null): AnnotatedBytes {
    const left = this.bytes.length - this.position;
    if (left > 0 && problem === null) this.raw(left, '(bytes that follow)', 'bytes');
    return { bytes: this.bytes, annotations: this.annotations, problem };
  }
}

const MOST_SHOWN = 48;

function shownBytes(bytes: Buffer): string {
  const head = bytes.subarray(0, MOST_SHOWN);
  const more = bytes.length > MOST_SHOWN ? ` … (${bytes.length} bytes)` : '';
  const printable = bytes.length > 0 && head.every((byte) => byte >= 0x20 && byte < 0x7f);
  return (printable ? `"${head.toString('latin1')}"` : head.toString('hex')) + more;
}

/** Runs `body` and keeps what it annotated even where it fails on the bytes. */
export function annotated(annotator: Annotator, body: () => void): AnnotatedBytes {
  try {
    body();
    return annotator.finish(null);
  } catch (error) {
    if (!(error instanceof AnnotationError)) throw error;
    return annotator.finish(error.message);
  }
}
