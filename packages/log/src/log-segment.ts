import { utimesSync } from 'node:fs';
import type { Time } from '@klassic/common';
import type { BatchLocation } from './batch-header.ts';
import { logFilePath, offsetIndexPath, timeIndexPath, transactionIndexPath } from './file-names.ts';
import { flushInBackground } from './files.ts';
import type { LogConfig } from './log-config.ts';
import { LogFile } from './log-file.ts';
import type { BufferSource } from './log-file.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import { OffsetIndex } from './offset-index.ts';
import type { CompletedTxn } from './producer-append-info.ts';
import { TimeIndex } from './time-index.ts';
import { TransactionIndex } from './transaction-index.ts';

const NO_TIMESTAMP = -1;

/** What decides whether the next append goes into a new segment. */
export interface RollParams {
  readonly maxSegmentMs: number;
  readonly maxSegmentBytes: number;
  readonly maxTimestampInMessages: number;
  readonly maxOffsetInMessages: number;
  readonly messagesSize: number;
  readonly nowMs: number;
}

export interface SegmentRead {
  readonly fetchOffsetMetadata: LogOffsetMetadata;
  readonly records: Buffer;
  readonly firstEntryIncomplete: boolean;
}

export interface SegmentOptions {
  readonly config: LogConfig;
  readonly time: Time;
  /** `.cleaned`, `.swap` or nothing. */
  readonly fileSuffix?: string;
  /** True for a segment that begins now: its file is preallocated when the config says so. */
  readonly isNew?: boolean;
  /** ms that this segment rolls earlier than `segment.ms`. */
  readonly rollJitterMs?: number;
}

/** A stretch of a log in one `.log` file with its indexes. Counterpart of `kafka.log.LogSegment`. */
export class LogSegment {
  readonly baseOffset: number;
  readonly log: LogFile;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  readonly txnIndex: TransactionIndex;
  private readonly time: Time;
  private readonly indexIntervalBytes: number;
  private readonly rollJitterMs: number;
  private createdMs: number;
  private bytesSinceLastIndexEntry = 0;
  /** Timestamp of the first batch, for rolling by time; null when not known yet. */
  private rollingBasedTimestamp: number | null = null;
  private maxTimestampSeen: number | null = null;
  private offsetOfMaxTimestampSeen: number | null = null;

  private constructor(baseOffset: number, log: LogFile, dir: string, options: SegmentOptions) {
    const { config, fileSuffix = '' } = options;
    this.baseOffset = baseOffset;
    this.log = log;
    this.offsetIndex = new OffsetIndex(
      offsetIndexPath(dir, baseOffset, fileSuffix),
      baseOffset,
      config.segmentIndexBytes,
    );
    this.timeIndex = new TimeIndex(timeIndexPath(dir, baseOffset, fileSuffix), baseOffset, config.segmentIndexBytes);
    this.txnIndex = new TransactionIndex(transactionIndexPath(dir, baseOffset, fileSuffix), baseOffset);
    this.time = options.time;
    this.indexIntervalBytes = config.indexIntervalBytes;
    this.rollJitterMs = options.rollJitterMs ?? 0;
    this.createdMs = options.time.milliseconds();
  }

  /** Opens the segment's files, making the `.log` when there is none; indexes are opened or made on first use. */
  static open(dir: string, baseOffset: number, options: SegmentOptions): LogSegment {
    const path = logFilePath(dir, baseOffset, options.fileSuffix);
    const preallocate = options.isNew === true && options.config.preallocate;
    const log = preallocate ? LogFile.preallocate(path, options.config.segmentBytes) : LogFile.open(path);
    return new LogSegment(baseOffset, log, dir, options);
  }

  /** Bytes of batches. */
  get size(): number {
    return this.log.sizeInBytes;
  }

  /** ms; -1 when no batch has a timestamp. */
  get maxTimestampSoFar(): number {
    this.maxTimestampSeen ??= this.timeIndex.lastEntry.timestamp;
    return this.maxTimestampSeen;
  }

  get offsetOfMaxTimestampSoFar(): number {
    this.offsetOfMaxTimestampSeen ??= this.timeIndex.lastEntry.offset;
    return this.offsetOfMaxTimestampSeen;
  }

  /** Greatest timestamp of a record, ms; the file's last write where records have none. Retention goes by it. */
  get largestTimestamp(): number {
    return this.maxTimestampSoFar >= 0 ? this.maxTimestampSoFar : this.log.lastModifiedMs;
  }

  /** ms; -1 when the first batch has none; null without a batch. */
  get firstBatchTimestamp(): number | null {
    this.rollingBasedTimestamp ??= this.log.find(0, () => true)?.maxTimestamp ?? null;
    return this.rollingBasedTimestamp;
  }

  get hasRecordTimestamp(): boolean {
    return this.maxTimestampSoFar >= 0;
  }

  shouldRoll(params: RollParams): boolean {
    return (
      this.size > params.maxSegmentBytes - params.messagesSize ||
      (this.size > 0 &&
        this.timeWaitedForRoll(params.nowMs, params.maxTimestampInMessages) >
          params.maxSegmentMs - this.rollJitterMs) ||
      this.offsetIndex.isFull ||
      this.timeIndex.isFull ||
      !this.canConvertToRelativeOffset(params.maxOffsetInMessages)
    );
  }

  canConvertToRelativeOffset(offset: number): boolean {
    return this.offsetIndex.canAppendOffset(offset);
  }

  resizeIndexes(size: number): void {
    this.offsetIndex.resize(size);
    this.timeIndex.resize(size);
  }

  /**
   * Writes whole batches at the end, in one write, and an index entry when enough bytes went by since the last.
   *
   * @param largestOffset last offset of the batches, inclusive
   * @param largestTimestamp ms, -1 for none
   */
  append(largestOffset: number, largestTimestamp: number, offsetOfMaxTimestamp: number, records: Buffer): void {
    if (records.length === 0) return;
    const position = this.log.sizeInBytes;
    if (position === 0) this.rollingBasedTimestamp = largestTimestamp;
    this.log.append(records);
    if (largestTimestamp > this.maxTimestampSoFar) {
      this.maxTimestampSeen = largestTimestamp;
      this.offsetOfMaxTimestampSeen = offsetOfMaxTimestamp;
    }
    if (this.bytesSinceLastIndexEntry > this.indexIntervalBytes) {
      this.offsetIndex.append(largestOffset, position);
      this.timeIndex.maybeAppend(this.maxTimestampSoFar, this.offsetOfMaxTimestampSoFar);
      this.bytesSinceLastIndexEntry = 0;
    }
    this.bytesSinceLastIndexEntry += records.length;
  }

  updateTxnIndex(completed: CompletedTxn, lastStableOffset: number): void {
    if (!completed.isAborted) return;
    const { producerId, firstOffset, lastOffset } = completed;
    this.txnIndex.append({ producerId, firstOffset, lastOffset, lastStableOffset });
  }

  /** The batch that holds `offset`, or the first after it; null when the segment ends before it. */
  translateOffset(offset: number): BatchLocation | null {
    const { position } = this.offsetIndex.lookup(offset);
    return this.log.find(position, (batch) => batch.lastOffset >= offset);
  }

  /**
   * Reads from the batch that holds `startOffset` on.
   *
   * @param maxSize bytes; the first batch comes whole all the same when `minOneMessage`
   * @param maxPosition exclusive end in the file
   * @param source gives the buffer; default: a new one
   * @returns null when the segment has no batch at or after the offset
   */
  read(
    startOffset: number,
    maxSize: number,
    maxPosition: number,
    minOneMessage: boolean,
    source?: BufferSource,
  ): SegmentRead | null {
    const start = this.translateOffset(startOffset);
    if (start === null) return null;
    const fetchOffsetMetadata: LogOffsetMetadata = {
      messageOffset: startOffset,
      segmentBaseOffset: this.baseOffset,
      relativePositionInSegment: start.position,
    };
    const limit = minOneMessage ? Math.max(maxSize, start.sizeInBytes) : maxSize;
    const length = Math.min(maxPosition - start.position, limit);
    const records = length > 0 ? this.log.read(start.position, length, source) : Buffer.alloc(0);
    return { fetchOffsetMetadata, records, firstEntryIncomplete: limit > 0 && limit < start.sizeInBytes };
  }

  /** Position of the batch that holds `offset`, without reading it; null when the segment ends before it. */
  positionOf(offset: number): LogOffsetMetadata | null {
    const batch = this.translateOffset(offset);
    if (batch === null) return null;
    return { messageOffset: offset, segmentBaseOffset: this.baseOffset, relativePositionInSegment: batch.position };
  }

  fetchUpperBoundOffset(position: number, fetchSize: number): number | null {
    return this.offsetIndex.fetchUpperBoundOffset(position, fetchSize);
  }

  /** Drops batches at and above `offset`. Returns how many bytes went. */
  truncateTo(offset: number): number {
    const mapping = this.translateOffset(offset);
    // Asked before the time index is cut: the reference asks after, and can take a segment for one without timestamps.
    const hasTimestamps = this.hasRecordTimestamp;
    this.offsetIndex.truncateTo(offset);
    this.timeIndex.truncateTo(offset);
    this.txnIndex.truncateTo(offset);
    this.offsetIndex.resize(this.offsetIndex.maxIndexSize);
    this.timeIndex.resize(this.timeIndex.maxIndexSize);
    const removed = mapping === null ? 0 : this.log.truncateTo(mapping.position);
    if (this.size === 0) {
      this.createdMs = this.time.milliseconds();
      this.rollingBasedTimestamp = null;
    }
    this.bytesSinceLastIndexEntry = 0;
    if (hasTimestamps) this.loadLargestTimestamp();
    return removed;
  }

  /** The offset after the last batch; the base offset when empty. */
  readNextOffset(): number {
    const from = this.offsetIndex.lookup(this.offsetIndex.lastOffset).position;
    let next = this.baseOffset;
    this.log.find(from, (batch) => {
      next = batch.lastOffset + 1;
      return false;
    });
    return next;
  }

  /** Whether an offset of the segment is too far from its base for an index entry (logs from before KAFKA-5413). */
  hasOverflow(): boolean {
    const next = this.readNextOffset();
    return next > this.baseOffset && !this.canConvertToRelativeOffset(next - 1);
  }

  /** ms between the first batch (or the segment's making, where batches have no timestamp) and the append at hand. */
  timeWaitedForRoll(nowMs: number, messageTimestamp: number): number {
    const first = this.firstBatchTimestamp;
    return first !== null && first >= 0 ? messageTimestamp - first : nowMs - this.createdMs;
  }

  /** Starts the maxima over, for recovery. */
  resetMaxTimestamp(): void {
    this.maxTimestampSeen = NO_TIMESTAMP;
    this.offsetOfMaxTimestampSeen = null;
  }

  /** Notes a batch that recovery or `append` found. */
  noteTimestamp(timestamp: number, offset: number): void {
    if (timestamp <= this.maxTimestampSoFar) return;
    this.maxTimestampSeen = timestamp;
    this.offsetOfMaxTimestampSeen = offset;
  }

  /** The segment gets no more appends: the last time index entry is written, index files are trimmed. */
  onBecomeInactiveSegment(): void {
    this.timeIndex.maybeAppend(this.maxTimestampSoFar, this.offsetOfMaxTimestampSoFar, true);
    this.offsetIndex.trimToValidSize();
    this.timeIndex.trimToValidSize();
    this.log.trim();
  }

  /** fsync of all files; this blocks. */
  flush(): void {
    this.log.flush();
    this.offsetIndex.flush();
    this.timeIndex.flush();
    this.txnIndex.flush();
  }

  /** fsync of all files off the thread. */
  async flushInBackground(): Promise<void> {
    this.offsetIndex.writePending();
    this.timeIndex.writePending();
    for (const file of [this.log, this.offsetIndex, this.timeIndex, this.txnIndex]) await flushInBackground(file.path);
  }

  updateParentDir(dir: string): void {
    this.log.updateParentDir(dir);
    this.offsetIndex.updateParentDir(dir);
    this.timeIndex.updateParentDir(dir);
    this.txnIndex.updateParentDir(dir);
  }

  changeFileSuffixes(oldSuffix: string, newSuffix: string): void {
    for (const file of [this.log, this.offsetIndex, this.timeIndex, this.txnIndex]) {
      file.renameTo(file.path.slice(0, file.path.length - oldSuffix.length) + newSuffix);
    }
  }

  /** Sets the time of the last write, ms, as the cleaner does for what it rewrites. */
  setLastModified(ms: number): void {
    for (const file of [this.log, this.offsetIndex, this.timeIndex]) utimesSync(file.path, ms / 1000, ms / 1000);
  }

  close(): void {
    if (this.maxTimestampSeen !== null || this.offsetOfMaxTimestampSeen !== null) {
      this.timeIndex.maybeAppend(this.maxTimestampSoFar, this.offsetOfMaxTimestampSoFar, true);
    }
    this.offsetIndex.close();
    this.timeIndex.close();
    this.log.close();
    this.txnIndex.close();
  }

  /** Closes files as they are, for a disk that failed. */
  closeHandlers(): void {
    this.offsetIndex.closeHandler();
    this.timeIndex.closeHandler();
    this.log.closeHandler();
    this.txnIndex.close();
  }

  deleteIfExists(): void {
    this.log.deleteIfExists();
    this.offsetIndex.deleteIfExists();
    this.timeIndex.deleteIfExists();
    this.txnIndex.deleteIfExists();
  }

  toString(): string {
    return (
      `LogSegment(baseOffset=${this.baseOffset}, size=${this.size}, lastModifiedTime=${this.log.lastModifiedMs}, ` +
      `largestRecordTimestamp=${this.maxTimestampSoFar >= 0 ? `Some(${this.maxTimestampSoFar})` : 'None'})`
    );
  }

  private loadLargestTimestamp(): void {
    const last = this.timeIndex.lastEntry;
    this.maxTimestampSeen = last.timestamp;
    this.offsetOfMaxTimestampSeen = last.offset;
    this.log.find(this.offsetIndex.lookup(last.offset).position, (batch) => {
      this.noteTimestamp(batch.maxTimestamp, batch.lastOffset);
      return false;
    });
  }
}
