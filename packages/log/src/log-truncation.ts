import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import type { LogCleanerManager } from './cleaner/log-cleaner-manager.ts';
import type { LogCheckpoints } from './log-checkpoints.ts';
import type { LogPools } from './log-pools.ts';

/** Cuts logs, with what the cleaner and the checkpoints know of them. */
export class LogTruncation {
  private readonly pools: LogPools;
  private readonly checkpoints: LogCheckpoints;
  /** Undefined without `log.cleaner.enable`. */
  private readonly cleaner: LogCleanerManager | undefined;

  constructor(pools: LogPools, checkpoints: LogCheckpoints, cleaner: LogCleanerManager | undefined) {
    this.pools = pools;
    this.checkpoints = checkpoints;
    this.cleaner = cleaner;
  }

  /** As `LogManager.truncateTo`. */
  truncateTo(offsets: ReadonlyMap<string, number>, isFuture: boolean): void {
    // Future logs are never cleaned.
    const cleaner = isFuture ? undefined : this.cleaner;
    const affected = new Set<string>();
    for (const [key, offset] of offsets) {
      const log = this.pools.of(isFuture).get(key);
      if (log === undefined) continue;
      // Only what lies below the active segment is ever cleaned.
      if (offset < log.segmentBaseOffsets.at(-1)!) cleaner?.abortCleaning(key);
      if (log.truncateTo(offset)) affected.add(log.parentDir);
      cleaner?.maybeTruncateCheckpoint(log, key, log.segmentBaseOffsets.at(-1)!);
    }
    for (const dir of affected) this.checkpoints.writeRecoveryPoints(dir);
  }

  /** As `LogManager.truncateFullyAndStartAt`. */
  truncateFullyAndStartAt({ topic, partition }: TopicPartition, offset: number, isFuture: boolean): void {
    const key = topicPartitionKey(topic, partition);
    const log = this.pools.of(isFuture).get(key);
    if (log === undefined) return;
    const cleaner = isFuture ? undefined : this.cleaner;
    cleaner?.abortCleaning(key);
    log.truncateFullyAndStartAt(offset);
    cleaner?.maybeTruncateCheckpoint(log, key, offset);
    this.checkpoints.writeRecoveryPoints(log.parentDir);
  }
}
