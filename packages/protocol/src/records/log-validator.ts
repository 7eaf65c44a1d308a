import { invariant } from '@klassic/common';
import { DefaultRecordBatch } from './default-record-batch.ts';
import { DefaultRecord, timestampOf } from './default-record.ts';
import { LegacyRecord } from './legacy-record.ts';
import { batchesOf } from './memory-records.ts';
import { MemoryRecordsBuilder } from './memory-records-builder.ts';
import type { RecordBatch } from './record-batch.ts';
import { checkBatch, RecordChecks } from './record-checks.ts';
import type { LogValidatorOptions } from './record-checks.ts';
import { CorruptRecordError, IllegalRecordsError, InvalidRecordError } from './record-errors.ts';
import { NO_TIMESTAMP } from './types.ts';
import type { CompressionType, KafkaRecord } from './types.ts';

export type { LogValidatorOptions } from './record-checks.ts';

/** What is to be written to the log (LogValidator.ValidationAndOffsetAssignResult). */
export interface ValidationAndOffsetAssignResult {
  /** The buffer handed in where it could be stamped in place, else a new one. */
  readonly records: Buffer;
  /** The offset after the last record. */
  readonly nextOffset: number;
  /** Milliseconds; -1 for none. */
  readonly maxTimestamp: number;
  /** The offset by which the time index finds the batch of `maxTimestamp`; -1 for none. */
  readonly offsetOfMaxTimestamp: number;
  /** True when the records were rewritten: their size is to be checked again. */
  readonly messageSizeMaybeChanged: boolean;
  /** Records written anew because format, codec or inner offsets had to change (a metric). */
  readonly recordsConverted: number;
}

/**
 * Checks produced records, gives them their offsets, their leader epoch and under LogAppendTime their time, and rewrites
 * them where the topic keeps another format or codec (kafka.log.LogValidator). The CRC of the batches must have been
 * checked before. Where nothing has to be rewritten the bytes of `records` themselves are stamped.
 *
 * @throws RecordValidationError naming each refused record
 * @throws RecordsError for a batch that is refused as a whole
 */
export function validateMessagesAndAssignOffsets(
  records: Buffer,
  options: LogValidatorOptions,
): ValidationAndOffsetAssignResult {
  const batches = [...batchesOf(records)];
  const firstBatch = onlyOrFirst(batches, options.sourceCodec);
  for (const batch of batches) checkBatch(batch, firstBatch, options);
  if (options.sourceCodec !== 'none' || options.targetCodec !== 'none') {
    return validateCompressed(records, batches, firstBatch, options);
  }
  return firstBatch.magic === options.targetMagic
    ? assignOffsets(records, batches, options)
    : convert(batches, firstBatch, options);
}

function onlyOrFirst(batches: readonly RecordBatch[], sourceCodec: CompressionType): RecordBatch {
  const first = batches[0];
  if (first === undefined) throw new InvalidRecordError('Record batch has no batches at all');
  if (batches.length > 1 && (first.magic >= 2 || sourceCodec !== 'none')) {
    throw new InvalidRecordError('Compressed outer record has more than one batch');
  }
  return first;
}

/** Nothing compressed, nothing to convert: the common case, in place. */
function assignOffsets(
  records: Buffer,
  batches: readonly RecordBatch[],
  options: LogValidatorOptions,
): ValidationAndOffsetAssignResult {
  const { startOffset, timestampType, now, targetMagic } = options;
  let nextOffset = startOffset;
  let maxTimestamp = NO_TIMESTAMP;
  let offsetOfMaxTimestamp = -1;
  for (const batch of batches) {
    const scan = scanBatch(batch, options);
    scan.checks.finish();
    if (scan.maxTimestamp > maxTimestamp) {
      maxTimestamp = scan.maxTimestamp;
      offsetOfMaxTimestamp = nextOffset + scan.indexOfMaxTimestamp;
    }
    nextOffset += scan.count;
    batch.setLastOffset(nextOffset - 1);
    if (batch.magic >= 2) batch.setPartitionLeaderEpoch(options.partitionLeaderEpoch);
    if (batch.magic > 0) {
      batch.setMaxTimestamp(timestampType, timestampType === 'LogAppendTime' ? now : scan.maxTimestamp);
    }
  }
  if (timestampType === 'LogAppendTime') {
    maxTimestamp = now;
    offsetOfMaxTimestamp = targetMagic >= 2 ? nextOffset - 1 : startOffset;
  }
  return {
    records,
    nextOffset,
    maxTimestamp,
    offsetOfMaxTimestamp,
    messageSizeMaybeChanged: false,
    recordsConverted: 0,
  };
}

/** What one pass over the records of a batch tells. */
interface BatchScan {
  readonly checks: RecordChecks;
  readonly count: number;
  /** -1 for none, and for magic 0. */
  readonly maxTimestamp: number;
  /** The first record that has it. */
  readonly indexOfMaxTimestamp: number;
  /** Their offsets count up from 0, as producers are to write them. */
  readonly inSequence: boolean;
}

function scanBatch(batch: RecordBatch, options: LogValidatorOptions): BatchScan {
  return batch instanceof DefaultRecordBatch ? scanDefault(batch, options) : scanLegacy(batch, options);
}

/** The hot path of every produce request: one pass over the bytes, nothing made for a record that is in order. */
function scanDefault(batch: DefaultRecordBatch, options: LogValidatorOptions): BatchScan {
  const checks = new RecordChecks(batch, options);
  const scanner = batch.scanner();
  const base = batch.deltaBase();
  let count = 0;
  let maxTimestamp = NO_TIMESTAMP;
  let indexOfMaxTimestamp = -1;
  let inSequence = true;
  while (scanner.next()) {
    const timestamp = base.logAppendTime ?? timestampOf(base.timestamp, scanner.timestampDelta);
    if (!checks.accepts(scanner.keyLength >= 0, timestamp)) checks.refuse(count, new DefaultRecord(scanner, base));
    if (timestamp > maxTimestamp) {
      maxTimestamp = timestamp;
      indexOfMaxTimestamp = count;
    }
    if (base.offset + scanner.offsetDelta !== count) inSequence = false;
    count++;
  }
  return { checks, count, maxTimestamp, indexOfMaxTimestamp, inSequence };
}

function scanLegacy(batch: RecordBatch, options: LogValidatorOptions): BatchScan {
  const { checks, records } = readBatch(batch, options);
  let maxTimestamp = NO_TIMESTAMP;
  let indexOfMaxTimestamp = -1;
  let inSequence = true;
  for (const [index, { timestamp, offset }] of records.entries()) {
    if (timestamp > maxTimestamp) {
      maxTimestamp = timestamp;
      indexOfMaxTimestamp = index;
    }
    if (offset !== index) inSequence = false;
  }
  return { checks, count: records.length, maxTimestamp, indexOfMaxTimestamp, inSequence };
}

/** Reads and checks the records of a batch that will be written anew. */
function readBatch(
  batch: RecordBatch,
  options: LogValidatorOptions,
): { readonly checks: RecordChecks; readonly records: readonly KafkaRecord[] } {
  const checks = new RecordChecks(batch, options);
  const records: KafkaRecord[] = [];
  for (const record of batch.records()) {
    invariant(record instanceof DefaultRecord || record instanceof LegacyRecord, 'a record of this package');
    if (record instanceof LegacyRecord && record.magic !== batch.magic) {
      checks.refuseMagic(records.length, record, batch.magic);
    } else {
      if (record instanceof LegacyRecord && batch.isCompressed) checkInnerCrc(record, options.topicPartition);
      if (!checks.accepts(record.hasKey, record.timestamp)) checks.refuse(records.length, record);
    }
    records.push(record);
  }
  return { checks, records };
}

/** The CRC of a wrapper says nothing of the messages inside it. */
function checkInnerCrc(record: LegacyRecord, topicPartition: string): void {
  try {
    record.ensureValid();
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    throw new CorruptRecordError(`${error.message} in topic partition ${topicPartition}.`, { cause: error });
  }
}

/** Nothing compressed, but another format. */
function convert(
  batches: readonly RecordBatch[],
  firstBatch: RecordBatch,
  options: LogValidatorOptions,
): ValidationAndOffsetAssignResult {
  const records: KafkaRecord[] = [];
  for (const batch of batches) {
    const read = readBatch(batch, options);
    read.checks.finish();
    for (const record of read.records) records.push(record);
  }
  return rebuild(records, firstBatch, options);
}

/**
 * Something is or will be compressed. The batch is stamped in place unless the codec or the format changes, magic 0 asks
 * for absolute inner offsets, or a client of magic 1 counted the inner offsets wrong.
 */
function validateCompressed(
  records: Buffer,
  batches: readonly RecordBatch[],
  firstBatch: RecordBatch,
  options: LogValidatorOptions,
): ValidationAndOffsetAssignResult {
  const { sourceCodec, targetCodec, targetMagic } = options;
  const sameBytes = sourceCodec === targetCodec && firstBatch.magic === targetMagic && targetMagic > 0;
  const uncompressedMarker = sourceCodec === 'none' && firstBatch.isControlBatch;
  if (!sameBytes && !uncompressedMarker) return convert(batches, firstBatch, options);

  const scan = scanBatch(firstBatch, options);
  scan.checks.finish();
  if (!scan.inSequence) {
    // Kafka skips keys and values while it hopes to leave a batch of magic 2 in place, and then cannot rewrite it.
    if (firstBatch.magic >= 2) throw new IllegalRecordsError('key is skipped in PartialDefaultRecord');
    return convert(batches, firstBatch, options);
  }
  const nextOffset = options.startOffset + scan.count;
  const maxTimestamp = options.timestampType === 'LogAppendTime' ? options.now : scan.maxTimestamp;
  firstBatch.setLastOffset(nextOffset - 1);
  if (targetMagic >= 1) firstBatch.setMaxTimestamp(options.timestampType, maxTimestamp);
  if (targetMagic >= 2) firstBatch.setPartitionLeaderEpoch(options.partitionLeaderEpoch);
  return {
    records,
    nextOffset,
    maxTimestamp,
    offsetOfMaxTimestamp: nextOffset - 1,
    messageSizeMaybeChanged: false,
    recordsConverted: 0,
  };
}

function rebuild(
  records: readonly KafkaRecord[],
  firstBatch: RecordBatch,
  options: LogValidatorOptions,
): ValidationAndOffsetAssignResult {
  const { producerId, producerEpoch, baseSequence, isTransactional, isControlBatch } = firstBatch;
  if (isControlBatch) throw new IllegalRecordsError('Control records can only be appended to control batches');
  const builder = new MemoryRecordsBuilder({
    magic: options.targetMagic,
    compression: targetCodecFor(options),
    timestampType: options.timestampType,
    logAppendTime: options.now,
    baseOffset: options.startOffset,
    producerId,
    producerEpoch,
    baseSequence,
    isTransactional,
    partitionLeaderEpoch: options.partitionLeaderEpoch,
  });
  let nextOffset = options.startOffset;
  for (const record of records) builder.appendWithOffset(nextOffset++, record);
  return {
    records: builder.build(),
    nextOffset,
    ...builder.info(),
    messageSizeMaybeChanged: true,
    recordsConverted: records.length,
  };
}

/** @throws IllegalRecordsError for zstd where the topic keeps a format before magic 2 */
function targetCodecFor({ targetCodec, targetMagic }: LogValidatorOptions): CompressionType {
  if (targetCodec === 'zstd' && targetMagic < 2) {
    throw new IllegalRecordsError(`ZStandard compression is not supported for magic ${targetMagic}`);
  }
  return targetCodec;
}
