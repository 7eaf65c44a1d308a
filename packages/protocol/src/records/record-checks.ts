import { InvalidRecordError, RecordValidationError, UnsupportedForMessageFormatError } from './record-errors.ts';
import type { RecordError } from './record-errors.ts';
import type { RecordBatch } from './record-batch.ts';
import { NO_TIMESTAMP } from './types.ts';
import type { AppendOrigin, CompressionType, Magic, TimestampType } from './types.ts';

/** What the log knows when it is to append. */
export interface LogValidatorOptions {
  /** As messages name it: `topic-0`. */
  readonly topicPartition: string;
  /** The offset of the first record appended. */
  readonly startOffset: number;
  /** Wall clock (ms): the time of every record under LogAppendTime. */
  readonly now: number;
  /** The codec of the produced records. */
  readonly sourceCodec: CompressionType;
  /** The codec to keep them in: `compression.type`, or the source's where that is `producer`. */
  readonly targetCodec: CompressionType;
  /** True where `cleanup.policy` has `compact`: every record needs a key. */
  readonly compactedTopic: boolean;
  /** By `message.format.version`. */
  readonly targetMagic: Magic;
  readonly timestampType: TimestampType;
  /** `message.timestamp.difference.max.ms`; only under CreateTime. */
  readonly timestampDiffMaxMs: number;
  readonly partitionLeaderEpoch: number;
  readonly origin: AppendOrigin;
}

/**
 * The rules for a batch as a whole (LogValidator.validateBatch).
 *
 * @throws InvalidRecordError or UnsupportedForMessageFormatError for the first rule broken
 */
export function checkBatch(batch: RecordBatch, firstBatch: RecordBatch, options: LogValidatorOptions): void {
  const { topicPartition, targetMagic } = options;
  if (firstBatch.magic !== batch.magic) {
    throw new InvalidRecordError(
      `Batch magic ${batch.magic} is not the same as the first batch'es magic byte ${firstBatch.magic} in topic partition ${topicPartition}.`,
    );
  }
  if (options.origin === 'Client') checkClientBatch(batch, topicPartition);
  if (targetMagic < 2 && batch.isTransactional) {
    throw new UnsupportedForMessageFormatError(
      `Transactional records cannot be used with magic version ${targetMagic}`,
    );
  }
  if (targetMagic < 2 && batch.hasProducerId) {
    throw new UnsupportedForMessageFormatError(`Idempotent records cannot be used with magic version ${targetMagic}`);
  }
}

function checkClientBatch(batch: RecordBatch, topicPartition: string): void {
  if (batch.magic >= 2) checkCount(batch, topicPartition);
  if (batch.isControlBatch) {
    throw new InvalidRecordError(
      `Clients are not allowed to write control records in topic partition ${topicPartition}.`,
    );
  }
  if (batch.hasProducerId && batch.baseSequence < 0) {
    throw new InvalidRecordError(
      `Invalid sequence number ${batch.baseSequence} in record batch with producerId ${batch.producerId} in topic partition ${topicPartition}.`,
    );
  }
}

function checkCount(batch: RecordBatch, topicPartition: string): void {
  const { baseOffset, lastOffset, recordsCount } = batch;
  const countFromOffsets = lastOffset - baseOffset + 1;
  if (countFromOffsets <= 0) {
    throw new InvalidRecordError(
      `Batch has an invalid offset range: [${baseOffset}, ${lastOffset}] in topic partition ${topicPartition}.`,
    );
  }
  if (recordsCount <= 0) {
    throw new InvalidRecordError(
      `Invalid reported count for record batch: ${recordsCount} in topic partition ${topicPartition}.`,
    );
  }
  if (countFromOffsets !== recordsCount) {
    throw new InvalidRecordError(
      `Inconsistent batch offset range [${baseOffset}, ${lastOffset}] and count of records ${recordsCount} in topic partition ${topicPartition}.`,
    );
  }
}

/** A record as its rules see it; what names it in an error is only asked for when there is one. */
export interface CheckedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly hasKey: boolean;
  toString(): string;
}

/** The rules for each record of one batch; the refused ones are gathered (KIP-467). */
export class RecordChecks {
  private readonly topicPartition: string;
  private readonly compactedTopic: boolean;
  private readonly now: number;
  private readonly maxDifference: number;
  private readonly refusesTimestampType: boolean;
  private readonly refused: RecordError[] = [];
  private invalidTimestamp = false;

  constructor(batch: RecordBatch, options: LogValidatorOptions) {
    this.topicPartition = options.topicPartition;
    this.compactedTopic = options.compactedTopic;
    this.now = options.now;
    this.maxDifference = options.timestampType === 'CreateTime' ? options.timestampDiffMaxMs : Infinity;
    this.refusesTimestampType = batch.timestampType === 'LogAppendTime';
  }

  /** True for a record that breaks no rule. */
  accepts(hasKey: boolean, timestamp: number): boolean {
    return (
      (hasKey || !this.compactedTopic) &&
      !this.refusesTimestampType &&
      (timestamp === NO_TIMESTAMP || Math.abs(timestamp - this.now) <= this.maxDifference)
    );
  }

  /** Takes note of a record that {@link accepts} would not have. */
  refuse(batchIndex: number, record: CheckedRecord): void {
    if (this.compactedTopic && !record.hasKey) {
      this.note(
        batchIndex,
        `Compacted topic cannot accept message without key in topic partition ${this.topicPartition}.`,
      );
      return;
    }
    this.invalidTimestamp = true;
    const { now, maxDifference } = this;
    if (record.timestamp !== NO_TIMESTAMP && Math.abs(record.timestamp - now) > maxDifference) {
      this.note(
        batchIndex,
        `Timestamp ${record.timestamp} of message with offset ${record.offset} is out of range. ` +
          `The timestamp should be within [${now - maxDifference}, ${now + maxDifference}]`,
      );
    } else {
      this.note(
        batchIndex,
        `Invalid timestamp type in message ${record.toString()}. Producer should not set timestamp type to LogAppendTime.`,
      );
    }
  }

  /** Takes note of an inner message of another magic than its wrapper. */
  refuseMagic(batchIndex: number, record: CheckedRecord, magic: Magic): void {
    this.note(
      batchIndex,
      `Record ${record.toString()}'s magic does not match outer magic ${magic} in topic partition ${this.topicPartition}.`,
    );
  }

  get anyRefused(): boolean {
    return this.refused.length > 0;
  }

  /** @throws RecordValidationError when a record was refused */
  finish(): void {
    if (!this.anyRefused) return;
    throw new RecordValidationError(this.invalidTimestamp ? 'INVALID_TIMESTAMP' : 'INVALID_RECORD', this.refused);
  }

  private note(batchIndex: number, message: string): void {
    this.refused.push({ batchIndex, message });
  }
}
