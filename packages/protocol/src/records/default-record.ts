import { InvalidTimestampError } from './record-errors.ts';
import type { RecordScanner } from './record-scanner.ts';
import { incrementSequence } from './sequence.ts';
import type { KafkaRecord, RecordHeader, SimpleRecord } from './types.ts';
import { readVarint, sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from './varint.ts';

export const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);

/** Below this many bytes a loop is faster than the call that copies. */
const COPY_BY_HAND_BELOW = 48;

/** What the records of one batch have in common. */
export interface DeltaBase {
  readonly offset: number;
  readonly timestamp: number;
  /** -1 where the batch has no producer id. */
  readonly sequence: number;
  /** The timestamp of every record under LogAppendTime (ms), else null. */
  readonly logAppendTime: number | null;
}

/** A record of magic 2. Key, value and headers are cut from the batch when they are asked for. */
export class DefaultRecord implements KafkaRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly sequence: number;
  private readonly bytes: Buffer;
  private readonly keyStart: number;
  private readonly keyLength: number;
  private readonly valueStart: number;
  private readonly valueLength: number;
  private readonly headersStart: number;
  private readonly headersCount: number;

  /** @throws InvalidTimestampError when base and delta are together beyond ±2^53 */
  constructor(scanner: RecordScanner, base: DeltaBase) {
    this.offset = base.offset + scanner.offsetDelta;
    this.timestamp = base.logAppendTime ?? timestampOf(base.timestamp, scanner.timestampDelta);
    this.sequence = base.sequence < 0 ? -1 : incrementSequence(base.sequence, scanner.offsetDelta);
    this.bytes = scanner.bytes;
    this.keyStart = scanner.keyStart;
    this.keyLength = scanner.keyLength;
    this.valueStart = scanner.valueStart;
    this.valueLength = scanner.valueLength;
    this.headersStart = scanner.headersStart;
    this.headersCount = scanner.headersCount;
  }

  get key(): Buffer | null {
    return this.keyLength < 0 ? null : this.bytes.subarray(this.keyStart, this.keyStart + this.keyLength);
  }

  get value(): Buffer | null {
    return this.valueLength < 0 ? null : this.bytes.subarray(this.valueStart, this.valueStart + this.valueLength);
  }

  get hasKey(): boolean {
    return this.keyLength >= 0;
  }

  get headers(): readonly RecordHeader[] {
    if (this.headersCount === 0) return NO_HEADERS;
    const headers: RecordHeader[] = [];
    let at = this.headersStart;
    for (let i = 0; i < this.headersCount; i++) {
      const key = readVarint(this.bytes, at);
      const keyEnd = key.next + key.value;
      const value = readVarint(this.bytes, keyEnd);
      at = value.next + Math.max(value.value, 0);
      headers.push({
        key: this.bytes.toString('utf8', key.next, keyEnd),
        value: value.value < 0 ? null : this.bytes.subarray(value.next, at),
      });
    }
    return headers;
  }

  toString(): string {
    const { offset, timestamp, keyLength, valueLength } = this;
    return `DefaultRecord(offset=${offset}, timestamp=${timestamp}, key=${Math.max(keyLength, 0)} bytes, value=${Math.max(valueLength, 0)} bytes)`;
  }
}

/** @throws InvalidTimestampError beyond ±2^53 */
export function timestampOf(base: number, delta: number): number {
  const timestamp = base + delta;
  if (timestamp > Number.MAX_SAFE_INTEGER || timestamp < Number.MIN_SAFE_INTEGER) {
    throw new InvalidTimestampError(`The timestamp ${base} + ${delta} is beyond ±2^53 ms`);
  }
  return timestamp;
}

/** Bytes of a record's body, that is without the length in front of it. */
export function sizeOfRecordBody(offsetDelta: number, timestampDelta: number, record: SimpleRecord): number {
  const { key, value, headers = NO_HEADERS } = record;
  let size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta);
  size += sizeOfBytes(key) + sizeOfBytes(value) + sizeOfVarint(headers.length);
  for (const header of headers) {
    const length = Buffer.byteLength(header.key);
    size += sizeOfVarint(length) + length + sizeOfBytes(header.value);
  }
  return size;
}

function sizeOfBytes(bytes: Buffer | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length;
}

/**
 * Writes a record with its length in front, in room the caller made.
 *
 * @param bodySize {@link sizeOfRecordBody} of the same arguments
 * @returns where the next one goes
 */
export function writeRecord(
  bytes: Buffer,
  start: number,
  bodySize: number,
  offsetDelta: number,
  timestampDelta: number,
  record: SimpleRecord,
): number {
  const { key, value, headers = NO_HEADERS } = record;
  let at = writeVarint(bytes, bodySize, start);
  bytes[at++] = 0;
  at = writeVarlong(bytes, timestampDelta, at);
  at = writeVarint(bytes, offsetDelta, at);
  at = writeBytes(bytes, key, at);
  at = writeBytes(bytes, value, at);
  at = writeVarint(bytes, headers.length, at);
  for (const header of headers) {
    at = writeVarint(bytes, Buffer.byteLength(header.key), at);
    at += bytes.write(header.key, at, 'utf8');
    at = writeBytes(bytes, header.value, at);
  }
  return at;
}

function writeBytes(bytes: Buffer, value: Buffer | null, at: number): number {
  if (value === null) {
    bytes[at] = 1;
    return at + 1;
  }
  const start = writeVarint(bytes, value.length, at);
  const length = value.length;
  if (length < COPY_BY_HAND_BELOW) {
    for (let i = 0; i < length; i++) bytes[start + i] = value[i]!;
  } else {
    bytes.set(value, start);
  }
  return start + length;
}
