import { crc32 } from './crc.ts';
import { NO_HEADERS } from './default-record.ts';
import { readTimestamp, writeInt64 } from './int64.ts';
import { compressionTypeId, compressionTypeOf, LOG_OVERHEAD, SIZE_OFFSET } from './record-batch.ts';
import { CorruptRecordError, IllegalRecordsError } from './record-errors.ts';
import { NO_SEQUENCE, NO_TIMESTAMP } from './types.ts';
import type { BatchTimestampType, CompressionType, KafkaRecord, Magic, RecordHeader, TimestampType } from './types.ts';

// A message of magic 0 or 1, counted from its offset and size; only magic 1 has the timestamp (KIP-32).
const CRC_OFFSET = LOG_OVERHEAD;
const MAGIC_OFFSET = LOG_OVERHEAD + 4;
const ATTRIBUTES_OFFSET = LOG_OVERHEAD + 5;
const TIMESTAMP_OFFSET = LOG_OVERHEAD + 6;
const KEY_OFFSET_V0 = LOG_OVERHEAD + 6;
const KEY_OFFSET_V1 = LOG_OVERHEAD + 14;

/** CRC, magic, attributes and two lengths: no message is smaller. */
export const RECORD_OVERHEAD_V0 = 14;
export const RECORD_OVERHEAD_V1 = 22;

const LOG_APPEND_TIME_MASK = 0x08;

/** A message of magic 0 or 1 in `buffer`, seen as a record. A wrapper's inner messages take their times from it. */
export class LegacyRecord implements KafkaRecord {
  readonly offset: number;
  readonly sequence = NO_SEQUENCE;
  readonly headers: readonly RecordHeader[] = NO_HEADERS;
  private readonly buffer: Buffer;
  private readonly position: number;
  private readonly wrapper: LegacyRecord | null;

  /**
   * @param position where its offset stands
   * @param offset its own, which inside a compressed message of magic 1 is not the one written there
   * @throws CorruptRecordError when the size is too small for its magic
   */
  constructor(buffer: Buffer, position: number, offset: number, wrapper: LegacyRecord | null) {
    this.buffer = buffer;
    this.position = position;
    this.offset = offset;
    this.wrapper = wrapper;
    const size = this.sizeInBytes - LOG_OVERHEAD;
    const least = this.magic === 0 ? RECORD_OVERHEAD_V0 : RECORD_OVERHEAD_V1;
    if (size < least) {
      throw new CorruptRecordError(
        `Record is corrupt (crc could not be retrieved as the record is too small, size = ${size})`,
      );
    }
  }

  /** Size with offset and size field included. */
  get sizeInBytes(): number {
    return LOG_OVERHEAD + this.buffer.readInt32BE(this.position + SIZE_OFFSET);
  }

  get crc(): number {
    return this.buffer.readUInt32BE(this.position + CRC_OFFSET);
  }

  computeCrc(): number {
    return crc32(this.buffer, this.position + MAGIC_OFFSET, this.position + this.sizeInBytes);
  }

  /** @throws CorruptRecordError when the stored CRC is not that of the bytes */
  ensureValid(): void {
    const computed = this.computeCrc();
    if (computed !== this.crc) {
      throw new CorruptRecordError(`Record is corrupt (stored crc = ${this.crc}, computed crc = ${computed})`);
    }
  }

  /** 0 or 1, as the reader of the set made sure for the outermost messages. */
  get magic(): number {
    return this.buffer.readInt8(this.position + MAGIC_OFFSET);
  }

  get attributes(): number {
    return this.buffer.readUInt8(this.position + ATTRIBUTES_OFFSET);
  }

  get compression(): CompressionType {
    return compressionTypeOf(this.attributes);
  }

  get timestampType(): BatchTimestampType {
    if (this.magic === 0) return 'NoTimestampType';
    if (this.wrapper !== null) return this.wrapper.timestampType;
    return (this.attributes & LOG_APPEND_TIME_MASK) !== 0 ? 'LogAppendTime' : 'CreateTime';
  }

  get timestamp(): number {
    if (this.magic === 0) return NO_TIMESTAMP;
    if (this.wrapper !== null && this.wrapper.timestampType === 'LogAppendTime') return this.wrapper.timestamp;
    return readTimestamp(this.buffer, this.position + TIMESTAMP_OFFSET);
  }

  get hasKey(): boolean {
    return this.buffer.readInt32BE(this.position + this.keyOffset) >= 0;
  }

  get key(): Buffer | null {
    return this.sized(this.position + this.keyOffset);
  }

  get value(): Buffer | null {
    const keyAt = this.position + this.keyOffset;
    return this.sized(keyAt + 4 + Math.max(this.buffer.readInt32BE(keyAt), 0));
  }

  setMaxTimestamp(type: TimestampType, timestamp: number): void {
    if (this.timestampType === type && this.timestamp === timestamp) return;
    const attributes = this.attributes & ~LOG_APPEND_TIME_MASK;
    const stamped = type === 'LogAppendTime' ? attributes | LOG_APPEND_TIME_MASK : attributes;
    this.buffer.writeUInt8(stamped, this.position + ATTRIBUTES_OFFSET);
    writeInt64(this.buffer, timestamp, this.position + TIMESTAMP_OFFSET);
    this.buffer.writeUInt32BE(this.computeCrc(), this.position + CRC_OFFSET);
  }

  private get keyOffset(): number {
    return this.magic === 0 ? KEY_OFFSET_V0 : KEY_OFFSET_V1;
  }

  /** @throws IllegalRecordsError when the length leaves the message */
  private sized(at: number): Buffer | null {
    const end = this.position + this.sizeInBytes;
    if (at + 4 > end) throw new IllegalRecordsError('A length inside a message leaves it');
    const length = this.buffer.readInt32BE(at);
    if (length < 0) return null;
    if (length > end - at - 4) throw new IllegalRecordsError(`A field of ${length} bytes leaves its message`);
    return this.buffer.subarray(at + 4, at + 4 + length);
  }

  toString(): string {
    const size = (bytes: Buffer | null): number => bytes?.length ?? 0;
    const fields = `magic=${this.magic}, attributes=${this.attributes}, compression=${this.compression}, crc=${this.crc}`;
    const times = this.magic === 0 ? '' : `, ${this.timestampType}=${this.timestamp}`;
    return `LegacyRecordBatch(offset=${this.offset}, Record(${fields}${times}, key=${size(this.key)} bytes, value=${size(this.value)} bytes))`;
  }
}

/** Bytes of a message with its offset and size in front. */
export function sizeOfLegacyRecord(magic: Magic, key: Buffer | null, value: Buffer | null): number {
  const overhead = magic === 0 ? RECORD_OVERHEAD_V0 : RECORD_OVERHEAD_V1;
  return LOG_OVERHEAD + overhead + (key?.length ?? 0) + (value?.length ?? 0);
}

/** A message to be written. */
export interface LegacyMessage {
  readonly magic: Magic;
  readonly offset: number;
  readonly timestamp: number;
  readonly compression: CompressionType;
  readonly timestampType: BatchTimestampType;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Writes a message and its CRC at `at`, in room the caller made; returns where the next one goes. */
export function writeLegacyRecord(bytes: Buffer, at: number, message: LegacyMessage): number {
  const { magic, key, value } = message;
  const size = sizeOfLegacyRecord(magic, key, value);
  writeInt64(bytes, message.offset, at);
  bytes.writeInt32BE(size - LOG_OVERHEAD, at + SIZE_OFFSET);
  bytes[at + MAGIC_OFFSET] = magic;
  const logAppendTime = magic > 0 && message.timestampType === 'LogAppendTime';
  bytes[at + ATTRIBUTES_OFFSET] = compressionTypeId(message.compression) | (logAppendTime ? LOG_APPEND_TIME_MASK : 0);
  if (magic > 0) writeInt64(bytes, message.timestamp, at + TIMESTAMP_OFFSET);
  const valueAt = writeSized(bytes, key, at + (magic === 0 ? KEY_OFFSET_V0 : KEY_OFFSET_V1));
  writeSized(bytes, value, valueAt);
  bytes.writeUInt32BE(crc32(bytes, at + MAGIC_OFFSET, at + size), at + CRC_OFFSET);
  return at + size;
}

function writeSized(bytes: Buffer, value: Buffer | null, at: number): number {
  bytes.writeInt32BE(value?.length ?? -1, at);
  if (value !== null) bytes.set(value, at + 4);
  return at + 4 + (value?.length ?? 0);
}
