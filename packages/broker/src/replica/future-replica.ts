import { invariant } from '@klassic/common';
import type { Logger, TopicPartition } from '@klassic/common';
import { KafkaStorageError } from '@klassic/log';
import type { Log, LogAppendInfo, LogManager } from '@klassic/log';
import type { OffsetCheckpoints } from './high-watermark-checkpoints.ts';

export interface FutureReplicaOptions {
  readonly topicPartition: TopicPartition;
  /** `topic-0` */
  readonly key: string;
  readonly logManager: LogManager;
  readonly logger: Logger;
  /** The log in use. @throws KafkaError NOT_LEADER_OR_FOLLOWER when there is none */
  readonly currentLog: () => Log;
  /** The future log has taken the place of the log in use. */
  readonly onReplaced: (log: Log) => void;
}

/**
 * The copy of a partition's log that is being made in another log dir, to take the place of the log when it has caught up
 * (KIP-113). Part of `kafka.cluster.Partition`.
 */
export class FutureReplica {
  private readonly options: FutureReplicaOptions;
  private futureLog: Log | undefined;

  constructor(options: FutureReplicaOptions) {
    this.options = options;
  }

  get log(): Log | undefined {
    return this.futureLog;
  }

  /** @throws KafkaStorageError when there is none */
  logOrThrow(): Log {
    if (this.futureLog !== undefined) return this.futureLog;
    throw new KafkaStorageError('', `The future replica of ${this.options.key} is offline`);
  }

  /** Whether a copy is being made in a log dir other than this one. */
  isElsewhere(logDir: string): boolean {
    return this.futureLog !== undefined && this.futureLog.parentDir !== logDir;
  }

  /**
   * Begins a copy in a log dir, unless the log lies there or a copy is being made there.
   *
   * @returns whether it was begun now
   * @throws KafkaStorageError
   */
  maybeCreate(logDir: string, checkpoints: OffsetCheckpoints): boolean {
    const { currentLog, logger } = this.options;
    const currentDir = currentLog().parentDir;
    if (currentDir === logDir) {
      logger.info(
        `Current log directory ${currentDir} is same as requested log dir ${logDir}. Skipping future replica creation.`,
      );
      return false;
    }
    invariant(!this.isElsewhere(logDir), () => `the future log of ${this.options.key} is being made elsewhere`);
    if (this.futureLog !== undefined) return false;
    this.createIfNotExists(checkpoints);
    return true;
  }

  /** Opens or makes the future log, in the preferred log dir. @throws KafkaStorageError */
  createIfNotExists(checkpoints: OffsetCheckpoints): Log {
    if (this.futureLog !== undefined) return this.futureLog;
    const { logManager, topicPartition, key } = this.options;
    const log = logManager.getOrCreateLog(topicPartition, { isFuture: true });
    log.updateHighWatermark(checkpoints.fetch(log.parentDir, key) ?? 0);
    this.futureLog = log;
    return log;
  }

  /** Gives the copy up. @throws KafkaStorageError */
  remove(deleteFromLogDir: boolean): void {
    this.futureLog = undefined;
    if (deleteFromLogDir) this.options.logManager.asyncDelete(this.options.topicPartition, true);
  }

  /** Appends what was read from the log in use, and takes over its high watermark and log start offset. */
  append(records: Buffer, highWatermark: number, logStartOffset: number): LogAppendInfo | undefined {
    const log = this.logOrThrow();
    const info = records.length > 0 ? log.appendAsFollower(records) : undefined;
    log.updateHighWatermark(highWatermark);
    log.maybeIncrementLogStartOffset(logStartOffset, 'leader offset increment');
    return info;
  }

  truncateTo(offset: number): void {
    this.options.logManager.truncateTo(new Map([[this.options.key, offset]]), true);
  }

  truncateFullyAndStartAt(offset: number): void {
    this.options.logManager.truncateFullyAndStartAt(this.options.topicPartition, offset, true);
  }

  /**
   * Puts the future log in the place of the log in use, if it has caught up.
   *
   * @returns whether it did
   * @throws KafkaStorageError
   */
  maybeReplaceCurrent(): boolean {
    const { currentLog, logManager, topicPartition, onReplaced } = this.options;
    const future = this.futureLog;
    if (future?.logEndOffset !== currentLog().logEndOffset) return false;
    logManager.replaceCurrentWithFutureLog(topicPartition);
    this.futureLog = undefined;
    onReplaced(future);
    return true;
  }
}
