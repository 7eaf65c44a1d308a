import { resolve } from 'node:path';
import { inParallel, topicPartitionKey } from '@klassic/common';
import type { Logger, Time, TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import { BackgroundTasks } from './background-tasks.ts';
import { cleanerConfigFromProps } from './cleaner/cleaner-config.ts';
import { LogCleaner } from './cleaner/log-cleaner.ts';
import type { LogCleanerMetrics } from './cleaner/log-cleaner.ts';
import { DirLock } from './dir-lock.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import { LogCheckpoints } from './log-checkpoints.ts';
import type { LogConfig } from './log-config.ts';
import { LogConfigs } from './log-configs.ts';
import { LogDeletion } from './log-deletion.ts';
import { describeLogDir } from './log-dir-description.ts';
import type { LogDirDescription } from './log-dir-description.ts';
import { LogDirFailures } from './log-dir-failures.ts';
import { LogDirLoader } from './log-dir-loader.ts';
import type { LogState } from './log-dir-loader.ts';
import { openLogDirs } from './log-dirs.ts';
import type { LogDir } from './log-dirs.ts';
import { LogFolders } from './log-folders.ts';
import { LogMaintenance } from './log-maintenance.ts';
import type { LogManagerOptions } from './log-manager-options.ts';
import { LogMoves } from './log-moves.ts';
import { LogPools } from './log-pools.ts';
import { LogReconfiguration } from './log-reconfiguration.ts';
import { LogTruncation } from './log-truncation.ts';
import { Log } from './log.ts';

const FLUSHES_AT_ONCE = 4;

/** All logs of a broker, in all its log dirs. Counterpart of `kafka.log.LogManager`. */
export class LogManager {
  /** Changes settings of logs and of the cleaner. */
  readonly reconfiguration: LogReconfiguration;
  private readonly options: LogManagerOptions;
  private readonly time: Time;
  private readonly logger: Logger;
  private readonly allDirs: readonly string[];
  private readonly dirs = new Map<string, LogDir>();
  private readonly pools = new LogPools();
  private readonly configs: LogConfigs;
  private readonly failures: LogDirFailures;
  private readonly tasks: BackgroundTasks;
  /** Null without `log.cleaner.enable`. */
  private readonly cleaner: LogCleaner | null;
  private readonly folders: LogFolders;
  private readonly checkpoints: LogCheckpoints;
  private readonly maintenance: LogMaintenance;
  private readonly moves: LogMoves;
  private readonly deletion: LogDeletion;
  private readonly truncation: LogTruncation;
  private readonly locks: readonly DirLock[];

  /**
   * Makes and checks the log dirs; logs are loaded by `startup`.
   *
   * @throws KafkaStorageError when no log dir can be used
   * @throws LogDirLockedError when another broker works in one of them
   * @throws DuplicateLogDirError, InvalidConfigError
   */
  constructor(options: LogManagerOptions) {
    this.options = options;
    this.time = options.time;
    this.logger = options.loggers('kafka.log.LogManager');
    this.failures = new LogDirFailures({
      dirs: this.dirs,
      pools: this.pools,
      time: this.time,
      logger: this.logger,
      onFailure: options.onLogDirFailure ?? ((logDir) => this.handleLogDirFailure(logDir)),
    });
    this.tasks = new BackgroundTasks(options.time, (error) => {
      this.failures.report(error);
    });
    this.configs = new LogConfigs(options.brokerDefaults, options.topicConfigs);
    this.allDirs = options.logDirs.map((dir) => resolve(dir));
    openLogDirs(this.dirs, options.logDirs, options.initialOfflineDirs ?? [], this.logger, (error) => {
      this.failures.note(error);
    });
    if (this.dirs.size === 0) {
      const all = options.logDirs.join(', ');
      const message = `Shutdown broker because none of the specified log dirs from ${all} can be created or validated`;
      this.logger.fatal(message);
      throw new KafkaStorageError(all, message);
    }
    const { dirs, pools, tasks, logger, configs, time } = this;
    const checkpoints = (this.checkpoints = new LogCheckpoints(dirs, pools, tasks));
    this.folders = new LogFolders({
      dirs,
      failedDirs: this.failures.failed,
      logs: pools,
      tasks,
      logger,
      random: options.random,
      deleteDelayMs: () => configs.currentDefault.fileDeleteDelayMs,
      onFailure: (error) => {
        this.failures.note(error);
      },
    });
    this.cleaner = this.createCleaner();
    const cleaner = this.cleaner?.manager;
    this.reconfiguration = new LogReconfiguration(configs, pools, this.cleaner);
    this.truncation = new LogTruncation(pools, checkpoints, cleaner);
    this.moves = new LogMoves({ pools, folders: this.folders, checkpoints, cleaner, logger });
    this.deletion = new LogDeletion({
      pools,
      folders: this.folders,
      checkpoints,
      cleaner,
      offlineLogDirs: () => this.offlineLogDirs,
    });
    this.maintenance = new LogMaintenance({ pools, tasks, time, logger });
    this.locks = DirLock.acquireAll(this.dirs.keys(), this.logger);
  }

  /** As `new LogManager`. */
  static create(options: LogManagerOptions): LogManager {
    return new LogManager(options);
  }

  /** Log dirs in use, absolute. */
  get liveLogDirs(): readonly string[] {
    return [...this.dirs.keys()];
  }

  get offlineLogDirs(): readonly string[] {
    return this.allDirs.filter((dir) => !this.dirs.has(dir));
  }

  /** What topics without settings of their own have. */
  get currentDefaultConfig(): LogConfig {
    return this.configs.currentDefault;
  }

  /** What the log cleaner has done of late; undefined without `log.cleaner.enable`. */
  get cleanerMetrics(): LogCleanerMetrics | undefined {
    return this.cleaner?.metrics;
  }

  /**
   * @param logDir absolute
   * @throws KafkaError LOG_DIR_NOT_FOUND when it is none of `log.dirs`
   */
  isLogDirOnline(logDir: string): boolean {
    if (!this.allDirs.includes(logDir)) {
      throw new KafkaError(Errors.LOG_DIR_NOT_FOUND, `Log dir '${logDir}' is not found in the config.`);
    }
    return this.dirs.has(logDir);
  }

  /** What lies in each of `log.dirs`, in their order (DescribeLogDirs). */
  describeLogDirs(): LogDirDescription[] {
    return this.allDirs.map((dir) => describeLogDir(dir, this.dirs.has(dir), this.pools));
  }

  /**
   * Loads every log, checking those of a log dir that was not closed in order, and starts the background tasks:
   * retention, flush, checkpoints, deletion.
   *
   * @throws ForeignDirectoryError when a log dir holds a folder that is no partition's
   */
  async startup(): Promise<void> {
    this.logger.info(`Loading logs from log dirs ${this.liveLogDirs.join(',')}`);
    const startMs = this.time.hiResMs();
    const loader = new LogDirLoader({
      time: this.time,
      logger: this.logger,
      logs: this.pools,
      openLog: (folder, topicPartition, state) => this.openLog(folder, topicPartition, state),
      deleteLater: (folder) => {
        this.folders.deleteLater(folder);
      },
    });
    for (const dir of [...this.dirs.values()]) {
      try {
        await loader.load(dir);
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        this.logger.error(`Error while loading log dir ${dir.path}`, error);
        this.failures.note(error);
      }
    }
    const count = this.pools.current.size + this.pools.future.size;
    this.logger.info(`Loaded ${count} logs in ${Math.round(this.time.hiResMs() - startMs)}ms.`);
    this.maintenance.schedule(this.options, {
      recoveryPoints: () => {
        void this.checkpointLogRecoveryOffsets();
      },
      logStartOffsets: () => {
        void this.checkpointLogStartOffsets();
      },
    });
    this.cleaner?.startup();
  }

  /** @param isFuture whether the copy is wanted that is to replace the log in another log dir */
  getLog(topicPartition: TopicPartition, isFuture = false): Log | undefined {
    return this.pools.of(isFuture).get(topicPartitionKey(topicPartition.topic, topicPartition.partition));
  }

  /** Logs in use, then future logs. */
  allLogs(): IterableIterator<Log> {
    return this.pools.all();
  }

  /**
   * Where the next log of a partition is to be made, unless one of its logs lies there already: a future log when it has
   * a log (AlterReplicaLogDirs), its log when it has none yet. Forgotten once that log was made.
   *
   * @param logDir absolute, one of `log.dirs`
   */
  maybeUpdatePreferredLogDir(topicPartition: TopicPartition, logDir: string): void {
    this.moves.maybeUpdatePreferredLogDir(topicPartition, logDir);
  }

  /**
   * The partition's log, made when there is none: in its preferred log dir, else in the one with the fewest logs.
   *
   * @param options.isNew false when the partition had a log here before: it may lie in a log dir that is offline, so
   *   none is made while one is
   * @param options.isFuture for the copy that is to replace the log: made in the preferred log dir, which has to be set
   *   and must not be the log's own
   * @throws KafkaStorageError
   */
  getOrCreateLog(topicPartition: TopicPartition, options: { isNew?: boolean; isFuture?: boolean } = {}): Log {
    const { isNew = false, isFuture = false } = options;
    const known = this.getLog(topicPartition, isFuture);
    if (known !== undefined) return known;
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    const offline = this.offlineLogDirs;
    if (!isNew && offline.length > 0) {
      throw new KafkaStorageError(
        offline.join(','),
        `Can not create log for ${key} because log directories ${offline.join(',')} are offline`,
      );
    }
    const folder = isFuture
      ? this.folders.createFuture(topicPartition, this.getLog(topicPartition)?.parentDir)
      : this.folders.create(key);
    const log = this.openLog(folder.path, topicPartition, { hadCleanShutdown: true }, folder.isNew);
    this.pools.of(isFuture).set(key, log);
    this.logger.info(`Created log for partition ${key} in ${folder.path}`);
    return log;
  }

  /**
   * The future log, all caught up, becomes the partition's log: its folder gets the log's name, it takes over the high
   * watermark and the cleaner's offset, cleaning goes on. The old log is closed and deleted later. Whoever holds the old
   * one has to ask for the log again.
   *
   * @throws KafkaStorageError when one of the two is not there, or the disk refuses
   */
  replaceCurrentWithFutureLog(topicPartition: TopicPartition): void {
    this.moves.replaceCurrentWithFutureLog(topicPartition);
  }

  /** Keeps the cleaner from a partition that is on the move; what it was doing there is dropped at once. */
  abortAndPauseCleaning({ topic, partition }: TopicPartition): void {
    this.cleaner?.manager.abortAndPauseCleaning(topicPartitionKey(topic, partition));
  }

  /** Lets the cleaner have a partition again; does nothing when it was not paused. */
  resumeCleaning({ topic, partition }: TopicPartition): void {
    this.cleaner?.manager.resumeCleaning(topicPartitionKey(topic, partition));
  }

  /**
   * Takes a log out of use: its folder is renamed at once and removed after `log.segment.delete.delay.ms`.
   *
   * @param isFuture whether the future log is meant
   * @returns the log, or undefined when there was none
   * @throws KafkaStorageError
   */
  asyncDelete(topicPartition: TopicPartition, isFuture = false): Log | undefined {
    return this.deletion.asyncDelete(topicPartition, isFuture);
  }

  /**
   * As `asyncDelete`, for the logs and the future logs of many partitions: checkpoints are written once.
   *
   * @param onError told of each partition that failed; the others are deleted
   */
  asyncDeleteAll(
    topicPartitions: Iterable<TopicPartition>,
    onError: (topicPartition: TopicPartition, error: KafkaStorageError) => void,
  ): void {
    this.deletion.asyncDeleteAll(topicPartitions, onError);
  }

  /**
   * Truncates logs, then writes down the recovery points of their log dirs.
   *
   * @param offsets by `topicPartitionKey`; partitions without a log are left out
   * @param isFuture whether the future logs are meant
   * @throws KafkaStorageError
   */
  truncateTo(offsets: ReadonlyMap<string, number>, isFuture = false): void {
    this.truncation.truncateTo(offsets, isFuture);
  }

  /** Empties a log (or the future log); its next record gets `offset`. @throws KafkaStorageError */
  truncateFullyAndStartAt(topicPartition: TopicPartition, offset: number, isFuture = false): void {
    this.truncation.truncateFullyAndStartAt(topicPartition, offset, isFuture);
  }

  /** Writes `recovery-point-offset-checkpoint` of every log dir, without holding the event loop. It never rejects. */
  checkpointLogRecoveryOffsets(): Promise<void> {
    return this.checkpoints.writeAllRecoveryPointsInBackground();
  }

  /** As `checkpointLogRecoveryOffsets`: `log-start-offset-checkpoint`, of logs that begin within a segment. */
  checkpointLogStartOffsets(): Promise<void> {
    return this.checkpoints.writeAllLogStartOffsetsInBackground();
  }

  /** Removes what retention lets go, but for compacted logs, which the cleaner looks after; returns how many segments. */
  cleanupLogs(): number {
    return this.maintenance.cleanupLogs();
  }

  /**
   * Lets go of a log dir that failed. Files are closed as they are.
   *
   * @returns keys of the partitions that had their logs there, future logs not counted
   */
  handleLogDirFailure(logDir: string): string[] {
    const dir = resolve(logDir);
    this.logger.warn(`Stopping serving logs in dir ${dir}`);
    const { current, future } = this.failures.letGo(dir);
    if (this.dirs.size === 0) {
      this.logger.fatal(`Shutdown broker because all log dirs in ${this.allDirs.join(', ')} have failed`);
    }
    this.cleaner?.manager.handleLogDirFailure(dir, current, future);
    this.logger.warn(
      `Logs for partitions ${current.join(',')} are offline and logs for future partitions ${future.join(',')} are ` +
        `offline due to failure on log directory ${dir}`,
    );
    return current;
  }

  /** Takes note of a log dir that failed where another than the log manager wrote to it: `onLogDirFailure` is told. */
  reportFailure(error: KafkaStorageError): void {
    this.failures.note(error);
  }

  /** Flushes and closes all logs, writes the checkpoints and, in log dirs where nothing failed, the clean shutdown marker. */
  async shutdown(): Promise<void> {
    this.logger.info('Shutting down.');
    this.tasks.cancel();
    this.cleaner?.shutdown();
    for (const dir of [...this.dirs.values()]) {
      try {
        await inParallel([...this.pools.inDir(dir.path)], FLUSHES_AT_ONCE, async ([, log]) => {
          await log.flush();
          log.close();
        });
        this.checkpoints.writeAll(dir.path);
        await this.checkpoints.settled(dir);
        if (!this.failures.failed.has(dir.path)) dir.writeCleanShutdownMarker();
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        this.logger.warn(`There was an error in log dir ${dir.path} during LogManager shutdown: ${error.message}`);
      }
    }
    this.pools.current.clear();
    this.pools.future.clear();
    for (const lock of this.locks) lock.release();
    this.logger.info('Shutdown complete.');
  }

  private createCleaner(): LogCleaner | null {
    const config = cleanerConfigFromProps(this.options.brokerDefaults);
    if (!config.enabled) return null;
    const { time, loggers } = this.options;
    return new LogCleaner({
      config,
      logs: this.pools.current,
      dirs: this.dirs,
      time,
      loggers,
      onFatal: (error) => {
        this.failures.report(error);
      },
    });
  }

  private openLog(dir: string, topicPartition: TopicPartition, state: LogState, isFolderNew = false): Log {
    const { time, loggers, random, producerIdExpirationMs, keepPartitionMetadataFile, flushTimeMs } = this.options;
    return Log.open({
      ...state,
      dir,
      isFolderNew,
      topicPartition,
      config: this.configs.fetch(topicPartition.topic),
      time,
      loggers,
      jitter: () => random.next(),
      ...(producerIdExpirationMs === undefined ? {} : { producerIdExpirationMs }),
      ...(flushTimeMs === undefined ? {} : { flushTimeMs }),
      ...(keepPartitionMetadataFile === undefined ? {} : { keepPartitionMetadataFile }),
      onStorageError: (error) => {
        this.failures.note(error);
      },
    });
  }
}
