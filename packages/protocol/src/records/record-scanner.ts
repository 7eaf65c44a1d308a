import { IllegalRecordsError, InvalidRecordError } from './record-errors.ts';
import { readVarint, readVarlong } from './varint.ts';

const invalidStructure = (): InvalidRecordError => new InvalidRecordError('Found invalid record structure');

/**
 * Walks the records of magic 2 without making an object for any: after each {@link next} the fields describe the record
 * it stands on. The whole structure is checked in the same pass (DefaultRecord.readFrom).
 */
export class RecordScanner {
  readonly bytes: Buffer;
  timestampDelta = 0;
  offsetDelta = 0;
  keyStart = 0;
  /** -1 for a null key. */
  keyLength = 0;
  valueStart = 0;
  /** -1 for a null value. */
  valueLength = 0;
  headersStart = 0;
  headersCount = 0;

  private position: number;
  private readonly end: number;
  private readonly count: number;
  private readonly decompressed: boolean;
  private scanned = 0;
  private bodyStart = 0;

  /**
   * @param end where the records end, exclusive
   * @param count how many there should be
   * @param decompressed how the original reads them decides which error a cut record is
   * @throws InvalidRecordError when `count` is negative
   */
  constructor(bytes: Buffer, start: number, end: number, count: number, decompressed: boolean) {
    if (count < 0) throw new InvalidRecordError(`Found invalid record count ${count} in magic v2 batch`);
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.count = count;
    this.decompressed = decompressed;
  }

  /**
   * Steps to the next record; false after the last.
   *
   * @throws InvalidRecordError when the record or the count is not what it says
   */
  next(): boolean {
    if (this.scanned === this.count) return false;
    const bytes = this.bytes;
    const end = this.startOfBody();
    let at = this.position + 1;

    let raw = bytes[at]!;
    if (raw < 0x80) {
      this.timestampDelta = (raw >>> 1) ^ -(raw & 1);
      at++;
    } else {
      this.timestampDelta = this.varlong(at, end);
      at = this.position;
    }
    raw = bytes[at++]!;
    if (raw >= 0x80) {
      raw = this.varint(at - 1, end);
      at = this.position;
    }
    this.offsetDelta = (raw >>> 1) ^ -(raw & 1);

    raw = bytes[at++]!;
    if (raw >= 0x80) {
      raw = this.varint(at - 1, end);
      at = this.position;
    }
    const keyLength = (raw >>> 1) ^ -(raw & 1);
    this.keyStart = at;
    this.keyLength = keyLength < 0 ? -1 : keyLength;
    if (keyLength > 0) at += keyLength;
    if (at >= end) throw invalidStructure();

    raw = bytes[at++]!;
    if (raw >= 0x80) {
      raw = this.varint(at - 1, end);
      at = this.position;
    }
    const valueLength = (raw >>> 1) ^ -(raw & 1);
    this.valueStart = at;
    this.valueLength = valueLength < 0 ? -1 : valueLength;
    if (valueLength > 0) at += valueLength;
    if (at >= end) throw this.wrongSize(at, end);

    raw = bytes[at++]!;
    if (raw !== 0) {
      if (raw >= 0x80) {
        raw = this.varint(at - 1, end);
        at = this.position;
      }
      at = this.skipHeaders(at, end, (raw >>> 1) ^ -(raw & 1));
    } else {
      this.headersCount = 0;
    }
    if (at !== end) throw this.wrongSize(at, end);

    this.position = at;
    if (++this.scanned === this.count && at !== this.end) {
      throw new InvalidRecordError('Incorrect declared batch size, records still remaining in file');
    }
    return true;
  }

  /** Reads the record's length, leaves `position` at its body and returns where the body ends. */
  private startOfBody(): number {
    let at = this.position;
    if (at >= this.end) throw new InvalidRecordError('Incorrect declared batch size, premature EOF reached');
    let raw = this.bytes[at++]!;
    if (raw >= 0x80) {
      const read = readVarint(this.bytes, at - 1);
      raw = (read.value << 1) ^ (read.value >> 31);
      at = read.next;
    }
    const length = (raw >>> 1) ^ -(raw & 1);
    const end = at + length;
    if (end > this.end) {
      if (this.decompressed) throw new InvalidRecordError('Incorrect declared batch size, premature EOF reached');
      throw new IllegalRecordsError(`A record of ${length} bytes does not fit into its batch`);
    }
    this.position = at;
    this.bodyStart = at;
    // Attributes, two deltas, two lengths and the count of headers take a byte each at least.
    if (length < 6) throw this.wrongSize(at + 6, end);
    return end;
  }

  /** A zigzag varint of several bytes, still in zigzag; leaves `position` behind it. */
  private varint(at: number, end: number): number {
    const bytes = this.bytes;
    let raw = bytes[at]! & 0x7f;
    let byte = bytes[at + 1]!;
    if (byte < 0x80) {
      this.position = at + 2;
      raw |= byte << 7;
    } else {
      raw |= (byte & 0x7f) << 7;
      byte = bytes[at + 2]!;
      if (byte < 0x80) {
        this.position = at + 3;
        raw |= byte << 14;
      } else {
        raw |= (byte & 0x7f) << 14;
        byte = bytes[at + 3]!;
        raw |= (byte & 0x7f) << 21;
        this.position = at + 4;
        if (byte >= 0x80) {
          byte = bytes[at + 4]!;
          if (byte >= 0x80) throw invalidStructure();
          raw |= byte << 28;
          this.position = at + 5;
        }
      }
    }
    if (this.position > end) throw invalidStructure();
    return raw;
  }

  private varlong(at: number, end: number): number {
    const bytes = this.bytes;
    const second = bytes[at + 1]!;
    const third = bytes[at + 2]!;
    if (second < 0x80 || third < 0x80) {
      const raw = (bytes[at]! & 0x7f) | ((second & 0x7f) << 7) | (second < 0x80 ? 0 : third << 14);
      this.position = second < 0x80 ? at + 2 : at + 3;
      if (this.position > end) throw invalidStructure();
      return (raw >>> 1) ^ -(raw & 1);
    }
    const { value, next } = readInside(bytes, at, end);
    this.position = next;
    return value;
  }

  private skipHeaders(start: number, end: number, count: number): number {
    if (count < 0) throw new InvalidRecordError(`Found invalid number of record headers ${count}`);
    if (count > end - start) {
      throw new InvalidRecordError(
        `Found invalid number of record headers. ${count} is larger than the remaining size of the buffer`,
      );
    }
    this.headersStart = start;
    this.headersCount = count;
    let at = start;
    for (let i = 0; i < 2 * count; i++) {
      if (at >= end) throw invalidStructure();
      let raw = this.bytes[at++]!;
      if (raw >= 0x80) {
        raw = this.varint(at - 1, end);
        at = this.position;
      }
      const length = (raw >>> 1) ^ -(raw & 1);
      const isKey = i % 2 === 0;
      if (isKey && length < 0) throw new InvalidRecordError(`Invalid negative header key size ${length}`);
      if (length > 0) at += length;
      if (at > end) throw invalidStructure();
    }
    return at;
  }

  private wrongSize(at: number, end: number): InvalidRecordError {
    const declared = end - this.bodyStart;
    return new InvalidRecordError(
      `Invalid record size: expected to read ${declared} bytes in record payload, but instead read ${at - this.bodyStart}`,
    );
  }
}

function readInside(bytes: Buffer, at: number, end: number): { value: number; next: number } {
  try {
    const read = readVarlong(bytes, at);
    if (read.next <= end) return read;
  } catch (error) {
    if (!(error instanceof IllegalRecordsError)) throw error;
  }
  throw invalidStructure();
}
