import { invariant } from '@klassic/common';
import { decompress } from './compression.ts';
import { readInt64, writeInt64 } from './int64.ts';
import { LegacyRecord, RECORD_OVERHEAD_V0 } from './legacy-record.ts';
import { LOG_OVERHEAD, MAGIC_OFFSET, RecordBatch, SIZE_OFFSET } from './record-batch.ts';
import { CorruptRecordError, IllegalRecordsError, InvalidRecordError } from './record-errors.ts';
import { NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE } from './types.ts';
import type { BatchTimestampType, Magic, TimestampType } from './types.ts';

/** One message of magic 0 or 1: by itself a record, or the compressed wrapper of others (AbstractLegacyRecordBatch). */
export class LegacyRecordBatch extends RecordBatch {
  private readonly record: LegacyRecord;

  /** @throws CorruptRecordError when the size is too small for its magic */
  constructor(buffer: Buffer, position: number) {
    super(buffer, position);
    this.record = new LegacyRecord(buffer, position, 0, null);
  }

  get magic(): Magic {
    return this.buffer[this.position + MAGIC_OFFSET] === 0 ? 0 : 1;
  }

  /** Of a compressed message the first inner offset: it has to be decompressed to know. */
  get baseOffset(): number {
    return this.isCompressed ? this.deepRecords()[0]!.offset : this.lastOffset;
  }

  get lastOffset(): number {
    return readInt64(this.buffer, this.position);
  }

  get partitionLeaderEpoch(): number {
    return NO_PARTITION_LEADER_EPOCH;
  }

  get crc(): number {
    return this.record.crc;
  }

  computeCrc(): number {
    return this.record.computeCrc();
  }

  ensureValid(): void {
    this.record.ensureValid();
  }

  get attributes(): number {
    return this.record.attributes;
  }

  get timestampType(): BatchTimestampType {
    return this.record.timestampType;
  }

  get firstTimestamp(): number {
    return this.record.timestamp;
  }

  get maxTimestamp(): number {
    return this.record.timestamp;
  }

  get producerId(): number {
    return NO_PRODUCER_ID;
  }

  get producerEpoch(): number {
    return NO_PRODUCER_EPOCH;
  }

  get baseSequence(): number {
    return NO_SEQUENCE;
  }

  get lastSequence(): number {
    return NO_SEQUENCE;
  }

  get isTransactional(): boolean {
    return false;
  }

  get isControlBatch(): boolean {
    return false;
  }

  get recordsCount(): number {
    return this.isCompressed ? this.deepRecords().length : 1;
  }

  setLastOffset(offset: number): void {
    writeInt64(this.buffer, offset, this.position);
  }

  setPartitionLeaderEpoch(): void {
    invariant(false, 'Magic versions prior to 2 do not support partition leader epoch');
  }

  setMaxTimestamp(type: TimestampType, timestamp: number): void {
    invariant(this.magic > 0, 'Cannot set timestamp for a record with magic = 0');
    this.record.setMaxTimestamp(type, timestamp);
  }

  records(): Iterable<LegacyRecord> {
    return {
      [Symbol.iterator]: () =>
        (this.isCompressed
          ? this.deepRecords()
          : [new LegacyRecord(this.buffer, this.position, this.lastOffset, null)]
        ).values(),
    };
  }

  /**
   * The messages inside a compressed one. Magic 1 counts their offsets from 0 and gives the wrapper the last absolute
   * one; some versions of librdkafka left that at 0 (KIP-31).
   *
   * @throws RecordsError when the wrapper does not hold what it should
   */
  private deepRecords(): LegacyRecord[] {
    const { compression, magic, lastOffset } = this;
    if (compression === 'zstd') {
      throw new InvalidRecordError(`Invalid wrapper compressionType found in legacy deep record iterator ${magic}`);
    }
    const value = this.record.value;
    if (value === null) {
      throw new InvalidRecordError(`Found invalid compressed record set with null value (magic = ${magic})`);
    }
    const bytes = decompress(compression, value, magic);
    const positions = innerPositions(bytes);
    const last = positions.at(-1);
    if (last === undefined) throw new InvalidRecordError('Found invalid compressed record set with no inner records');
    const lastInner = readInt64(bytes, last);
    if (magic === 1 && lastOffset !== 0 && lastOffset < lastInner) {
      throw new InvalidRecordError(
        `Found invalid wrapper offset in compressed v1 message set, wrapper offset '${lastOffset}' is less than ` +
          `the last inner message offset '${lastInner}' and it is not zero.`,
      );
    }
    const base = magic === 1 && lastOffset !== 0 ? lastOffset - lastInner : 0;
    return positions.map((position) => {
      const offset = base + readInt64(bytes, position);
      const record = new LegacyRecord(bytes, position, offset, this.record);
      if (record.compression !== 'none') throw new InvalidRecordError('Inner messages must not be compressed');
      return record;
    });
  }
}

function innerPositions(bytes: Buffer): number[] {
  const positions: number[] = [];
  let at = 0;
  while (bytes.length - at >= LOG_OVERHEAD) {
    const size = bytes.readInt32BE(at + SIZE_OFFSET);
    if (size < RECORD_OVERHEAD_V0) {
      throw new CorruptRecordError(`Record size is less than the minimum record overhead (${RECORD_OVERHEAD_V0})`);
    }
    if (bytes.length - at - LOG_OVERHEAD < size) break;
    const magic = bytes.readInt8(at + MAGIC_OFFSET);
    if (magic !== 0 && magic !== 1) throw new IllegalRecordsError(`Invalid magic ${magic} of an inner message`);
    positions.push(at);
    at += LOG_OVERHEAD + size;
  }
  return positions;
}
