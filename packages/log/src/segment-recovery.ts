import type { Logger } from '@klassic/common';
import { batchesOf, CorruptRecordError, InvalidRecordError } from '@klassic/protocol';
import type { RecordBatch } from '@klassic/protocol';
import { CorruptBatchError } from './batch-header.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { LogSegment } from './log-segment.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

/** A segment with an offset too far from its base offset for an index entry; only logs of Kafka before 2.0 can have one. */
export class LogSegmentOffsetOverflowError extends Error {
  override readonly name = 'LogSegmentOffsetOverflowError';
  readonly segment: LogSegment;

  constructor(message: string, segment: LogSegment) {
    super(message);
    this.segment = segment;
  }
}

export interface SegmentRecoveryOptions {
  readonly indexIntervalBytes: number;
  readonly producerStateManager: ProducerStateManager;
  /** Learns epochs that its file did not have yet; null to leave it alone. */
  readonly leaderEpochCache: LeaderEpochFileCache | null;
  readonly logger: Logger;
}

/**
 * Reads a segment from its beginning, checks every batch, builds its indexes and the producers' state anew, and cuts
 * the file after the last valid batch. Counterpart of `LogSegment.recover`.
 *
 * @returns bytes cut off
 * @throws InvalidOffsetError when offsets do not rise
 * @throws LogSegmentOffsetOverflowError
 */
export function recoverSegment(segment: LogSegment, options: SegmentRecoveryOptions): number {
  segment.offsetIndex.reset();
  segment.timeIndex.reset();
  segment.txnIndex.reset();
  segment.resetMaxTimestamp();
  let validBytes = 0;
  let lastIndexEntry = 0;
  try {
    for (const chunk of segment.log.chunks()) {
      for (const batch of batchesOf(chunk.bytes)) {
        batch.ensureValid();
        if (!segment.canConvertToRelativeOffset(batch.lastOffset)) {
          throw new LogSegmentOffsetOverflowError(
            `Detected offset overflow at offset ${batch.lastOffset} in segment ${segment.toString()}`,
            segment,
          );
        }
        segment.noteTimestamp(batch.maxTimestamp, batch.lastOffset);
        if (validBytes - lastIndexEntry > options.indexIntervalBytes) {
          segment.offsetIndex.append(batch.lastOffset, validBytes);
          segment.timeIndex.maybeAppend(segment.maxTimestampSoFar, segment.offsetOfMaxTimestampSoFar);
          lastIndexEntry = validBytes;
        }
        validBytes += batch.sizeInBytes;
        if (batch.magic >= 2) learn(segment, batch, options);
      }
    }
  } catch (error) {
    if (!isCorruption(error)) throw error;
    options.logger.warn(
      `Found invalid messages in log segment ${segment.log.path} at byte offset ${validBytes}: ${error.message}`,
    );
  }
  const truncated = segment.log.truncateTo(validBytes);
  segment.offsetIndex.trimToValidSize();
  segment.timeIndex.maybeAppend(segment.maxTimestampSoFar, segment.offsetOfMaxTimestampSoFar, true);
  segment.timeIndex.trimToValidSize();
  return truncated;
}

function learn(segment: LogSegment, batch: RecordBatch, options: SegmentRecoveryOptions): void {
  const { leaderEpochCache, producerStateManager } = options;
  const epoch = batch.partitionLeaderEpoch;
  if (leaderEpochCache !== null && epoch >= 0 && epoch > (leaderEpochCache.latestEpoch ?? -1)) {
    leaderEpochCache.assign(epoch, batch.baseOffset);
  }
  if (batch.hasProducerId) {
    const completed = producerStateManager.load(batch);
    if (completed !== null) {
      segment.updateTxnIndex(completed, producerStateManager.lastStableOffset(completed));
      producerStateManager.completeTxn(completed);
    }
  }
  producerStateManager.updateMapEndOffset(batch.lastOffset + 1);
}

function isCorruption(error: unknown): error is Error {
  return (
    error instanceof CorruptRecordError || error instanceof InvalidRecordError || error instanceof CorruptBatchError
  );
}
