import type { BatchTimestampType, CompressionType, KafkaRecord, Magic, TimestampType } from './types.ts';
import { IllegalRecordsError } from './record-errors.ts';

/** int64 offset and int32 size: what stands before every batch and every message of any format. */
export const LOG_OVERHEAD = 12;
export const SIZE_OFFSET = 8;
export const MAGIC_OFFSET = 16;
export const HEADER_SIZE_UP_TO_MAGIC = 17;

const COMPRESSION_CODEC_MASK = 0x07;

const compressionTypes = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly CompressionType[];

/**
 * The codec that the three lowest bits of the attributes name.
 *
 * @throws IllegalRecordsError for 5, 6 and 7
 */
export function compressionTypeOf(attributes: number): CompressionType {
  const type = compressionTypes[attributes & COMPRESSION_CODEC_MASK];
  if (type === undefined) {
    throw new IllegalRecordsError(`Unknown compression type id: ${attributes & COMPRESSION_CODEC_MASK}`);
  }
  return type;
}

/** The number of a codec in the attributes. */
export function compressionTypeId(type: CompressionType): number {
  return compressionTypes.indexOf(type);
}

/**
 * A view on one batch (magic 2) or on one message of an old message set (magic 0 and 1; a compressed one holds others
 * inside). It reads straight from `buffer` and copies nothing; the setters write there. Getters of int64 fields throw
 * InvalidRecordError or InvalidTimestampError beyond ±2^53.
 */
export abstract class RecordBatch {
  /** What holds the batch, and perhaps others. */
  readonly buffer: Buffer;
  /** Where in `buffer` the batch starts. */
  readonly position: number;

  protected constructor(buffer: Buffer, position: number) {
    this.buffer = buffer;
    this.position = position;
  }

  /** Size with the first twelve bytes (offset and size) included. */
  get sizeInBytes(): number {
    return LOG_OVERHEAD + this.buffer.readInt32BE(this.position + SIZE_OFFSET);
  }

  /** The slice of `buffer` that is this batch. */
  get bytes(): Buffer {
    return this.buffer.subarray(this.position, this.position + this.sizeInBytes);
  }

  /** The offset after {@link lastOffset}. */
  get nextOffset(): number {
    return this.lastOffset + 1;
  }

  /** @throws IllegalRecordsError for a codec id that does not exist */
  get compression(): CompressionType {
    return compressionTypeOf(this.attributes);
  }

  get isCompressed(): boolean {
    return (this.attributes & COMPRESSION_CODEC_MASK) !== 0;
  }

  get hasProducerId(): boolean {
    return this.producerId > -1;
  }

  /** True when the stored CRC is that of the bytes. */
  isValid(): boolean {
    return this.crc === this.computeCrc();
  }

  /** @throws CorruptRecordError when the stored CRC is not that of the bytes */
  abstract ensureValid(): void;

  abstract get magic(): Magic;
  /** The offset of the first record, kept in magic 2 also when compaction removed that record. */
  abstract get baseOffset(): number;
  abstract get lastOffset(): number;
  /** -1 before magic 2. */
  abstract get partitionLeaderEpoch(): number;
  abstract get crc(): number;
  abstract computeCrc(): number;
  abstract get attributes(): number;
  abstract get timestampType(): BatchTimestampType;
  /** Base of the timestamp deltas in magic 2 (the first record's create time, also under LogAppendTime). */
  abstract get firstTimestamp(): number;
  abstract get maxTimestamp(): number;
  abstract get producerId(): number;
  abstract get producerEpoch(): number;
  abstract get baseSequence(): number;
  abstract get lastSequence(): number;
  abstract get isTransactional(): boolean;
  abstract get isControlBatch(): boolean;
  /** Records in the batch; magic 2 as declared, which iteration checks; older formats count what is inside. */
  abstract get recordsCount(): number;

  /** Moves the batch so that its last record has `offset`. Not under the CRC. */
  abstract setLastOffset(offset: number): void;
  /** Only magic 2. Not under the CRC. */
  abstract setPartitionLeaderEpoch(epoch: number): void;
  /** Sets type and maximum (ms), and the CRC when one of them changed. Not for magic 0. */
  abstract setMaxTimestamp(type: TimestampType, timestamp: number): void;

  /**
   * The records, decompressed when they are compressed.
   *
   * @throws RecordsError while iterating, where the bytes are not what they declare
   */
  abstract records(): Iterable<KafkaRecord>;
}
