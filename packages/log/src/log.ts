import { dirname } from 'node:path';
import { prefixed, topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import { CompactableLog } from './cleaner/compactable-log.ts';
import { DiskGuard } from './disk-guard.ts';
import { FUTURE_DIR_SUFFIX, partitionOfDir } from './file-names.ts';
import { LocalLog } from './local-log.ts';
import type { BufferSource } from './log-file.ts';
import { LogAppender } from './log-appender.ts';
import type { LogConfig } from './log-config.ts';
import { LogFlusher } from './log-flusher.ts';
import { offsetOnly } from './log-offset-metadata.ts';
import type { LogOptions } from './log-options.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type {
  ActiveProducer,
  AppendOrigin,
  FetchDataInfo,
  FetchIsolation,
  LogAppendInfo,
  LogOffsetSnapshot,
  LogStartOffsetIncrementReason,
  TimestampAndOffset,
} from './log-types.ts';
import { TopicId } from './topic-id.ts';

const DEFAULT_PRODUCER_ID_EXPIRATION_MS = 604_800_000;

/**
 * One partition's log: segments on disk, and the offsets, epochs and producers that are kept of it. Everything but
 * `flush` happens at once, on the thread, through the page cache. Counterpart of `kafka.log.Log`.
 */
export class Log {
  readonly topicPartition: TopicPartition;
  /** What the log cleaner works on. */
  readonly compactable: CompactableLog;
  private readonly local: LocalLog;
  private readonly appender: LogAppender;
  private readonly guard: DiskGuard;
  private readonly logger: Logger;
  private readonly id: TopicId;
  private readonly flusher: LogFlusher;
  private isClosed = false;

  private constructor(options: LogOptions, guard: DiskGuard) {
    const { time, loggers, config, dir } = options;
    this.topicPartition = options.topicPartition ?? partitionOfDir(dir);
    const name = topicPartitionKey(this.topicPartition.topic, this.topicPartition.partition);
    this.logger = prefixed(loggers('kafka.log.Log'), `[Log partition=${name}, dir=${dirname(dir)}] `);
    this.guard = guard;
    this.local = new LocalLog({
      dir,
      isFolderNew: options.isFolderNew ?? false,
      topicPartition: this.topicPartition,
      config,
      logStartOffset: options.logStartOffset ?? 0,
      recoveryPoint: options.recoveryPoint ?? 0,
      hadCleanShutdown: options.hadCleanShutdown ?? true,
      producerIdExpirationMs: options.producerIdExpirationMs ?? DEFAULT_PRODUCER_ID_EXPIRATION_MS,
      time,
      loggers,
      logger: this.logger,
      guard,
      jitter: options.jitter ?? (() => 0),
      flushLater: (offset) => {
        time.soon(() => {
          if (!this.isClosed) this.flusher.flushUnwatched(offset);
        });
      },
    });
    this.flusher = new LogFlusher(this.local, guard, this.logger, options.flushTimeMs);
    this.appender = new LogAppender(this.local);
    this.compactable = new CompactableLog(this.local, guard, () => this.toString());
    this.id = new TopicId(dir, options.keepPartitionMetadataFile ?? false);
  }

  /**
   * Opens a partition's folder, putting in order what an unclean stop left.
   *
   * @throws KafkaStorageError when the disk refuses
   */
  static open(options: LogOptions): Log {
    const { dir, onStorageError } = options;
    const { topic, partition } = options.topicPartition ?? partitionOfDir(dir);
    const name = topicPartitionKey(topic, partition);
    const guard = new DiskGuard(name, dirname(dir), onStorageError ?? (() => undefined));
    return guard.run('loading log', () => new Log(options, guard));
  }

  /** The partition's folder. */
  get dir(): string {
    return this.local.dir;
  }

  /** The log dir that holds the folder. */
  get parentDir(): string {
    return dirname(this.local.dir);
  }

  /** Whether this is the copy that shall replace the partition's log in another log dir. */
  get isFuture(): boolean {
    return this.dir.endsWith(FUTURE_DIR_SUFFIX);
  }

  get config(): LogConfig {
    return this.local.config;
  }

  /** The least offset that clients may read, inclusive. */
  get logStartOffset(): number {
    return this.local.offsets.logStartOffset;
  }

  /** The offset that the next record gets. */
  get logEndOffset(): number {
    return this.local.offsets.logEndOffset;
  }

  get logEndOffsetMetadata(): LogOffsetMetadata {
    return this.local.offsets.logEndOffsetMetadata;
  }

  /** Consumers see offsets below this one. */
  get highWatermark(): number {
    return this.local.offsets.highWatermark;
  }

  get highWatermarkMetadata(): LogOffsetMetadata {
    return this.local.offsets.highWatermarkMetadata;
  }

  /** Consumers with read_committed see offsets below this one. */
  get lastStableOffset(): number {
    return this.local.offsets.lastStableOffset;
  }

  /** Everything below is flushed. */
  get recoveryPoint(): number {
    return this.local.offsets.recoveryPoint;
  }

  /** The leader epoch of the latest batch, or the one assigned since; null when there is none. */
  get latestEpoch(): number | null {
    return this.local.leaderEpochCache?.latestEpoch ?? null;
  }

  /** Bytes of all `.log` files. */
  get size(): number {
    return this.local.segments.sizeInBytes;
  }

  get numberOfSegments(): number {
    return this.local.segments.length;
  }

  /** Base offsets of the segments, rising; the last is the active one's. */
  get segmentBaseOffsets(): number[] {
    return this.local.segmentBaseOffsets;
  }

  get firstSegmentBaseOffset(): number {
    return this.local.segments.first.baseOffset;
  }

  /** Base64url topic id from `partition.metadata`; null without one. */
  get topicId(): string | null {
    return this.id.value;
  }

  /** ms since 1970. */
  get lastFlushMs(): number {
    return this.flusher.lastFlushMs;
  }

  /**
   * Appends what a producer or coordinator sent: offsets and leader epoch are stamped into `records` in place where that
   * is possible, else they are written anew.
   *
   * @returns `duplicate` when the batch is one of the producer's last five: nothing was written then
   * @throws KafkaError MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, CORRUPT_MESSAGE, INVALID_RECORD, OUT_OF_ORDER_SEQUENCE_NUMBER,
   *   INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED
   * @throws RecordsError (with `errorName`), of which RecordValidationError names each refused record
   * @throws KafkaStorageError
   */
  appendAsLeader(records: Buffer, leaderEpoch: number, origin: AppendOrigin = 'Client'): LogAppendInfo {
    return this.afterAppend(
      this.guard.run('appending records', () => this.appender.asLeader(records, leaderEpoch, origin)),
    );
  }

  /**
   * Appends what the leader sent, offsets and epochs as they are.
   *
   * @throws UnexpectedAppendOffsetError when it begins before the log end offset
   * @throws KafkaError, KafkaStorageError
   */
  appendAsFollower(records: Buffer): LogAppendInfo {
    return this.afterAppend(this.guard.run('appending records', () => this.appender.asFollower(records)));
  }

  /**
   * Reads from the batch that holds `startOffset` on, out of one segment.
   *
   * @param maxLength bytes; the last batch may be cut off by it
   * @param minOneMessage whether the first batch comes whole even if it is longer
   * @param source gives the buffer that is read into; default: a new one
   * @throws KafkaError OFFSET_OUT_OF_RANGE below the log start or above the log end
   * @throws KafkaStorageError
   */
  read(
    startOffset: number,
    maxLength: number,
    isolation: FetchIsolation,
    minOneMessage: boolean,
    source?: BufferSource,
  ): FetchDataInfo {
    const { reader } = this.local;
    return this.guard.run('reading', () => reader.read(startOffset, maxLength, isolation, minOneMessage, source));
  }

  /** Sets the high watermark, kept between log start and log end; returns where it is now. */
  updateHighWatermark(offset: number): number {
    return this.local.offsets.updateHighWatermark(offsetOnly(offset));
  }

  /** Moves the high watermark up, never down; returns the old one if it moved, else null. */
  maybeIncrementHighWatermark(newHighWatermark: LogOffsetMetadata): LogOffsetMetadata | null {
    return this.local.offsets.maybeIncrementHighWatermark(newHighWatermark);
  }

  /** The four offsets with their places. */
  fetchOffsetSnapshot(): LogOffsetSnapshot {
    return this.guard.run('reading', () => this.local.offsets.snapshot());
  }

  /**
   * Moves the log start offset up (DeleteRecords, or a leader's that moved).
   *
   * @returns whether it moved
   * @throws KafkaError OFFSET_OUT_OF_RANGE above the high watermark
   */
  maybeIncrementLogStartOffset(offset: number, reason: LogStartOffsetIncrementReason): boolean {
    return this.guard.run('increasing log start offset', () => this.local.maybeIncrementLogStartOffset(offset, reason));
  }

  /**
   * The first offset at or after a time, for ListOffsets.
   *
   * @param timestamp ms; -2 for the log start offset, -1 for the log end offset
   * @returns null when no record is that late
   */
  fetchOffsetByTimestamp(timestamp: number): TimestampAndOffset | null {
    return this.guard.run('fetching offset by timestamp', () => this.local.fetchOffsetByTimestamp(timestamp));
  }

  /** Where a leader epoch ends, for OffsetsForLeaderEpoch; null when it is unknown. */
  endOffsetForEpoch(leaderEpoch: number): { leaderEpoch: number; offset: number } | null {
    return this.local.leaderEpochCache?.endOffsetFor(leaderEpoch) ?? null;
  }

  /**
   * Notes that a leader epoch begins at an offset; a new leader does so before its first append. `flushLeaderEpochs`
   * brings it to the disk.
   */
  maybeAssignEpochStartOffset(leaderEpoch: number, startOffset: number): void {
    const isLogEmpty = this.logStartOffset === this.logEndOffset;
    this.guard.run('assigning leader epoch', () =>
      this.local.leaderEpochCache?.assignUnwritten(leaderEpoch, startOffset, isLogEmpty),
    );
  }

  /** Whether an assigned leader epoch waits for `flushLeaderEpochs`. */
  get hasUnwrittenLeaderEpoch(): boolean {
    return this.local.leaderEpochCache?.isUnwritten ?? false;
  }

  /** Brings assigned leader epochs to the disk. @throws KafkaStorageError */
  flushLeaderEpochsNow(): void {
    this.guard.run('flushing leader epochs', () => this.local.leaderEpochCache?.flushNow());
  }

  /** As `flushLeaderEpochsNow`, off the thread. @throws KafkaStorageError */
  async flushLeaderEpochs(): Promise<void> {
    await this.guard.runInBackground('flushing leader epochs', async () => {
      await this.local.leaderEpochCache?.flushInBackground();
    });
  }

  /**
   * Drops everything at and above `offset`.
   *
   * @returns false when there was nothing to drop
   * @throws KafkaStorageError
   */
  truncateTo(offset: number): boolean {
    return this.guard.run(`truncating log to offset ${offset}`, () => this.local.truncateTo(offset));
  }

  /** Drops everything; the next record gets `offset`. @throws KafkaStorageError */
  truncateFullyAndStartAt(offset: number): void {
    this.guard.run('truncating the entire log', () => {
      this.local.truncateFullyAndStartAt(offset);
    });
  }

  /**
   * Flushes what lies below `offset` (by default everything) to the disk, off the thread, and moves the recovery point.
   *
   * @throws KafkaStorageError
   */
  async flush(offset = this.logEndOffset): Promise<void> {
    await this.flusher.flush(offset);
  }

  /** Flushes everything before it returns. @throws KafkaStorageError */
  flushNow(): void {
    this.flusher.flushNow(this.logEndOffset);
  }

  /** Begins a new segment, at the log end or above. The old one is flushed in the background. @throws KafkaStorageError */
  roll(expectedNextOffset = 0): void {
    this.guard.run('rolling log segment', () => this.local.roll(expectedNextOffset));
  }

  /**
   * Removes segments that retention lets go, as `cleanup.policy` has it.
   *
   * @returns how many
   */
  deleteOldSegments(): number {
    return this.guard.run('deleting segments', () => this.local.deleteOldSegments());
  }

  /** New settings, from now on. Index sizes and intervals count for segments to come. */
  updateConfig(config: LogConfig): void {
    this.guard.run('updating config', () => {
      this.local.updateConfig(config);
    });
  }

  /** Producers that this partition remembers (`DescribeProducers`). */
  activeProducers(): ActiveProducer[] {
    return this.local.producerStateManager.describeProducers();
  }

  /** Forgets producer ids that were idle for too long; to be called every ten minutes. */
  removeExpiredProducers(): void {
    this.local.producerStateManager.removeExpiredProducers(this.local.time.milliseconds());
  }

  /** Writes the topic id into `partition.metadata`, where the inter-broker protocol has topic ids. */
  assignTopicId(topicId: string): void {
    this.guard.run('writing partition metadata', () => {
      this.id.assign(this.dir, topicId);
    });
  }

  /** Gives the folder another name within its log dir. */
  renameDir(name: string): void {
    this.guard.run('renaming dir', () => {
      this.local.renameDir(name);
    });
  }

  /** Takes a snapshot of the producers, trims the indexes and closes all files. Flush before. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.guard.run('closing log', () => {
      this.local.close();
    });
  }

  /** Closes files as they are: for a log dir that failed. */
  closeHandlers(): void {
    this.isClosed = true;
    this.local.closeHandlers();
  }

  /** Removes the folder with everything in it. */
  delete(): void {
    this.isClosed = true;
    this.guard.run('deleting log', () => {
      this.local.delete();
    });
  }

  toString(): string {
    const { topic, partition } = this.topicPartition;
    return (
      `Log(dir=${this.dir}, topic=${topic}, partition=${partition}, highWatermark=${this.highWatermark}, ` +
      `lastStableOffset=${this.lastStableOffset}, logStartOffset=${this.logStartOffset}, logEndOffset=${this.logEndOffset})`
    );
  }

  private afterAppend(info: LogAppendInfo): LogAppendInfo {
    if (!info.duplicate && this.logEndOffset - this.recoveryPoint >= this.config.flushMessages) this.flushNow();
    return info;
  }
}
