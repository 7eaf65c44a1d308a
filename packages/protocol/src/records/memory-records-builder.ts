import { invariant } from '@klassic/common';
import { compress } from './compression.ts';
import { RECORD_BATCH_OVERHEAD, writeDefaultBatchHeader } from './default-record-batch.ts';
import { sizeOfRecordBody, writeRecord } from './default-record.ts';
import { sizeOfLegacyRecord, writeLegacyRecord } from './legacy-record.ts';
import { IllegalRecordsError } from './record-errors.ts';
import { NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP } from './types.ts';
import type { BatchTimestampType, CompressionType, Magic, SimpleRecord } from './types.ts';
import { sizeOfVarint } from './varint.ts';

const INT32_MAX = 2 ** 31 - 1;

/** Room for the codec's worst case when the producer foresees a batch's size. */
const COMPRESSION_RATE_ESTIMATION_FACTOR = 1.05;

const FIRST_CAPACITY = 512;

export interface ProducerState {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
}

/** Every field may be left out; the defaults make a plain batch of magic 2 from offset 0. */
export interface MemoryRecordsBuilderOptions extends Partial<ProducerState> {
  readonly magic?: Magic;
  readonly compression?: CompressionType;
  readonly timestampType?: BatchTimestampType;
  /** The time of every record under LogAppendTime (ms). */
  readonly logAppendTime?: number;
  readonly baseOffset?: number;
  readonly isControlBatch?: boolean;
  readonly partitionLeaderEpoch?: number;
  /** Bytes from which the batch counts as full (the producer's `batch.size`); the first record always fits. */
  readonly writeLimit?: number;
}

/** What a batch says about its timestamps. */
export interface RecordsInfo {
  readonly maxTimestamp: number;
  /** The offset that finds the batch with the largest timestamp. */
  readonly offsetOfMaxTimestamp: number;
}

/** Gathers records and makes a batch of magic 2, or a message set of magic 0 or 1, of them (MemoryRecordsBuilder). */
export class MemoryRecordsBuilder {
  readonly magic: Magic;
  readonly compression: CompressionType;
  readonly timestampType: BatchTimestampType;
  readonly baseOffset: number;
  readonly isControlBatch: boolean;
  private readonly logAppendTime: number;
  private readonly partitionLeaderEpoch: number;
  private readonly writeLimit: number;
  private readonly headerSize: number;
  private state: ProducerState;

  private bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  private end: number;
  private count = 0;
  private last: number | null = null;
  private firstTimestamp = NO_TIMESTAMP;
  private maxTimestamp = NO_TIMESTAMP;
  private offsetOfMaxTimestamp = -1;
  private estimatedRatio = 1;
  private actualRatio = 1;
  /** The records are complete: compressed when they are to be, behind room for the header. */
  private sealed: Buffer | null = null;
  private built: Buffer | null = null;
  private aborted = false;

  constructor(options: MemoryRecordsBuilderOptions = {}) {
    this.magic = options.magic ?? 2;
    this.compression = options.compression ?? 'none';
    this.timestampType = options.timestampType ?? 'CreateTime';
    this.baseOffset = options.baseOffset ?? 0;
    this.isControlBatch = options.isControlBatch ?? false;
    this.logAppendTime = options.logAppendTime ?? NO_TIMESTAMP;
    this.partitionLeaderEpoch = options.partitionLeaderEpoch ?? NO_PARTITION_LEADER_EPOCH;
    this.writeLimit = options.writeLimit ?? INT32_MAX;
    this.state = {
      producerId: options.producerId ?? NO_PRODUCER_ID,
      producerEpoch: options.producerEpoch ?? NO_PRODUCER_EPOCH,
      baseSequence: options.baseSequence ?? NO_SEQUENCE,
      isTransactional: options.isTransactional ?? false,
    };
    invariant(this.magic === 0 || this.timestampType !== 'NoTimestampType', 'magic 1 and 2 have timestamps');
    invariant(
      this.magic === 2 || !(this.state.isTransactional || this.isControlBatch || this.compression === 'zstd'),
      `magic ${this.magic} knows neither transactions, control records nor zstd`,
    );
    this.headerSize = headerSizeOf(this.magic, this.compression);
    this.end = this.headerSize;
  }

  get numRecords(): number {
    return this.count;
  }

  /** Of the last batch built: bytes after over bytes before compression. */
  get compressionRatio(): number {
    return this.actualRatio;
  }

  /** Bytes with the header, before compression. */
  get uncompressedBytesWritten(): number {
    return this.end;
  }

  get producerState(): ProducerState {
    return this.state;
  }

  get lastOffset(): number | null {
    return this.last;
  }

  get isClosed(): boolean {
    return this.built !== null;
  }

  /** True once `writeLimit` is reached (or the batch is closed to records). */
  get isFull(): boolean {
    return this.sealed !== null || (this.count > 0 && this.writeLimit <= this.estimatedBytesWritten());
  }

  /** Exact when closed; before that a guess by {@link setEstimatedCompressionRatio}. */
  get estimatedSizeInBytes(): number {
    return this.built?.length ?? this.estimatedBytesWritten();
  }

  setEstimatedCompressionRatio(ratio: number): void {
    this.estimatedRatio = ratio;
  }

  /** Whether one more record stays below `writeLimit`; the first always does. */
  hasRoomFor(record: SimpleRecord): boolean {
    if (this.isFull) return false;
    if (this.count === 0) return true;
    return this.writeLimit >= this.estimatedBytesWritten() + this.sizeOf(record, this.nextOffset);
  }

  /** Appends at the offset after the last one. Throws like {@link appendWithOffset}. */
  append(record: SimpleRecord): void {
    this.appendWithOffset(this.nextOffset, record);
  }

  /**
   * Appends a record; offsets must rise.
   *
   * @throws IllegalRecordsError when this format cannot hold it: headers before magic 2, a negative timestamp other
   * than -1, an offset more than 2^31-1 behind the base
   */
  appendWithOffset(offset: number, record: SimpleRecord): void {
    invariant(this.sealed === null && !this.aborted, 'the batch is closed for record appends');
    const { timestamp } = record;
    if (this.last !== null && offset <= this.last) {
      throw new IllegalRecordsError(
        `Illegal offset ${offset} following previous offset ${this.last} (Offsets must increase monotonically).`,
      );
    }
    if (timestamp < 0 && timestamp !== NO_TIMESTAMP) {
      throw new IllegalRecordsError(`Invalid negative timestamp ${timestamp}`);
    }
    if (this.magic < 2 && record.headers !== undefined && record.headers.length > 0) {
      throw new IllegalRecordsError(`Magic v${this.magic} does not support record headers`);
    }
    if (offset - this.baseOffset > INT32_MAX) {
      throw new IllegalRecordsError(
        `Maximum offset delta exceeded, base offset: ${this.baseOffset}, last offset: ${offset}`,
      );
    }
    if (this.count === 0) this.firstTimestamp = timestamp;
    const written = this.magic === 2 ? this.writeDefault(offset, record) : this.writeLegacy(offset, record);
    this.count++;
    this.last = offset;
    if (this.magic > 0 && written > this.maxTimestamp) {
      this.maxTimestamp = written;
      this.offsetOfMaxTimestamp = offset;
    }
  }

  /** Sets what the producer knows only when it sends the batch. */
  setProducerState(state: ProducerState): void {
    invariant(this.built === null, 'the producer state of a closed batch is not to change');
    this.state = state;
  }

  /** Opens a closed batch once more for another producer state (a new epoch); its records stay as they are. */
  reopenAndRewriteProducerState(state: ProducerState): void {
    invariant(!this.aborted, 'an aborted batch is not reopened');
    this.built = null;
    this.state = state;
  }

  /** Lets the batch end at an offset of its own, as compaction keeps it (magic 2). */
  overrideLastOffset(offset: number): void {
    invariant(this.built === null, 'the last offset of a closed batch is not to change');
    this.last = offset;
  }

  /** Takes no more records: what is to be compressed is compressed now. */
  closeForRecordAppends(): void {
    if (this.sealed !== null) return;
    const records = this.bytes.subarray(this.headerSize, this.end);
    if (this.compression === 'none' || this.count === 0) {
      this.sealed = this.bytes.subarray(0, this.end);
      return;
    }
    const compressed = compress(this.compression, records, this.magic);
    this.actualRatio = compressed.length / records.length;
    this.sealed =
      this.magic === 2 ? Buffer.concat([Buffer.alloc(this.headerSize), compressed]) : this.wrapper(compressed);
  }

  /** Gives the batch up: it is never built. */
  abort(): void {
    this.closeForRecordAppends();
    this.aborted = true;
  }

  /**
   * Closes the batch. A batch without records is no bytes.
   *
   * @throws IllegalRecordsError when producer id, epoch and sequence do not go together
   */
  build(): Buffer {
    invariant(!this.aborted, 'an aborted batch is not built');
    if (this.built !== null) return this.built;
    this.checkProducerState();
    this.closeForRecordAppends();
    const sealed = this.sealed;
    invariant(sealed !== null, 'closed for appends');
    if (this.count === 0) return (this.built = Buffer.alloc(0));
    if (this.magic === 2) {
      writeDefaultBatchHeader(sealed, {
        ...this.state,
        baseOffset: this.baseOffset,
        lastOffsetDelta: this.lastOrBase - this.baseOffset,
        partitionLeaderEpoch: this.partitionLeaderEpoch,
        compression: this.compression,
        timestampType: this.timestampType === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
        firstTimestamp: this.firstTimestamp,
        maxTimestamp: this.timestampType === 'LogAppendTime' ? this.logAppendTime : this.maxTimestamp,
        isControlBatch: this.isControlBatch,
        recordsCount: this.count,
      });
    }
    return (this.built = sealed);
  }

  /** What the log's time index is to know of the batch. */
  info(): RecordsInfo {
    const isBatch = this.compression !== 'none' || this.magic === 2;
    if (this.timestampType === 'LogAppendTime') {
      return {
        maxTimestamp: this.logAppendTime,
        offsetOfMaxTimestamp: isBatch ? this.lastOrBase : this.baseOffset,
      };
    }
    if (isBatch || this.maxTimestamp === NO_TIMESTAMP) {
      return { maxTimestamp: this.maxTimestamp, offsetOfMaxTimestamp: this.lastOrBase };
    }
    return { maxTimestamp: this.maxTimestamp, offsetOfMaxTimestamp: this.offsetOfMaxTimestamp };
  }

  private get nextOffset(): number {
    return this.last === null ? this.baseOffset : this.last + 1;
  }

  private get lastOrBase(): number {
    return this.last ?? this.baseOffset;
  }

  private estimatedBytesWritten(): number {
    if (this.compression === 'none') return this.end;
    const records = this.end - this.headerSize;
    return this.headerSize + Math.trunc(records * this.estimatedRatio * COMPRESSION_RATE_ESTIMATION_FACTOR);
  }

  private sizeOf(record: SimpleRecord, offset: number): number {
    if (this.magic < 2) return sizeOfLegacyRecord(this.magic, record.key, record.value);
    const first = this.count === 0 ? record.timestamp : this.firstTimestamp;
    const body = sizeOfRecordBody(offset - this.baseOffset, record.timestamp - first, record);
    return sizeOfVarint(body) + body;
  }

  private writeDefault(offset: number, record: SimpleRecord): number {
    const offsetDelta = offset - this.baseOffset;
    const timestampDelta = record.timestamp - this.firstTimestamp;
    const body = sizeOfRecordBody(offsetDelta, timestampDelta, record);
    this.makeRoom(body + 5);
    this.end = writeRecord(this.bytes, this.end, body, offsetDelta, timestampDelta, record);
    return record.timestamp;
  }

  private writeLegacy(offset: number, record: SimpleRecord): number {
    const { key, value } = record;
    const timestamp = this.timestampType === 'LogAppendTime' ? this.logAppendTime : record.timestamp;
    this.makeRoom(sizeOfLegacyRecord(this.magic, key, value));
    this.end = writeLegacyRecord(this.bytes, this.end, {
      magic: this.magic,
      // Inside a compressed message of magic 1 offsets count from 0 (KIP-31).
      offset: this.magic === 1 && this.compression !== 'none' ? offset - this.baseOffset : offset,
      timestamp,
      compression: 'none',
      timestampType: this.timestampType,
      key,
      value,
    });
    return timestamp;
  }

  private wrapper(compressed: Buffer): Buffer {
    const bytes = Buffer.allocUnsafe(sizeOfLegacyRecord(this.magic, null, compressed));
    writeLegacyRecord(bytes, 0, {
      magic: this.magic,
      offset: this.lastOrBase,
      timestamp: this.timestampType === 'LogAppendTime' ? this.logAppendTime : this.maxTimestamp,
      compression: this.compression,
      timestampType: this.timestampType,
      key: null,
      value: compressed,
    });
    return bytes;
  }

  private makeRoom(bytes: number): void {
    const needed = this.end + bytes;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.end);
    this.bytes = grown;
  }

  private checkProducerState(): void {
    const { producerId, producerEpoch, baseSequence, isTransactional } = this.state;
    const wrong =
      producerId === NO_PRODUCER_ID
        ? isTransactional && 'Cannot write transactional messages without a valid producer ID'
        : (producerEpoch === NO_PRODUCER_EPOCH && 'Invalid negative producer epoch') ||
          (baseSequence < 0 && !this.isControlBatch && 'Invalid negative sequence number used') ||
          (this.magic < 2 && `Idempotent messages are not supported for magic ${this.magic}`);
    if (wrong !== false) throw new IllegalRecordsError(wrong);
  }
}

/** Bytes in front of the records: the header of magic 2, or the message that wraps compressed older ones. */
function headerSizeOf(magic: Magic, compression: CompressionType): number {
  if (magic === 2) return RECORD_BATCH_OVERHEAD;
  return compression === 'none' ? 0 : sizeOfLegacyRecord(magic, null, null);
}

/** Everything of a batch in one call; see {@link MemoryRecordsBuilder} for the defaults. */
export interface BatchOptions extends Omit<MemoryRecordsBuilderOptions, 'writeLimit'> {
  readonly records: Iterable<SimpleRecord>;
}

/** A batch of magic 2, or a message set of magic 0 or 1, at consecutive offsets. Throws like the builder's append. */
export function buildBatch(options: BatchOptions): Buffer {
  const builder = new MemoryRecordsBuilder(options);
  for (const record of options.records) builder.append(record);
  return builder.build();
}
