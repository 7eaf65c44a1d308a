import { invariant } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { isOffsetOnly, offsetOnly, onOlderSegment } from './log-offset-metadata.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type { LogOffsetSnapshot } from './log-types.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';

/**
 * The offsets that a log is known by, and the rules by which they move:
 * log start ≤ last stable ≤ high watermark ≤ log end, and recovery point ≤ log end.
 */
export class LogOffsets {
  private readonly producerStateManager: ProducerStateManager;
  /** Finds the place of an offset in the log. */
  private readonly locate: (offset: number) => LogOffsetMetadata;
  private readonly logger: Logger;
  private start: number;
  private end: LogOffsetMetadata;
  private high: LogOffsetMetadata;
  private firstUnstable: LogOffsetMetadata | null = null;
  /** Everything below is on the disk for sure; recovery after an unclean stop begins here. */
  private recovery: number;

  constructor(
    initial: { logStartOffset: number; logEndOffset: LogOffsetMetadata; recoveryPoint: number },
    producerStateManager: ProducerStateManager,
    locate: (offset: number) => LogOffsetMetadata,
    logger: Logger,
  ) {
    this.producerStateManager = producerStateManager;
    this.locate = locate;
    this.logger = logger;
    this.start = initial.logStartOffset;
    this.end = initial.logEndOffset;
    this.high = offsetOnly(initial.logStartOffset);
    this.recovery = Math.max(initial.recoveryPoint, initial.logStartOffset);
  }

  get logStartOffset(): number {
    return this.start;
  }

  get logEndOffsetMetadata(): LogOffsetMetadata {
    return this.end;
  }

  get logEndOffset(): number {
    return this.end.messageOffset;
  }

  get recoveryPoint(): number {
    return this.recovery;
  }

  get highWatermark(): number {
    return this.high.messageOffset;
  }

  /** With its place, which is looked up when it is not known yet. */
  get highWatermarkMetadata(): LogOffsetMetadata {
    if (isOffsetOnly(this.high)) this.setHighWatermark(this.locate(this.high.messageOffset));
    return this.high;
  }

  /** Consumers with read_committed see offsets below this one. */
  get lastStableOffset(): number {
    const unstable = this.firstUnstable;
    return unstable !== null && unstable.messageOffset < this.highWatermark
      ? unstable.messageOffset
      : this.highWatermark;
  }

  get lastStableOffsetMetadata(): LogOffsetMetadata {
    const high = this.highWatermarkMetadata;
    const unstable = this.firstUnstable;
    if (unstable === null || unstable.messageOffset >= high.messageOffset) return high;
    if (!isOffsetOnly(unstable)) return unstable;
    this.firstUnstable = this.locate(unstable.messageOffset);
    return this.firstUnstable;
  }

  snapshot(): LogOffsetSnapshot {
    return {
      logStartOffset: this.start,
      logEndOffset: this.end,
      highWatermark: this.highWatermarkMetadata,
      lastStableOffset: this.lastStableOffsetMetadata,
    };
  }

  /** Sets the high watermark, kept within log start and log end. Returns where it is now. */
  updateHighWatermark(wanted: LogOffsetMetadata): number {
    if (wanted.messageOffset < this.start) this.setHighWatermark(offsetOnly(this.start));
    else if (wanted.messageOffset >= this.end.messageOffset) this.setHighWatermark(this.end);
    else this.setHighWatermark(wanted);
    return this.highWatermark;
  }

  /** Moves the high watermark up only; also when the same offset now lies in a newer segment. Returns the old one if it moved. */
  maybeIncrementHighWatermark(wanted: LogOffsetMetadata): LogOffsetMetadata | null {
    invariant(
      wanted.messageOffset <= this.end.messageOffset,
      () => `High watermark ${wanted.messageOffset} update exceeds current log end offset ${this.end.messageOffset}`,
    );
    const old = this.highWatermarkMetadata;
    const isNewerPlace = old.messageOffset === wanted.messageOffset && onOlderSegment(old, wanted);
    if (old.messageOffset >= wanted.messageOffset && !isNewerPlace) return null;
    this.setHighWatermark(wanted);
    return old;
  }

  /** The log ends elsewhere now, or in another segment. */
  updateLogEndOffset(end: LogOffsetMetadata): void {
    this.end = end;
    if (this.highWatermark >= end.messageOffset) this.setHighWatermark(end);
    this.recovery = Math.min(this.recovery, end.messageOffset);
  }

  updateLogStartOffset(offset: number): void {
    this.start = offset;
    if (this.highWatermark < offset) this.updateHighWatermark(offsetOnly(offset));
    this.recovery = Math.max(this.recovery, offset);
  }

  /** Everything below `offset` was flushed. */
  advanceRecoveryPoint(offset: number): void {
    this.recovery = Math.max(this.recovery, Math.min(offset, this.logEndOffset));
  }

  /** The log was cut: its end (and start, where it was emptied) came down. The producers' state is to be rebuilt before `settleHighWatermark`. */
  onTruncation(start: number, end: LogOffsetMetadata): void {
    this.start = start;
    this.end = end;
    this.recovery = Math.min(this.recovery, end.messageOffset);
  }

  settleHighWatermark(): void {
    this.updateHighWatermark(offsetOnly(Math.min(this.highWatermark, this.logEndOffset)));
  }

  /** Takes the first unstable offset from the producers' state again, after that changed. */
  refreshFirstUnstableOffset(): void {
    const unstable = this.producerStateManager.firstUnstableOffset;
    const needsPlace = unstable !== null && (isOffsetOnly(unstable) || unstable.messageOffset < this.start);
    this.firstUnstable = needsPlace ? this.locate(Math.max(unstable.messageOffset, this.start)) : unstable;
  }

  private setHighWatermark(metadata: LogOffsetMetadata): void {
    invariant(metadata.messageOffset >= 0, 'High watermark offset should be non-negative');
    if (metadata.messageOffset < this.high.messageOffset) {
      this.logger.warn(
        `Non-monotonic update of high watermark from ${JSON.stringify(this.high)} to ${JSON.stringify(metadata)}`,
      );
    }
    this.high = metadata;
    this.producerStateManager.onHighWatermarkUpdated(metadata.messageOffset);
    this.refreshFirstUnstableOffset();
  }
}
