import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import type { LogCleanerManager } from './cleaner/log-cleaner-manager.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import type { LogCheckpoints } from './log-checkpoints.ts';
import type { LogFolders } from './log-folders.ts';
import type { LogPools } from './log-pools.ts';
import type { Log } from './log.ts';

export interface LogDeletionOptions {
  readonly pools: LogPools;
  readonly folders: LogFolders;
  readonly checkpoints: LogCheckpoints;
  /** Undefined without `log.cleaner.enable`. */
  readonly cleaner: LogCleanerManager | undefined;
  readonly offlineLogDirs: () => readonly string[];
}

/** Takes logs out of use, with what the cleaner and the checkpoints know of them. */
export class LogDeletion {
  private readonly options: LogDeletionOptions;

  constructor(options: LogDeletionOptions) {
    this.options = options;
  }

  /** As `LogManager.asyncDelete`. */
  asyncDelete(topicPartition: TopicPartition, isFuture: boolean): Log | undefined {
    const log = this.takeOut(topicPartition, isFuture);
    if (log !== undefined) {
      this.updateCheckpoints(log.parentDir);
      return log;
    }
    const offline = this.options.offlineLogDirs().join(',');
    if (offline === '') return undefined;
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    throw new KafkaStorageError(
      offline,
      `Failed to delete log for ${isFuture ? 'future ' : ''}${key} because it may be in one of the offline directories ` +
        offline,
    );
  }

  /** As `LogManager.asyncDeleteAll`. */
  asyncDeleteAll(
    topicPartitions: Iterable<TopicPartition>,
    onError: (topicPartition: TopicPartition, error: KafkaStorageError) => void,
  ): void {
    const affected = new Set<string>();
    for (const topicPartition of topicPartitions) {
      try {
        for (const isFuture of [false, true]) {
          const log = this.takeOut(topicPartition, isFuture);
          if (log !== undefined) affected.add(log.parentDir);
        }
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        onError(topicPartition, error);
      }
    }
    for (const dir of affected) this.updateCheckpoints(dir);
  }

  private takeOut({ topic, partition }: TopicPartition, isFuture: boolean): Log | undefined {
    const { pools, folders, cleaner } = this.options;
    const key = topicPartitionKey(topic, partition);
    const pool = pools.of(isFuture);
    const log = pool.get(key);
    if (log === undefined) return undefined;
    pool.delete(key);
    if (isFuture) cleaner?.resumeCleaning(key);
    else cleaner?.forget(key);
    folders.deleteLog(log);
    return log;
  }

  private updateCheckpoints(dir: string): void {
    this.options.cleaner?.updateCheckpoints(dir);
    this.options.checkpoints.writeAll(dir);
  }
}
