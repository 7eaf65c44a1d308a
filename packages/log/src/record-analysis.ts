import { Errors, KafkaError } from '@klassic/protocol';
import type { CompressionType, RecordBatch } from '@klassic/protocol';
import type { LogConfig } from './log-config.ts';
import { offsetOnly } from './log-offset-metadata.ts';
import type { AppendOrigin, LogAppendInfo } from './log-types.ts';

const NO_TIMESTAMP = -1;

export interface RecordAnalysisOptions {
  readonly partitionName: string;
  readonly origin: AppendOrigin;
  readonly config: LogConfig;
  readonly logStartOffset: number;
  /** What a leader has taken already is not measured again by its followers. */
  readonly ignoreRecordSize: boolean;
}

export interface RecordAnalysis {
  readonly info: LogAppendInfo;
  readonly sourceCodec: CompressionType;
  /** What `compression.type` makes of it. */
  readonly targetCodec: CompressionType;
}

/**
 * The first look at a record set: sizes and checksums, offsets and timestamps. Counterpart of
 * `Log.analyzeAndValidateRecords`.
 *
 * @throws KafkaError INVALID_RECORD, MESSAGE_TOO_LARGE, CORRUPT_MESSAGE
 */
export function analyzeRecords(batches: readonly RecordBatch[], options: RecordAnalysisOptions): RecordAnalysis {
  const { partitionName, origin, config } = options;
  const info = emptyAppendInfo(options.logStartOffset);
  let sourceCodec: CompressionType = 'none';
  for (const batch of batches) {
    const { magic, lastOffset, sizeInBytes, maxTimestamp, partitionLeaderEpoch } = batch;
    if (magic >= 2 && origin === 'Client' && batch.baseOffset !== 0) {
      throw new KafkaError(
        Errors.INVALID_RECORD,
        `The baseOffset of the record batch in the append to ${partitionName} should be 0, but it is ${batch.baseOffset}`,
      );
    }
    if (info.shallowCount === 0) {
      // An old compressed set would have to be decompressed to tell its first offset.
      if (magic >= 2) info.firstOffset = offsetOnly(batch.baseOffset);
      info.lastOffsetOfFirstBatch = lastOffset;
    }
    if (info.lastOffset >= lastOffset) info.offsetsMonotonic = false;
    info.lastOffset = lastOffset;
    info.lastLeaderEpoch = partitionLeaderEpoch >= 0 ? partitionLeaderEpoch : null;
    if (!options.ignoreRecordSize && sizeInBytes > config.maxMessageBytes) {
      throw new KafkaError(
        Errors.MESSAGE_TOO_LARGE,
        `The record batch size in the append to ${partitionName} is ${sizeInBytes} bytes which exceeds the maximum ` +
          `configured value of ${config.maxMessageBytes}.`,
      );
    }
    if (!batch.isValid()) {
      throw new KafkaError(
        Errors.CORRUPT_MESSAGE,
        `Record is corrupt (stored crc = ${batch.crc}) in topic partition ${partitionName}.`,
      );
    }
    if (maxTimestamp > info.maxTimestamp) {
      info.maxTimestamp = maxTimestamp;
      info.offsetOfMaxTimestamp = lastOffset;
    }
    info.shallowCount += 1;
    info.validBytes += sizeInBytes;
    if (batch.compression !== 'none') sourceCodec = batch.compression;
  }
  return { info, sourceCodec, targetCodec: targetCodecOf(config.compressionType, sourceCodec) };
}

/** An append of nothing. */
export function emptyAppendInfo(logStartOffset: number): LogAppendInfo {
  return {
    firstOffset: null,
    lastOffset: -1,
    lastLeaderEpoch: null,
    maxTimestamp: NO_TIMESTAMP,
    offsetOfMaxTimestamp: -1,
    logAppendTime: NO_TIMESTAMP,
    logStartOffset,
    shallowCount: 0,
    validBytes: 0,
    offsetsMonotonic: true,
    lastOffsetOfFirstBatch: -1,
    duplicate: false,
    recordErrors: [],
    errorMessage: null,
  };
}

function targetCodecOf(configured: LogConfig['compressionType'], source: CompressionType): CompressionType {
  if (configured === 'producer') return source;
  return configured === 'uncompressed' ? 'none' : configured;
}
