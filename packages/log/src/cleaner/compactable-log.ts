import type { TopicPartition } from '@klassic/common';
import type { DiskGuard } from '../disk-guard.ts';
import type { LocalLog } from '../local-log.ts';
import type { LogConfig } from '../log-config.ts';
import type { LogSegment } from '../log-segment.ts';
import { newCleanedSegment, replaceSegments, splitOverflowedSegment } from '../segment-swap.ts';
import type { AbortedTxn } from '../transaction-index.ts';

/** What is remembered of a producer id that is still active. */
export interface LastRecord {
  /** Last offset of its last batch; null when all that is known of it is a marker. */
  readonly lastDataOffset: number | null;
  readonly producerEpoch: number;
}

/** What the cleaner may see of a log, and do to it. */
export class CompactableLog {
  private readonly local: LocalLog;
  private readonly guard: DiskGuard;
  private readonly describe: () => string;

  /** @param describe the log as the cleaner's messages name it */
  constructor(local: LocalLog, guard: DiskGuard, describe: () => string) {
    this.local = local;
    this.guard = guard;
    this.describe = describe;
  }

  get topicPartition(): TopicPartition {
    return this.local.topicPartition;
  }

  get config(): LogConfig {
    return this.local.config;
  }

  get logStartOffset(): number {
    return this.local.offsets.logStartOffset;
  }

  get logEndOffset(): number {
    return this.local.offsets.logEndOffset;
  }

  get lastStableOffset(): number {
    return this.local.offsets.lastStableOffset;
  }

  get activeSegment(): LogSegment {
    return this.local.activeSegment;
  }

  /** Segments that may hold offsets from `from` to below `to`. */
  segments(from: number, to: number): LogSegment[] {
    return this.local.segments.range(from, to);
  }

  /** As `segments`, up to the active segment, without that. */
  nonActiveSegmentsFrom(from: number): LogSegment[] {
    return this.segments(from, this.activeSegment.baseOffset);
  }

  collectAbortedTransactions(startOffset: number, upperBoundOffset: number): AbortedTxn[] {
    return this.local.reader.collectAbortedTransactions(startOffset, upperBoundOffset);
  }

  /** By producer id. */
  lastRecordsOfActiveProducers(): Map<number, LastRecord> {
    const records = new Map<number, LastRecord>();
    for (const [producerId, entry] of this.local.producerStateManager.activeProducers) {
      const lastDataOffset = entry.isEmpty ? null : entry.lastDataOffset;
      records.set(producerId, { lastDataOffset, producerEpoch: entry.producerEpoch });
    }
    return records;
  }

  newCleanedSegment(baseOffset: number): LogSegment {
    return newCleanedSegment(this.local.swapTarget, baseOffset);
  }

  replaceSegments(newSegment: LogSegment, oldSegments: readonly LogSegment[]): void {
    replaceSegments(this.local.swapTarget, [newSegment], oldSegments);
  }

  splitOverflowedSegment(segment: LogSegment): void {
    splitOverflowedSegment(this.local.swapTarget, segment, this.local.logger);
  }

  /** Runs a task on the disk. @throws KafkaStorageError when the system refuses */
  run(doing: string, task: () => Promise<void>): Promise<void> {
    return this.guard.runInBackground(doing, task);
  }

  toString(): string {
    return this.describe();
  }
}
