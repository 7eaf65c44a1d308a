import type { Logger } from '@klassic/common';
import type { LogSegment } from '../log-segment.ts';
import type { CompactableLog } from './compactable-log.ts';

/** A log with the part of it that may be cleaned. Offsets count as in `[from, to)`. */
export interface LogToClean {
  /** `topicPartitionKey` */
  readonly key: string;
  /** The log dir that holds it. */
  readonly logDir: string;
  readonly log: CompactableLog;
  /** What lies below was cleaned before. */
  readonly firstDirtyOffset: number;
  /** Where the first segment begins that is not to be touched. */
  readonly firstUncleanableOffset: number;
  readonly cleanableBytes: number;
  readonly totalBytes: number;
  /** Dirty bytes as a part of all that would be read, 0 to 1. */
  readonly cleanableRatio: number;
  /** ms by which the oldest dirty record has exceeded `max.compaction.lag.ms`. */
  readonly compactionDelayMs: number;
}

/** The dirty part of a log that may be cleaned. */
export interface OffsetsToClean {
  readonly firstDirtyOffset: number;
  readonly firstUncleanableDirtyOffset: number;
  /** Whether the checkpoint was of no use and is to be set anew. */
  readonly forceUpdateCheckpoint: boolean;
}

/**
 * Where cleaning may begin and must end: not beyond the last stable offset, nor in the active segment, nor in segments
 * younger than `min.compaction.lag.ms`. Counterpart of `LogCleanerManager.cleanableOffsets`.
 *
 * @param lastCleanOffset from the checkpoint; undefined without one
 */
export function cleanableOffsets(
  log: CompactableLog,
  name: string,
  lastCleanOffset: number | undefined,
  nowMs: number,
  logger: Logger,
): OffsetsToClean {
  const { firstDirtyOffset, forceUpdateCheckpoint } = firstDirty(log, name, lastCleanOffset, logger);
  const { minCompactionLagMs } = log.config;
  let end = Math.min(log.lastStableOffset, log.activeSegment.baseOffset);
  if (minCompactionLagMs > 0) {
    const young = log
      .nonActiveSegmentsFrom(firstDirtyOffset)
      .find((segment) => segment.largestTimestamp > nowMs - minCompactionLagMs);
    if (young !== undefined) end = Math.min(end, young.baseOffset);
  }
  return { firstDirtyOffset, firstUncleanableDirtyOffset: Math.max(firstDirtyOffset, end), forceUpdateCheckpoint };
}

function firstDirty(
  log: CompactableLog,
  name: string,
  checkpoint: number | undefined,
  logger: Logger,
): { firstDirtyOffset: number; forceUpdateCheckpoint: boolean } {
  const { logStartOffset, logEndOffset, config } = log;
  const offset = checkpoint ?? logStartOffset;
  if (offset < logStartOffset) {
    // Where old segments are deleted too, that is how it goes.
    if (!config.cleanupPolicy.includes('delete')) {
      logger.warn(
        `Resetting first dirty offset of ${name} to log start offset ${logStartOffset} since the checkpointed offset ` +
          `${offset} is invalid.`,
      );
    }
    return { firstDirtyOffset: logStartOffset, forceUpdateCheckpoint: true };
  }
  if (offset > logEndOffset) {
    logger.warn(
      `The last checkpoint dirty offset for partition ${name} is ${offset}, which is larger than the log end offset ` +
        `${logEndOffset}. Resetting to the log start offset ${logStartOffset}.`,
    );
    return { firstDirtyOffset: logStartOffset, forceUpdateCheckpoint: true };
  }
  return { firstDirtyOffset: offset, forceUpdateCheckpoint: false };
}

/** ms by which the oldest dirty record has exceeded `max.compaction.lag.ms`; 0 when none has (KIP-354). */
export function maxCompactionDelayMs(log: CompactableLog, firstDirtyOffset: number, nowMs: number): number {
  const cleanUntilMs = nowMs - log.config.maxCompactionLagMs;
  if (cleanUntilMs <= 0) return 0;
  let earliestMs = Infinity;
  for (const segment of log.nonActiveSegmentsFrom(firstDirtyOffset)) {
    const firstMs = segment.firstBatchTimestamp;
    if (firstMs !== null && firstMs > 0) earliestMs = Math.min(earliestMs, firstMs);
  }
  return Math.max(0, cleanUntilMs - earliestMs);
}

/** Measures a log. Cleaning goes by whole segments. */
export function logToClean(
  which: Pick<LogToClean, 'key' | 'logDir' | 'log'>,
  offsets: OffsetsToClean,
  compactionDelayMs: number,
): LogToClean {
  const { log } = which;
  const { firstDirtyOffset } = offsets;
  const uncleanable = log.nonActiveSegmentsFrom(offsets.firstUncleanableDirtyOffset)[0] ?? log.activeSegment;
  const firstUncleanableOffset = uncleanable.baseOffset;
  const cleanBytes = sizeOf(log.segments(-1, firstDirtyOffset));
  const cleanable = log.segments(Math.min(firstDirtyOffset, firstUncleanableOffset), firstUncleanableOffset);
  const cleanableBytes = sizeOf(cleanable);
  const totalBytes = cleanBytes + cleanableBytes;
  return {
    ...which,
    firstDirtyOffset,
    firstUncleanableOffset,
    cleanableBytes,
    totalBytes,
    cleanableRatio: totalBytes === 0 ? 0 : cleanableBytes / totalBytes,
    compactionDelayMs,
  };
}

function sizeOf(segments: readonly LogSegment[]): number {
  return segments.reduce((sum, segment) => sum + segment.size, 0);
}
