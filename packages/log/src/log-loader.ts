import { join } from 'node:path';
import type { Logger, Time, TopicPartition } from '@klassic/common';
import {
  CLEANED_SUFFIX,
  DELETE_DIR_SUFFIX,
  DELETED_SUFFIX,
  isIndexFileName,
  LOG_SUFFIX,
  logFilePath,
  offsetFromFileName,
  offsetIndexPath,
  SWAP_SUFFIX,
  timeIndexPath,
  transactionIndexPath,
} from './file-names.ts';
import { deleteIfExists, exists, fileNamesIn } from './files.ts';
import { InvalidOffsetError } from './index-file.ts';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { LogConfig } from './log-config.ts';
import type { LogSegment } from './log-segment.ts';
import { LogSegments } from './log-segments.ts';
import { rebuildProducerState } from './producer-state-loading.ts';
import { ProducerStateManager } from './producer-state-manager.ts';
import type { SegmentDeletion } from './segment-deletion.ts';
import { LogSegmentOffsetOverflowError, recoverSegment } from './segment-recovery.ts';
import { splitOverflowedSegment } from './segment-swap.ts';
import type { SwapTarget } from './segment-swap.ts';
import { CorruptIndexError } from './transaction-index.ts';

export interface LogLoaderOptions {
  readonly dir: string;
  /** Whether there is nothing in the folder. */
  readonly isFolderNew: boolean;
  readonly topicPartition: TopicPartition;
  readonly config: LogConfig;
  readonly recordMagic: number;
  readonly logStartOffset: number;
  readonly recoveryPoint: number;
  readonly hadCleanShutdown: boolean;
  readonly producerIdExpirationMs: number;
  readonly leaderEpochCache: LeaderEpochFileCache | null;
  readonly producerStateManager: ProducerStateManager;
  readonly deletion: SegmentDeletion;
  /** Opens a segment with the log's own jitter. */
  readonly openSegment: (baseOffset: number, fileSuffix: string, isNew: boolean) => LogSegment;
  readonly time: Time;
  readonly logger: Logger;
}

/** What a folder holds once it was put in order. */
export interface LoadedLog {
  readonly segments: LogSegments;
  readonly nextOffset: number;
  readonly recoveryPoint: number;
}

/**
 * Opens a partition's folder: removes what half-done operations left, finishes swaps, rebuilds indexes that are
 * missing, and after an unclean stop checks every batch from the recovery point on.
 * Counterpart of `Log.loadSegments` and `Log.recoverLog`.
 */
export class LogLoader {
  private readonly options: LogLoaderOptions;
  private readonly segments = new LogSegments();
  private recoveryPoint: number;

  constructor(options: LogLoaderOptions) {
    this.options = options;
    this.recoveryPoint = options.recoveryPoint;
  }

  load(): LoadedLog {
    if (!this.options.isFolderNew) this.loadFiles();
    if (this.options.dir.endsWith(DELETE_DIR_SUFFIX)) {
      if (this.segments.length === 0) this.segments.add(this.options.openSegment(0, '', true));
      return { segments: this.segments, nextOffset: 0, recoveryPoint: this.recoveryPoint };
    }
    const nextOffset = this.retryOnOffsetOverflow(() => this.recoverLog());
    this.segments.active.resizeIndexes(this.options.config.segmentIndexBytes);
    return { segments: this.segments, nextOffset, recoveryPoint: this.recoveryPoint };
  }

  private loadFiles(): void {
    const swapFiles = this.removeTemporaryFiles();
    this.retryOnOffsetOverflow(() => {
      this.loadSegmentFiles();
    });
    for (const name of swapFiles) this.completeSwap(name);
  }

  /** Returns the names of `.log.swap` files, whose swaps are to be finished. */
  private removeTemporaryFiles(): string[] {
    const { dir, logger } = this.options;
    const swapFiles: string[] = [];
    const cleanedFiles: string[] = [];
    const swapIndexes: number[] = [];
    let minCleanedOffset = Infinity;
    for (const name of fileNamesIn(dir)) {
      if (name.endsWith(DELETED_SUFFIX)) {
        deleteIfExists(join(dir, name));
      } else if (name.endsWith(CLEANED_SUFFIX)) {
        minCleanedOffset = Math.min(minCleanedOffset, offsetFromFileName(name));
        cleanedFiles.push(name);
      } else if (name.endsWith(SWAP_SUFFIX)) {
        logger.info(`Found file ${join(dir, name)} from interrupted swap operation.`);
        const finalName = name.slice(0, -SWAP_SUFFIX.length);
        if (isIndexFileName(finalName) || finalName.endsWith(LOG_SUFFIX))
          this.deleteIndexes(offsetFromFileName(name), '');
        if (finalName.endsWith(LOG_SUFFIX)) swapFiles.push(name);
        else swapIndexes.push(offsetFromFileName(name));
      }
    }
    // A swap above a file still being cleaned belongs to a split that never became whole (KAFKA-6264): it is undone.
    for (const name of swapFiles.filter((swap) => offsetFromFileName(swap) >= minCleanedOffset)) {
      this.deleteIndexes(offsetFromFileName(name), SWAP_SUFFIX);
      deleteIfExists(join(dir, name));
    }
    for (const name of cleanedFiles) deleteIfExists(join(dir, name));
    // Indexes whose log has its final name already: they are built anew.
    for (const offset of swapIndexes.filter((swap) => !exists(logFilePath(dir, swap, SWAP_SUFFIX)))) {
      this.deleteIndexes(offset, SWAP_SUFFIX);
    }
    return swapFiles.filter((swap) => offsetFromFileName(swap) < minCleanedOffset);
  }

  /** Does a task again from its beginning whenever it meets a segment that has to be split first. */
  private retryOnOffsetOverflow<T>(task: () => T): T {
    for (;;) {
      try {
        return task();
      } catch (error) {
        if (!(error instanceof LogSegmentOffsetOverflowError)) throw error;
        this.options.logger.info(`Caught segment overflow error: ${error.message}. Split segment and retry.`);
        splitOverflowedSegment(this.swapTarget, error.segment, this.options.logger);
      }
    }
  }

  private get swapTarget(): SwapTarget {
    const { dir, deletion, producerStateManager, openSegment } = this.options;
    return { dir, segments: this.segments, deletion, producerStateManager, openSegment };
  }

  private loadSegmentFiles(): void {
    const { dir, logger } = this.options;
    for (const segment of this.segments) segment.closeHandlers();
    this.segments.clear();
    for (const name of fileNamesIn(dir)) {
      const baseOffset = offsetFromFileName(name);
      if (isIndexFileName(name)) {
        if (exists(logFilePath(dir, baseOffset))) continue;
        logger.warn(`Found an orphaned index file ${join(dir, name)}, with no corresponding log file.`);
        deleteIfExists(join(dir, name));
      } else if (name.endsWith(LOG_SUFFIX)) {
        this.segments.add(this.loadSegment(baseOffset));
      }
    }
  }

  private loadSegment(baseOffset: number): LogSegment {
    const { dir, logger } = this.options;
    const hasOffsetIndex = exists(offsetIndexPath(dir, baseOffset));
    const hasTimeIndex = exists(timeIndexPath(dir, baseOffset));
    const segment = this.options.openSegment(baseOffset, '', false);
    if (!hasOffsetIndex) {
      logger.error(
        `Could not find offset index file corresponding to log file ${segment.log.path}, ` +
          `recovering segment and rebuilding index files...`,
      );
      this.recover(segment, null);
      return segment;
    }
    if (!hasTimeIndex) segment.timeIndex.resize(0);
    try {
      segment.txnIndex.sanityCheck();
    } catch (error) {
      if (!(error instanceof CorruptIndexError)) throw error;
      logger.warn(
        `Found a corrupted index file corresponding to log file ${segment.log.path} due to ${error.message}, ` +
          `recovering segment and rebuilding index files...`,
      );
      this.recover(segment, null);
    }
    return segment;
  }

  /** A `.swap` segment is whole: it takes the place of the segments it was made from, those that are still there. */
  private completeSwap(name: string): void {
    const swap = this.options.openSegment(offsetFromFileName(name), SWAP_SUFFIX, false);
    this.options.logger.info(`Found log file ${swap.log.path} from interrupted swap operation, repairing.`);
    this.recover(swap, null);
    const replaced = this.segments
      .range(swap.baseOffset, swap.readNextOffset())
      .filter((segment) => segment.readNextOffset() > swap.baseOffset);
    for (const segment of replaced) {
      this.segments.remove(segment.baseOffset);
      // The snapshot at the swapped segment's own base offset stays true.
      const snapshotsOf = segment.baseOffset === swap.baseOffset ? null : this.options.producerStateManager;
      this.options.deletion.delete([segment], true, snapshotsOf);
    }
    this.segments.add(swap);
    swap.changeFileSuffixes(SWAP_SUFFIX, '');
  }

  private recoverLog(): number {
    if (!this.options.hadCleanShutdown) this.recoverUnflushed();
    const endOffset = this.endOffsetUnlessBelowStart();
    if (this.segments.length === 0) {
      this.segments.add(this.options.openSegment(this.options.logStartOffset, '', true));
    }
    const nextOffset = endOffset ?? this.segments.active.readNextOffset();
    // Only a flush may move the recovery point up: else a second crash would find segments that were never flushed.
    const isWhole = this.options.hadCleanShutdown && endOffset !== null;
    this.recoveryPoint = isWhole ? nextOffset : Math.min(this.recoveryPoint, nextOffset);
    return nextOffset;
  }

  private recoverUnflushed(): void {
    const { logger } = this.options;
    const unflushed = this.segments.range(this.recoveryPoint, Infinity);
    for (let next = unflushed.shift(); next !== undefined; next = unflushed.shift()) {
      const segment = next;
      logger.info(`Recovering unflushed segment ${segment.baseOffset}`);
      if (this.recoverOrEmpty(segment) === 0) continue;
      logger.warn(
        `Corruption found in segment ${segment.baseOffset}, truncating to offset ${segment.readNextOffset()}`,
      );
      this.removeSegments(unflushed);
      return;
    }
  }

  private recoverOrEmpty(segment: LogSegment): number {
    try {
      return this.recover(segment, this.options.leaderEpochCache);
    } catch (error) {
      if (!(error instanceof InvalidOffsetError)) throw error;
      this.options.logger.warn(
        `Found invalid offset during recovery. Deleting the corrupt segment and creating an empty one with starting ` +
          `offset ${segment.baseOffset}`,
      );
      return segment.truncateTo(segment.baseOffset);
    }
  }

  /** The end offset of what is there; null when there is nothing, or only what lies below the log start offset. */
  private endOffsetUnlessBelowStart(): number | null {
    if (this.segments.length === 0) return null;
    const { logStartOffset, leaderEpochCache, producerStateManager, logger } = this.options;
    const endOffset = this.segments.active.readNextOffset();
    if (endOffset >= logStartOffset) return endOffset;
    logger.warn(
      `Deleting all segments because logEndOffset (${endOffset}) is smaller than logStartOffset (${logStartOffset}). ` +
        `This could happen if segment files were deleted from the file system.`,
    );
    this.removeSegments(this.segments.toArray());
    leaderEpochCache?.clearAndFlush();
    producerStateManager.truncateFullyAndStartAt(logStartOffset);
    return null;
  }

  private recover(segment: LogSegment, leaderEpochCache: LeaderEpochFileCache | null): number {
    const { topicPartition, dir, config, time, logger, logStartOffset } = this.options;
    const { producerIdExpirationMs, recordMagic } = this.options;
    const producerStateManager = new ProducerStateManager(topicPartition, dir, producerIdExpirationMs, logger);
    rebuildProducerState({
      segments: this.segments,
      producerStateManager,
      logStartOffset,
      lastOffset: segment.baseOffset,
      reloadFromCleanShutdown: false,
      recordMagic,
      nowMs: time.milliseconds(),
    });
    const { indexIntervalBytes } = config;
    const truncated = recoverSegment(segment, { indexIntervalBytes, producerStateManager, leaderEpochCache, logger });
    // So that recovering the segment after this one need not read this one again.
    producerStateManager.takeSnapshot();
    return truncated;
  }

  private removeSegments(segments: readonly LogSegment[]): void {
    if (segments.length === 0) return;
    this.options.logger.info(`Deleting segments as part of log recovery: ${segments.join(',')}`);
    for (const segment of segments) this.segments.remove(segment.baseOffset);
    this.options.deletion.delete(segments, true, this.options.producerStateManager);
  }

  private deleteIndexes(baseOffset: number, suffix: string): void {
    const { dir } = this.options;
    for (const path of [offsetIndexPath, timeIndexPath, transactionIndexPath]) {
      deleteIfExists(path(dir, baseOffset, suffix));
    }
  }
}
