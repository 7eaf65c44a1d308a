import { decompress } from './compression.ts';
import { crc32c } from './crc.ts';
import { DefaultRecord } from './default-record.ts';
import type { DeltaBase } from './default-record.ts';
import { readInt64, readTimestamp, writeInt64 } from './int64.ts';
import { compressionTypeId, LOG_OVERHEAD, MAGIC_OFFSET, RecordBatch, SIZE_OFFSET } from './record-batch.ts';
import { CorruptRecordError } from './record-errors.ts';
import { RecordScanner } from './record-scanner.ts';
import { incrementSequence } from './sequence.ts';
import { NO_SEQUENCE } from './types.ts';
import type { CompressionType, KafkaRecord, Magic, TimestampType } from './types.ts';

// The header of magic 2 (KIP-98), each number where the field starts.
const PARTITION_LEADER_EPOCH_OFFSET = 12;
const CRC_OFFSET = 17;
const ATTRIBUTES_OFFSET = 21;
const LAST_OFFSET_DELTA_OFFSET = 23;
const FIRST_TIMESTAMP_OFFSET = 27;
const MAX_TIMESTAMP_OFFSET = 35;
const PRODUCER_ID_OFFSET = 43;
const PRODUCER_EPOCH_OFFSET = 51;
const BASE_SEQUENCE_OFFSET = 53;
const RECORDS_COUNT_OFFSET = 57;
/** Bytes of the header of a batch; the records follow. */
export const RECORD_BATCH_OVERHEAD = 61;

const LOG_APPEND_TIME_MASK = 0x08;
const TRANSACTIONAL_MASK = 0x10;
const CONTROL_MASK = 0x20;

/** A batch of magic 2. */
export class DefaultRecordBatch extends RecordBatch {
  /** @throws CorruptRecordError when the size is too small for a header */
  constructor(buffer: Buffer, position: number) {
    super(buffer, position);
    const size = this.sizeInBytes;
    if (size < RECORD_BATCH_OVERHEAD) {
      throw new CorruptRecordError(
        `Record batch is corrupt (the size ${size} is smaller than the minimum allowed overhead ${RECORD_BATCH_OVERHEAD})`,
      );
    }
  }

  get magic(): Magic {
    return 2;
  }

  get baseOffset(): number {
    return readInt64(this.buffer, this.position);
  }

  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta;
  }

  get lastOffsetDelta(): number {
    return this.buffer.readInt32BE(this.position + LAST_OFFSET_DELTA_OFFSET);
  }

  get partitionLeaderEpoch(): number {
    return this.buffer.readInt32BE(this.position + PARTITION_LEADER_EPOCH_OFFSET);
  }

  get crc(): number {
    return this.buffer.readUInt32BE(this.position + CRC_OFFSET);
  }

  computeCrc(): number {
    return crc32c(this.buffer, this.position + ATTRIBUTES_OFFSET, this.position + this.sizeInBytes);
  }

  ensureValid(): void {
    const computed = this.computeCrc();
    if (computed !== this.crc) {
      throw new CorruptRecordError(`Record is corrupt (stored crc = ${this.crc}, computed crc = ${computed})`);
    }
  }

  get attributes(): number {
    return this.buffer.readInt16BE(this.position + ATTRIBUTES_OFFSET);
  }

  get timestampType(): TimestampType {
    return (this.attributes & LOG_APPEND_TIME_MASK) !== 0 ? 'LogAppendTime' : 'CreateTime';
  }

  get firstTimestamp(): number {
    return readTimestamp(this.buffer, this.position + FIRST_TIMESTAMP_OFFSET);
  }

  get maxTimestamp(): number {
    return readTimestamp(this.buffer, this.position + MAX_TIMESTAMP_OFFSET);
  }

  get producerId(): number {
    return readInt64(this.buffer, this.position + PRODUCER_ID_OFFSET);
  }

  get producerEpoch(): number {
    return this.buffer.readInt16BE(this.position + PRODUCER_EPOCH_OFFSET);
  }

  get baseSequence(): number {
    return this.buffer.readInt32BE(this.position + BASE_SEQUENCE_OFFSET);
  }

  get lastSequence(): number {
    const base = this.baseSequence;
    return base === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(base, this.lastOffsetDelta);
  }

  get isTransactional(): boolean {
    return (this.attributes & TRANSACTIONAL_MASK) !== 0;
  }

  get isControlBatch(): boolean {
    return (this.attributes & CONTROL_MASK) !== 0;
  }

  get recordsCount(): number {
    return this.buffer.readInt32BE(this.position + RECORDS_COUNT_OFFSET);
  }

  setLastOffset(offset: number): void {
    writeInt64(this.buffer, offset - this.lastOffsetDelta, this.position);
  }

  setPartitionLeaderEpoch(epoch: number): void {
    this.buffer.writeInt32BE(epoch, this.position + PARTITION_LEADER_EPOCH_OFFSET);
  }

  setMaxTimestamp(type: TimestampType, timestamp: number): void {
    if (this.timestampType === type && this.maxTimestamp === timestamp) return;
    const attributes = this.attributes & ~LOG_APPEND_TIME_MASK;
    const stamped = type === 'LogAppendTime' ? attributes | LOG_APPEND_TIME_MASK : attributes;
    this.buffer.writeInt16BE(stamped, this.position + ATTRIBUTES_OFFSET);
    writeInt64(this.buffer, timestamp, this.position + MAX_TIMESTAMP_OFFSET);
    this.buffer.writeUInt32BE(this.computeCrc(), this.position + CRC_OFFSET);
  }

  /**
   * A walk over the records that makes no objects.
   *
   * @throws RecordsError when they cannot be decompressed or their count is negative
   */
  scanner(): RecordScanner {
    const start = this.position + RECORD_BATCH_OVERHEAD;
    const end = this.position + this.sizeInBytes;
    const count = this.recordsCount;
    const compression = this.compression;
    if (compression === 'none' || count === 0) {
      return new RecordScanner(this.buffer, start, end, count, false);
    }
    const bytes = decompress(compression, this.buffer.subarray(start, end), 2);
    return new RecordScanner(bytes, 0, bytes.length, count, true);
  }

  /** What the deltas of the records count from. */
  deltaBase(): DeltaBase {
    return {
      offset: this.baseOffset,
      timestamp: this.firstTimestamp,
      sequence: this.baseSequence,
      logAppendTime: this.timestampType === 'LogAppendTime' ? this.maxTimestamp : null,
    };
  }

  records(): Iterable<KafkaRecord> {
    return { [Symbol.iterator]: () => new RecordIterator(this.scanner(), this.deltaBase()) };
  }
}

class RecordIterator implements Iterator<DefaultRecord, undefined> {
  private readonly scanner: RecordScanner;
  private readonly base: DeltaBase;

  constructor(scanner: RecordScanner, base: DeltaBase) {
    this.scanner = scanner;
    this.base = base;
  }

  next(): IteratorResult<DefaultRecord, undefined> {
    if (!this.scanner.next()) return { done: true, value: undefined };
    return { done: false, value: new DefaultRecord(this.scanner, this.base) };
  }
}

/** The fields of a header that {@link writeDefaultBatchHeader} writes. */
export interface DefaultBatchHeader {
  readonly baseOffset: number;
  readonly lastOffsetDelta: number;
  readonly partitionLeaderEpoch: number;
  readonly compression: CompressionType;
  readonly timestampType: TimestampType;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly isControlBatch: boolean;
  readonly recordsCount: number;
}

/** Writes the header, and the CRC, of a batch that fills `bytes` and whose records already stand there. */
export function writeDefaultBatchHeader(bytes: Buffer, header: DefaultBatchHeader): void {
  writeInt64(bytes, header.baseOffset, 0);
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, SIZE_OFFSET);
  bytes.writeInt32BE(header.partitionLeaderEpoch, PARTITION_LEADER_EPOCH_OFFSET);
  bytes[MAGIC_OFFSET] = 2;
  const attributes =
    compressionTypeId(header.compression) |
    (header.timestampType === 'LogAppendTime' ? LOG_APPEND_TIME_MASK : 0) |
    (header.isTransactional ? TRANSACTIONAL_MASK : 0) |
    (header.isControlBatch ? CONTROL_MASK : 0);
  bytes.writeInt16BE(attributes, ATTRIBUTES_OFFSET);
  bytes.writeInt32BE(header.lastOffsetDelta, LAST_OFFSET_DELTA_OFFSET);
  writeInt64(bytes, header.firstTimestamp, FIRST_TIMESTAMP_OFFSET);
  writeInt64(bytes, header.maxTimestamp, MAX_TIMESTAMP_OFFSET);
  writeInt64(bytes, header.producerId, PRODUCER_ID_OFFSET);
  bytes.writeInt16BE(header.producerEpoch, PRODUCER_EPOCH_OFFSET);
  bytes.writeInt32BE(header.baseSequence, BASE_SEQUENCE_OFFSET);
  bytes.writeInt32BE(header.recordsCount, RECORDS_COUNT_OFFSET);
  bytes.writeUInt32BE(crc32c(bytes, ATTRIBUTES_OFFSET), CRC_OFFSET);
}

/** A batch without records, as compaction leaves it to keep a producer's last sequence. `lastOffset` is kept. */
export function emptyBatch(
  header: Omit<DefaultBatchHeader, 'compression' | 'recordsCount' | 'firstTimestamp'>,
): Buffer {
  const bytes = Buffer.alloc(RECORD_BATCH_OVERHEAD);
  writeDefaultBatchHeader(bytes, { ...header, compression: 'none', firstTimestamp: -1, recordsCount: 0 });
  return bytes;
}
