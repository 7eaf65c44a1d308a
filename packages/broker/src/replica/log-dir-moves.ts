import { topicPartitionKey } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import { futureDirName, KafkaStorageError } from '@klassic/log';
import type { LogManager } from '@klassic/log';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { HighWatermarkCheckpoints } from './high-watermark-checkpoints.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { errorOf } from './local-reads.ts';
import type { Partition } from './partition.ts';
import type { ReplicaAlterLogDirsThread } from './replica-alter-log-dirs-thread.ts';
import type { ReplicaFetcherManager } from './replica-fetcher-manager.ts';

/** The length of the unique id in a future log's name: only the length counts for whether the name is too long. */
const anyUniqueId = '0'.repeat(32);

export interface LogDirMovesOptions {
  readonly brokerId: number;
  readonly logger: Logger;
  readonly partitions: HostedPartitions;
  readonly logManager: LogManager;
  readonly fetcherManager: ReplicaFetcherManager;
  readonly alterLogDirs: ReplicaAlterLogDirsThread;
  readonly checkpoints: HighWatermarkCheckpoints;
  /** Looks again at what waits for a partition. */
  readonly completeDelayedRequests: (key: string) => void;
}

/** A replica and the log dir it is to lie in. */
export interface LogDirMove extends TopicPartition {
  /** Absolute. */
  readonly logDir: string;
}

/** Moves replicas between log dirs, and lets go of log dirs that fail. Part of the reference's `ReplicaManager`. */
export class LogDirMoves {
  private readonly options: LogDirMovesOptions;

  constructor(options: LogDirMovesOptions) {
    this.options = options;
  }

  /**
   * Begins moves (KIP-113); one to where the replica lies ends a move. A replica that is not here yet will be made in its
   * log dir, and is answered REPLICA_NOT_AVAILABLE meanwhile.
   *
   * @returns errors by `topicPartitionKey`
   */
  alterReplicaLogDirs(moves: Iterable<LogDirMove>): Map<string, ErrorEntry> {
    const errors = new Map<string, ErrorEntry>();
    for (const move of moves) {
      const key = topicPartitionKey(move.topic, move.partition);
      try {
        this.begin(key, move);
        errors.set(key, Errors.NONE);
      } catch (error) {
        errors.set(key, this.refusal(key, error));
      }
    }
    return errors;
  }

  /** Goes on with the copies of partitions that have been made leaders or followers. */
  resume(partitions: readonly Partition[]): void {
    const { logManager, alterLogDirs, checkpoints } = this.options;
    const moving: Partition[] = [];
    for (const partition of partitions) {
      if (partition.log === undefined || logManager.getLog(partition.topicPartition, true) === undefined) continue;
      partition.future.createIfNotExists(checkpoints.lazyReader());
      logManager.abortAndPauseCleaning(partition.topicPartition);
      moving.push(partition);
    }
    if (moving.length > 0) alterLogDirs.addPartitions(moving);
  }

  /** Takes the partitions offline whose logs lie in a log dir that has failed, and gives up the copies made there. */
  handleLogDirFailure(logDir: string): void {
    const { logManager, logger, partitions, fetcherManager, alterLogDirs, checkpoints, brokerId } = this.options;
    if (!logManager.isLogDirOnline(logDir)) return;
    logger.warn(`Stopping serving replicas in dir ${logDir}`);
    const keys: string[] = [];
    const copies: string[] = [];
    for (const { key, log, future } of partitions.online()) {
      if (log?.parentDir === logDir) keys.push(key);
      else if (future.log?.parentDir === logDir) copies.push(key);
    }
    fetcherManager.removeFetcherForPartitions(keys);
    alterLogDirs.removePartitions([...keys, ...copies]);
    for (const key of copies) partitions.getOnline(key)?.future.remove(false);
    for (const key of keys) partitions.markOffline(key);
    for (const key of keys) this.options.completeDelayedRequests(key);
    checkpoints.remove(logDir);
    logger.warn(
      `Broker ${brokerId} stopped fetcher for partitions ${keys.join(',')} and stopped moving logs for partitions ` +
        `${copies.join(',')} because they are in the failed log directory ${logDir}.`,
    );
    logManager.handleLogDirFailure(logDir);
    logger.warn(`Stopped serving replicas in dir ${logDir}`);
  }

  private begin(key: string, { topic, partition: index, logDir }: LogDirMove): void {
    const { partitions, logManager, alterLogDirs, checkpoints } = this.options;
    const topicPartition = { topic, partition: index };
    if (futureDirName(topicPartition, anyUniqueId) === null) {
      throw new KafkaError(Errors.INVALID_TOPIC_EXCEPTION, 'The topic name is too long.');
    }
    if (!logManager.isLogDirOnline(logDir)) throw new KafkaStorageError(logDir, `Log directory ${logDir} is offline`);
    const hosted = partitions.get(key);
    if (hosted === 'offline') throw new KafkaStorageError('', `Partition ${key} is offline`);
    if (hosted?.future.isElsewhere(logDir) === true) {
      alterLogDirs.removePartitions([key]);
      hosted.future.remove(true);
    }
    logManager.maybeUpdatePreferredLogDir(topicPartition, logDir);
    const partition = partitions.getOrThrow(topic, index);
    if (!partition.future.maybeCreate(logDir, checkpoints.lazyReader())) return;
    logManager.abortAndPauseCleaning(topicPartition);
    alterLogDirs.addPartitions([partition]);
  }

  private refusal(key: string, error: unknown): ErrorEntry {
    const { logger } = this.options;
    if (error instanceof KafkaStorageError || error instanceof KafkaError) {
      logger.warn(`Unable to alter log dirs for ${key}: ${error.message}`);
    } else {
      logger.error(`Error while changing replica dir for partition ${key}`, error);
    }
    const entry = errorOf(error);
    // What this API has always answered for a replica that is not here.
    return entry === Errors.NOT_LEADER_OR_FOLLOWER ? Errors.REPLICA_NOT_AVAILABLE : entry;
  }
}
