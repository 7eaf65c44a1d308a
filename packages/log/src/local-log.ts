import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { invariant, topicPartitionKey } from '@klassic/common';
import type { Logger, LoggerFactory, Time, TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { DiskGuard } from './disk-guard.ts';
import { logFilePath, offsetIndexPath, timeIndexPath, transactionIndexPath } from './file-names.ts';
import { deleteIfExists, deleteTree } from './files.ts';
import { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import type { AppendTarget } from './log-appender.ts';
import { recordMagicOf } from './log-config.ts';
import type { LogConfig } from './log-config.ts';
import { LogLoader } from './log-loader.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import { LogOffsets } from './log-offsets.ts';
import { LogReader } from './log-reader.ts';
import { LogSegment } from './log-segment.ts';
import type { LogSegments } from './log-segments.ts';
import type { TimestampAndOffset } from './log-types.ts';
import { rebuildProducerState } from './producer-state-loading.ts';
import { ProducerStateManager } from './producer-state-manager.ts';
import { belowLogStart, deletableSegments, expiredBySize, expiredByTime } from './retention.ts';
import { SegmentDeletion } from './segment-deletion.ts';
import type { SwapTarget } from './segment-swap.ts';

const FIRST_MAGIC_WITH_EPOCHS = 2;
const EARLIEST_TIMESTAMP = -2;
const LATEST_TIMESTAMP = -1;

export interface LocalLogOptions {
  readonly dir: string;
  /** Whether the folder is there, with nothing in it. */
  readonly isFolderNew: boolean;
  readonly topicPartition: TopicPartition;
  readonly config: LogConfig;
  readonly logStartOffset: number;
  readonly recoveryPoint: number;
  readonly hadCleanShutdown: boolean;
  readonly producerIdExpirationMs: number;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  readonly logger: Logger;
  readonly guard: DiskGuard;
  /** Chance in [0, 1). */
  readonly jitter: () => number;
  /** Runs a flush that nobody waits for. */
  readonly flushLater: (offset: number) => void;
}

/**
 * The segments of a log and what has to change together with them: offsets, leader epochs, producers. `Log` stands
 * before it with the disk guard and the rules for clients. (Later Kafka has the same cut, and the name.)
 */
export class LocalLog implements AppendTarget {
  readonly topicPartition: TopicPartition;
  readonly time: Time;
  readonly logger: Logger;
  readonly producerStateManager: ProducerStateManager;
  readonly segments: LogSegments;
  readonly offsets: LogOffsets;
  readonly reader: LogReader;
  private readonly options: LocalLogOptions;
  private readonly deletion: SegmentDeletion;
  private epochs: LeaderEpochFileCache | null;
  private currentDir: string;
  private currentConfig: LogConfig;
  private truncationCount = 0;

  constructor(options: LocalLogOptions) {
    this.options = options;
    this.currentDir = options.dir;
    this.currentConfig = options.config;
    this.topicPartition = options.topicPartition;
    this.time = options.time;
    this.logger = options.logger;
    this.deletion = new SegmentDeletion({
      time: options.time,
      logger: options.logger,
      delayMs: () => this.config.fileDeleteDelayMs,
      guard: options.guard,
    });
    if (!options.isFolderNew) mkdirSync(options.dir, { recursive: true });
    this.epochs = this.openLeaderEpochCache();
    this.producerStateManager = new ProducerStateManager(
      options.topicPartition,
      options.dir,
      options.producerIdExpirationMs,
      options.logger,
      options.isFolderNew,
    );
    const loaded = this.loadSegments();
    this.segments = loaded.segments;
    this.reader = new LogReader(
      topicPartitionKey(this.topicPartition.topic, this.topicPartition.partition),
      this.segments,
      () => this.offsets,
    );
    this.offsets = new LogOffsets(
      {
        logStartOffset: Math.max(options.logStartOffset, this.segments.first.baseOffset),
        logEndOffset: this.placeOfEnd(loaded.nextOffset),
        recoveryPoint: loaded.recoveryPoint,
      },
      this.producerStateManager,
      (offset) => this.reader.locate(offset),
      options.logger,
    );
    this.epochs?.truncateFromEnd(loaded.nextOffset);
    this.epochs?.truncateFromStart(this.offsets.logStartOffset);
    this.producerStateManager.removeStraySnapshots(this.segmentBaseOffsets);
    this.rebuildProducerState(loaded.nextOffset, options.hadCleanShutdown);
    this.offsets.refreshFirstUnstableOffset();
  }

  get dir(): string {
    return this.currentDir;
  }

  get config(): LogConfig {
    return this.currentConfig;
  }

  get leaderEpochCache(): LeaderEpochFileCache | null {
    return this.epochs;
  }

  get activeSegment(): LogSegment {
    return this.segments.active;
  }

  get segmentBaseOffsets(): number[] {
    return this.segments.toArray().map((segment) => segment.baseOffset);
  }

  /** Counts truncations, so that a flush that took a while knows whether what it flushed is still there. */
  get truncations(): number {
    return this.truncationCount;
  }

  /** What a swap of segments is to be done to. */
  get swapTarget(): SwapTarget {
    return {
      dir: this.dir,
      segments: this.segments,
      deletion: this.deletion,
      producerStateManager: this.producerStateManager,
      openSegment: (baseOffset, fileSuffix, isNew) => this.openSegment(baseOffset, fileSuffix, isNew),
    };
  }

  private get recordMagic(): 0 | 1 | 2 {
    return recordMagicOf(this.config.messageFormatVersion);
  }

  /** ms after which the active segment is rolled: compaction can see a record only in a segment that is not active. */
  maxSegmentMs(): number {
    const { cleanupPolicy, maxCompactionLagMs, segmentMs } = this.config;
    return cleanupPolicy.includes('compact') ? Math.min(maxCompactionLagMs, segmentMs) : segmentMs;
  }

  /** Begins a new segment at the log end, or at `expectedNextOffset` where that is higher. */
  roll(expectedNextOffset: number): LogSegment {
    const baseOffset = Math.max(expectedNextOffset, this.offsets.logEndOffset);
    this.clearWayForSegment(baseOffset);
    // A snapshot at the base offset lets recovery begin with this segment.
    this.producerStateManager.updateMapEndOffset(baseOffset);
    this.producerStateManager.takeSnapshot();
    const segment = this.openSegment(baseOffset, '', true);
    this.segments.add(segment);
    this.offsets.updateLogEndOffset(this.placeOfEnd(this.offsets.logEndOffset));
    this.options.flushLater(baseOffset);
    this.logger.info(`Rolled new log segment at offset ${baseOffset}.`);
    return segment;
  }

  /** @returns false when there was nothing to drop */
  truncateTo(offset: number): boolean {
    invariant(offset >= 0, () => `Cannot truncate partition to a negative offset (${offset})`);
    const { logEndOffset, logStartOffset } = this.offsets;
    if (offset >= logEndOffset) {
      this.logger.info(`Truncating to ${offset} has no effect as the largest offset in the log is ${logEndOffset - 1}`);
      // An epoch that began here but never wrote would contradict the new leader's.
      this.epochs?.truncateFromEnd(logEndOffset);
      return false;
    }
    this.logger.info(`Truncating to offset ${offset}`);
    if (this.segments.first.baseOffset > offset) {
      this.truncateFullyAndStartAt(offset);
      return true;
    }
    const above = this.segments.toArray().filter((segment) => segment.baseOffset > offset);
    this.removeSegments(above, 'as part of log truncation');
    this.segments.active.truncateTo(offset);
    this.epochs?.truncateFromEnd(offset);
    this.completeTruncation(Math.min(offset, logStartOffset), offset);
    return true;
  }

  truncateFullyAndStartAt(offset: number): void {
    this.removeSegments(this.segments.toArray(), 'as part of log truncation');
    this.segments.add(this.openSegment(offset, '', true));
    this.epochs?.clearAndFlush();
    this.producerStateManager.truncateFullyAndStartAt(offset);
    this.completeTruncation(offset, offset);
  }

  /** @returns whether it moved. @throws KafkaError OFFSET_OUT_OF_RANGE above the high watermark */
  maybeIncrementLogStartOffset(offset: number, reason: string): boolean {
    if (offset > this.offsets.highWatermark) {
      throw new KafkaError(
        Errors.OFFSET_OUT_OF_RANGE,
        `Cannot increment the log start offset to ${offset} of partition ` +
          `${topicPartitionKey(this.topicPartition.topic, this.topicPartition.partition)} since it is larger than the ` +
          `high watermark ${this.offsets.highWatermark}`,
      );
    }
    if (offset <= this.offsets.logStartOffset) return false;
    this.offsets.updateLogStartOffset(offset);
    this.logger.info(`Incremented log start offset to ${offset} due to ${reason}`);
    this.epochs?.truncateFromStart(offset);
    this.producerStateManager.onLogStartOffsetIncremented(offset);
    this.offsets.refreshFirstUnstableOffset();
    return true;
  }

  /** As `Log.fetchOffsetByTimestamp`. */
  fetchOffsetByTimestamp(timestamp: number): TimestampAndOffset | null {
    const { logStartOffset, logEndOffset } = this.offsets;
    if (timestamp === EARLIEST_TIMESTAMP) {
      const earliest = this.epochs?.earliestEntry ?? null;
      const isKnown = earliest !== null && earliest.startOffset <= logStartOffset;
      return { timestamp: -1, offset: logStartOffset, leaderEpoch: isKnown ? earliest.epoch : null };
    }
    if (timestamp === LATEST_TIMESTAMP) {
      return { timestamp: -1, offset: logEndOffset, leaderEpoch: this.epochs?.latestEpoch ?? null };
    }
    return this.reader.findByTimestamp(timestamp);
  }

  /** As `Log.deleteOldSegments`. */
  deleteOldSegments(): number {
    const { cleanupPolicy, retentionMs, retentionBytes } = this.config;
    let deleted = 0;
    if (cleanupPolicy.includes('delete')) {
      const byTime = expiredByTime(retentionMs, this.time.milliseconds());
      deleted += this.deleteSegments(byTime, `retention time ${retentionMs}ms breach`);
      const bySize = expiredBySize(retentionBytes, this.segments.sizeInBytes);
      deleted += this.deleteSegments(bySize, `retention size ${retentionBytes} breach`);
    }
    const { logStartOffset } = this.offsets;
    return deleted + this.deleteSegments(belowLogStart(logStartOffset), `log start offset ${logStartOffset} breach`);
  }

  /**
   * Removes the oldest segments that `expired` names, below the high watermark.
   *
   * @returns how many
   */
  private deleteSegments(
    expired: (segment: LogSegment, next: LogSegment | undefined) => boolean,
    reason: string,
  ): number {
    const { highWatermark, logEndOffset } = this.offsets;
    const deletable = deletableSegments({ segments: this.segments, highWatermark, logEndOffset }, expired);
    if (deletable.length === 0) return 0;
    // A log is never without a segment.
    if (deletable.length === this.segments.length) this.roll(0);
    this.removeSegments(deletable, `due to ${reason}`);
    this.maybeIncrementLogStartOffset(this.segments.first.baseOffset, 'segment deletion');
    return deletable.length;
  }

  updateConfig(config: LogConfig): void {
    const oldMagic = this.recordMagic;
    this.currentConfig = config;
    if (this.recordMagic === oldMagic) return;
    if (this.recordMagic < oldMagic) {
      this.logger.warn(`Record format version has been downgraded from V${oldMagic} to V${this.recordMagic}.`);
    }
    this.epochs?.flushNow();
    this.epochs = this.openLeaderEpochCache();
  }

  renameDir(name: string): void {
    const renamed = join(dirname(this.currentDir), name);
    if (renamed === this.currentDir) return;
    this.epochs?.flushNow();
    renameSync(this.currentDir, renamed);
    this.currentDir = renamed;
    for (const segment of this.segments) segment.updateParentDir(renamed);
    this.deletion.updateParentDir(renamed);
    this.producerStateManager.updateParentDir(renamed);
    this.epochs = this.openLeaderEpochCache();
  }

  close(): void {
    this.deletion.cancel();
    this.epochs?.flushNow();
    this.producerStateManager.takeSnapshot();
    for (const segment of this.segments) segment.close();
  }

  closeHandlers(): void {
    this.deletion.cancel();
    for (const segment of this.segments) segment.closeHandlers();
  }

  delete(): void {
    this.closeHandlers();
    deleteTree(this.dir);
  }

  private loadSegments(): ReturnType<LogLoader['load']> {
    return new LogLoader({
      ...this.options,
      recordMagic: this.recordMagic,
      leaderEpochCache: this.epochs,
      producerStateManager: this.producerStateManager,
      deletion: this.deletion,
      openSegment: (baseOffset, fileSuffix, isNew) => this.openSegment(baseOffset, fileSuffix, isNew),
    }).load();
  }

  private openSegment(baseOffset: number, fileSuffix: string, isNew: boolean): LogSegment {
    const { segmentJitterMs, segmentMs } = this.config;
    const rollJitterMs = Math.floor(this.options.jitter() * Math.min(segmentJitterMs, segmentMs));
    const { config, time } = this;
    return LogSegment.open(this.dir, baseOffset, { config, time, fileSuffix, isNew, rollJitterMs });
  }

  private openLeaderEpochCache(): LeaderEpochFileCache | null {
    if (this.recordMagic >= FIRST_MAGIC_WITH_EPOCHS) {
      const logger = this.options.loggers('kafka.server.epoch.LeaderEpochFileCache');
      return new LeaderEpochFileCache(this.dir, () => this.offsets.logEndOffset, logger);
    }
    if (LeaderEpochFileCache.deleteFile(this.dir)) {
      this.logger.warn(`Deleting leader epoch cache due to incompatible message format V${this.recordMagic}`);
    }
    return null;
  }

  private clearWayForSegment(baseOffset: number): void {
    const { active } = this.segments;
    if (active.baseOffset === baseOffset && active.size === 0) {
      // An empty segment is asked to roll when its indexes are made so small that they are full at once (KAFKA-6388).
      this.logger.warn(
        `Trying to roll a new log segment with start offset ${baseOffset} while it is active with size 0.`,
      );
      this.removeSegments([active], 'as part of log roll');
      return;
    }
    invariant(
      baseOffset > active.baseOffset,
      () => `Cannot roll at ${baseOffset}: ${active.toString()} is there already`,
    );
    for (const path of [logFilePath, offsetIndexPath, timeIndexPath, transactionIndexPath]) {
      if (deleteIfExists(path(this.dir, baseOffset))) {
        this.logger.warn(`Newly rolled segment file ${path(this.dir, baseOffset)} already existed; deleted it first`);
      }
    }
    active.onBecomeInactiveSegment();
  }

  private removeSegments(segments: readonly LogSegment[], why: string): void {
    if (segments.length === 0) return;
    this.logger.info(`Deleting segments ${why}: ${segments.join(',')}`);
    for (const segment of segments) this.segments.remove(segment.baseOffset);
    this.deletion.delete(segments, true, this.producerStateManager);
  }

  private completeTruncation(startOffset: number, endOffset: number): void {
    this.truncationCount += 1;
    this.offsets.onTruncation(startOffset, this.placeOfEnd(endOffset));
    this.rebuildProducerState(endOffset, false);
    this.offsets.settleHighWatermark();
  }

  private rebuildProducerState(lastOffset: number, reloadFromCleanShutdown: boolean): void {
    rebuildProducerState({
      segments: this.segments,
      producerStateManager: this.producerStateManager,
      logStartOffset: this.offsets.logStartOffset,
      lastOffset,
      reloadFromCleanShutdown,
      recordMagic: this.recordMagic,
      nowMs: this.time.milliseconds(),
    });
  }

  private placeOfEnd(messageOffset: number): LogOffsetMetadata {
    const { baseOffset, size } = this.segments.active;
    return { messageOffset, segmentBaseOffset: baseOffset, relativePositionInSegment: size };
  }
}
