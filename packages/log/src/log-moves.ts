import { topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import type { LogCleanerManager } from './cleaner/log-cleaner-manager.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import type { LogCheckpoints } from './log-checkpoints.ts';
import type { LogFolders } from './log-folders.ts';
import type { LogPools } from './log-pools.ts';

export interface LogMovesOptions {
  readonly pools: LogPools;
  readonly folders: LogFolders;
  readonly checkpoints: LogCheckpoints;
  /** Undefined without `log.cleaner.enable`. */
  readonly cleaner: LogCleanerManager | undefined;
  readonly logger: Logger;
}

/** Moves of partitions from one log dir to another (KIP-113): a future log is filled, then takes the place of the old. */
export class LogMoves {
  private readonly options: LogMovesOptions;

  constructor(options: LogMovesOptions) {
    this.options = options;
  }

  /** As `LogManager.maybeUpdatePreferredLogDir`. */
  maybeUpdatePreferredLogDir({ topic, partition }: TopicPartition, logDir: string): void {
    const { pools, folders } = this.options;
    const key = topicPartitionKey(topic, partition);
    const isThere = [pools.current, pools.future].some((pool) => pool.get(key)?.parentDir === logDir);
    if (!isThere) folders.prefer(key, logDir);
  }

  /** As `LogManager.replaceCurrentWithFutureLog`. */
  replaceCurrentWithFutureLog({ topic, partition }: TopicPartition): void {
    const { pools, folders, checkpoints, cleaner, logger } = this.options;
    const key = topicPartitionKey(topic, partition);
    const source = pools.current.get(key);
    const destination = pools.future.get(key);
    logger.info(
      `Attempting to replace current log ${source?.toString() ?? 'null'} with ${destination?.toString() ?? 'null'} for ${key}`,
    );
    if (source === undefined) throw new KafkaStorageError('', `The current replica for ${key} is offline`);
    if (destination === undefined) throw new KafkaStorageError('', `The future replica for ${key} is offline`);
    destination.renameDir(key);
    destination.updateHighWatermark(source.highWatermark);
    // From here on the destination is the partition's log, whatever becomes of the source.
    pools.future.delete(key);
    pools.current.set(key, destination);
    cleaner?.alterCheckpointDir(key, source.parentDir, destination.parentDir);
    cleaner?.resumeCleaning(key);
    const sourceDir = source.parentDir;
    try {
      folders.deleteLog(source);
      source.close();
      checkpoints.writeAll(sourceDir);
    } catch (error) {
      // A log dir that failed closes the logs it is known to have; this one it knows no more.
      source.closeHandlers();
      throw error;
    }
    logger.info(`The current replica is successfully replaced with the future replica for ${key}`);
  }
}
