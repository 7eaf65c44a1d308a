import { resolve } from 'node:path';
import { topicPartitionKey } from '@klassic/common';
import type { Logger, Time, TopicPartition } from '@klassic/common';
import { BackgroundTasks } from './background-tasks.ts';
import { cleanerConfigFromProps } from './cleaner/cleaner-config.ts';
import { LogCleaner } from './cleaner/log-cleaner.ts';
import { DirLock } from './dir-lock.ts';
import { inParallel } from './in-parallel.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import { LogCheckpoints } from './log-checkpoints.ts';
import { logConfigFromProps } from './log-config.ts';
import type { LogConfig } from './log-config.ts';
import { LogDirLoader } from './log-dir-loader.ts';
import type { LogState } from './log-dir-loader.ts';
import { openLogDirs } from './log-dirs.ts';
import type { LogDir } from './log-dirs.ts';
import { LogFolders } from './log-folders.ts';
import type { LogManagerOptions } from './log-manager-options.ts';
import { Log } from './log.ts';

const PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS = 600_000;
const DEFAULT_RETENTION_CHECK_MS = 300_000;
const DEFAULT_CHECKPOINT_MS = 60_000;

/** All logs of a broker, in all its log dirs. Counterpart of `kafka.log.LogManager`. */
export class LogManager {
  private readonly options: LogManagerOptions;
  private readonly time: Time;
  private readonly logger: Logger;
  private readonly allDirs: readonly string[];
  private readonly dirs: Map<string, LogDir>;
  private readonly logs = new Map<string, Log>();
  private readonly failedDirs = new Set<string>();
  private readonly tasks: BackgroundTasks;
  /** Null without `log.cleaner.enable`. */
  private readonly cleaner: LogCleaner | null;
  private readonly folders: LogFolders;
  private readonly checkpoints: LogCheckpoints;
  private readonly locks: DirLock[] = [];
  private brokerDefaults: Readonly<Record<string, string>>;

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
    this.tasks = new BackgroundTasks(options.time, (error) => {
      this.report(error);
    });
    this.brokerDefaults = options.brokerDefaults;
    logConfigFromProps(options.brokerDefaults, {});
    this.allDirs = options.logDirs.map((dir) => resolve(dir));
    this.dirs = openLogDirs(options.logDirs, options.initialOfflineDirs ?? [], this.logger, (error) => {
      this.noteFailure(error);
    });
    if (this.dirs.size === 0) {
      const all = options.logDirs.join(', ');
      const message = `Shutdown broker because none of the specified log dirs from ${all} can be created or validated`;
      this.logger.fatal(message);
      throw new KafkaStorageError(all, message);
    }
    const { dirs, failedDirs, logs, tasks, logger } = this;
    this.checkpoints = new LogCheckpoints(dirs, logs, tasks);
    this.folders = new LogFolders({
      dirs,
      failedDirs,
      logs,
      tasks,
      logger,
      random: options.random,
      deleteDelayMs: () => this.currentDefaultConfig.fileDeleteDelayMs,
      onFailure: (error) => {
        this.noteFailure(error);
      },
    });
    this.cleaner = this.createCleaner();
    for (const dir of this.dirs.keys()) this.locks.push(this.lock(dir));
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
    return logConfigFromProps(this.brokerDefaults, {});
  }

  isLogDirOnline(logDir: string): boolean {
    return this.dirs.has(resolve(logDir));
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
      logs: this.logs,
      openLog: (folder, topicPartition, state) =>
        this.openLog(folder, topicPartition, this.fetchLogConfig(topicPartition.topic), state),
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
        this.noteFailure(error);
      }
    }
    this.logger.info(`Loaded ${this.logs.size} logs in ${Math.round(this.time.hiResMs() - startMs)}ms.`);
    this.tasks.every(this.options.retentionCheckMs ?? DEFAULT_RETENTION_CHECK_MS, () => this.cleanupLogs());
    this.tasks.every(this.options.flushCheckMs ?? Infinity, () => void this.flushDirtyLogs());
    this.tasks.every(this.options.flushRecoveryOffsetCheckpointMs ?? DEFAULT_CHECKPOINT_MS, () => {
      this.checkpointLogRecoveryOffsets();
    });
    this.tasks.every(this.options.flushStartOffsetCheckpointMs ?? DEFAULT_CHECKPOINT_MS, () =>
      this.checkpointLogStartOffsets(),
    );
    this.tasks.every(PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS, () => {
      for (const log of this.logs.values()) log.removeExpiredProducers();
    });
    this.cleaner?.startup();
  }

  getLog(topicPartition: TopicPartition): Log | undefined {
    return this.logs.get(topicPartitionKey(topicPartition.topic, topicPartition.partition));
  }

  allLogs(): IterableIterator<Log> {
    return this.logs.values();
  }

  logsByTopic(topic: string): Log[] {
    return [...this.logs.values()].filter((log) => log.topicPartition.topic === topic);
  }

  /**
   * The partition's log, made in the log dir with the fewest logs when there is none.
   *
   * @param options.isNew false when the partition had a log here before: it may lie in a log dir that is offline, so
   *   none is made while one is
   * @throws KafkaStorageError
   */
  getOrCreateLog(topicPartition: TopicPartition, options: { isNew?: boolean } = {}): Log {
    const known = this.getLog(topicPartition);
    if (known !== undefined) return known;
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    const offline = this.offlineLogDirs;
    if (options.isNew !== true && offline.length > 0) {
      throw new KafkaStorageError(
        offline.join(','),
        `Can not create log for ${key} because log directories ${offline.join(',')} are offline`,
      );
    }
    const folder = this.folders.create(key);
    const config = this.fetchLogConfig(topicPartition.topic);
    const log = this.openLog(folder, topicPartition, config, { hadCleanShutdown: true });
    this.logs.set(key, log);
    this.logger.info(`Created log for partition ${key} in ${folder}`);
    return log;
  }

  /**
   * Takes a log out of use: its folder is renamed at once and removed after `log.segment.delete.delay.ms`.
   *
   * @returns the log, or undefined when there was none
   * @throws KafkaStorageError
   */
  asyncDelete(topicPartition: TopicPartition): Log | undefined {
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    const log = this.logs.get(key);
    const offline = this.offlineLogDirs;
    if (log === undefined) {
      if (offline.length === 0) return undefined;
      throw new KafkaStorageError(
        offline.join(','),
        `Failed to delete log for ${key} because it may be in one of the offline directories ${offline.join(',')}`,
      );
    }
    this.logs.delete(key);
    const dir = log.parentDir;
    this.cleaner?.manager.forget(dir, key);
    this.folders.deleteLog(log);
    this.checkpoints.writeAll(dir);
    return log;
  }

  /** The settings that a topic's logs have. */
  fetchLogConfig(topic: string): LogConfig {
    return logConfigFromProps(this.brokerDefaults, this.options.topicConfigs(topic));
  }

  /** A topic's own settings changed. @throws InvalidConfigError */
  updateTopicConfig(topic: string, overrides: Readonly<Record<string, string>>): void {
    const config = logConfigFromProps(this.brokerDefaults, overrides);
    for (const log of this.logsByTopic(topic)) this.updateConfig(log, config);
  }

  /** The broker's defaults changed. @throws InvalidConfigError */
  reconfigureDefaultLogConfig(brokerDefaults: Readonly<Record<string, string>>): void {
    logConfigFromProps(brokerDefaults, {});
    this.brokerDefaults = brokerDefaults;
    for (const log of this.logs.values()) this.updateConfig(log, this.fetchLogConfig(log.topicPartition.topic));
  }

  /**
   * Truncates logs, then writes down the recovery points of their log dirs.
   *
   * @param offsets by `topicPartitionKey`; partitions without a log are left out
   * @throws KafkaStorageError
   */
  truncateTo(offsets: ReadonlyMap<string, number>): void {
    const affected = new Set<string>();
    for (const [key, offset] of offsets) {
      const log = this.logs.get(key);
      if (log === undefined) continue;
      // Only what lies below the active segment is ever cleaned.
      if (offset < log.segmentBaseOffsets.at(-1)!) this.cleaner?.manager.abortCleaning(key);
      if (log.truncateTo(offset)) affected.add(log.parentDir);
      this.cleaner?.manager.maybeTruncateCheckpoint(log, key, log.segmentBaseOffsets.at(-1)!);
    }
    for (const dir of affected) this.checkpoints.writeRecoveryPoints(dir);
  }

  /** Empties a log; its next record gets `offset`. @throws KafkaStorageError */
  truncateFullyAndStartAt(topicPartition: TopicPartition, offset: number): void {
    const log = this.getLog(topicPartition);
    if (log === undefined) return;
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    this.cleaner?.manager.abortCleaning(key);
    log.truncateFullyAndStartAt(offset);
    this.cleaner?.manager.maybeTruncateCheckpoint(log, key, offset);
    this.checkpoints.writeRecoveryPoints(log.parentDir);
  }

  /** Writes `recovery-point-offset-checkpoint` of every log dir. */
  checkpointLogRecoveryOffsets(): void {
    for (const dir of this.liveLogDirs) this.checkpoints.writeRecoveryPoints(dir);
  }

  /** Writes `log-start-offset-checkpoint` of every log dir: logs that begin within a segment. */
  checkpointLogStartOffsets(): void {
    for (const dir of this.liveLogDirs) this.checkpoints.writeLogStartOffsets(dir);
  }

  /** Removes what retention lets go, but for compacted logs, which the cleaner looks after; returns how many segments. */
  cleanupLogs(): number {
    this.logger.debug('Beginning log cleanup...');
    let total = 0;
    for (const log of [...this.logs.values()]) {
      if (log.config.cleanupPolicy.includes('compact')) continue;
      this.tasks.tolerate(() => {
        total += log.deleteOldSegments();
      });
    }
    this.logger.debug(`Log cleanup completed. ${total} files deleted`);
    return total;
  }

  /**
   * Lets go of a log dir that failed. Files are closed as they are.
   *
   * @returns keys of the partitions that had their logs there
   */
  handleLogDirFailure(logDir: string): string[] {
    const dir = resolve(logDir);
    this.logger.warn(`Stopping serving logs in dir ${dir}`);
    this.failedDirs.add(dir);
    this.dirs.delete(dir);
    if (this.dirs.size === 0) {
      this.logger.fatal(`Shutdown broker because all log dirs in ${this.allDirs.join(', ')} have failed`);
    }
    const offline = [...this.logs].filter(([, log]) => log.parentDir === dir);
    this.cleaner?.manager.handleLogDirFailure(
      dir,
      offline.map(([key]) => key),
    );
    for (const [key, log] of offline) {
      this.logs.delete(key);
      log.closeHandlers();
    }
    const keys = offline.map(([key]) => key);
    this.logger.warn(`Logs for partitions ${keys.join(',')} are offline due to failure on log directory ${dir}`);
    return keys;
  }

  /** Flushes and closes all logs, writes the checkpoints and, in log dirs where nothing failed, the clean shutdown marker. */
  async shutdown(): Promise<void> {
    this.logger.info('Shutting down.');
    this.tasks.cancel();
    this.cleaner?.shutdown();
    for (const dir of [...this.dirs.values()]) {
      const logs = this.logsIn(dir.path);
      try {
        await inParallel(logs, async (log) => {
          await log.flush();
          log.close();
        });
        this.checkpoints.writeAll(dir.path);
        if (!this.failedDirs.has(dir.path)) dir.writeCleanShutdownMarker();
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        this.logger.warn(`There was an error in log dir ${dir.path} during LogManager shutdown: ${error.message}`);
      }
    }
    this.logs.clear();
    for (const lock of this.locks) lock.release();
    this.logger.info('Shutdown complete.');
  }

  private createCleaner(): LogCleaner | null {
    const config = cleanerConfigFromProps(this.brokerDefaults);
    if (!config.enabled) return null;
    const { time, loggers } = this.options;
    return new LogCleaner({
      config,
      logs: this.logs,
      dirs: this.dirs,
      time,
      loggers,
      onFatal: (error) => {
        this.report(error);
      },
    });
  }

  /** Takes the lock of a log dir; when one cannot be had, those taken so far are let go. */
  private lock(dir: string): DirLock {
    try {
      return DirLock.acquire(dir, this.logger);
    } catch (error) {
      for (const lock of this.locks) lock.release();
      throw error;
    }
  }

  private updateConfig(log: Log, config: LogConfig): void {
    const { topic, partition } = log.topicPartition;
    if (!config.cleanupPolicy.includes('compact'))
      this.cleaner?.manager.abortCleaning(topicPartitionKey(topic, partition));
    log.updateConfig(config);
  }

  private openLog(dir: string, topicPartition: TopicPartition, config: LogConfig, state: LogState): Log {
    const { time, loggers, random, producerIdExpirationMs, keepPartitionMetadataFile } = this.options;
    return Log.open({
      ...state,
      dir,
      topicPartition,
      config,
      time,
      loggers,
      jitter: () => random.next(),
      ...(producerIdExpirationMs === undefined ? {} : { producerIdExpirationMs }),
      ...(keepPartitionMetadataFile === undefined ? {} : { keepPartitionMetadataFile }),
      onStorageError: (error) => {
        this.noteFailure(error);
      },
    });
  }

  private logsIn(dir: string): Log[] {
    return [...this.logs.values()].filter((log) => log.parentDir === dir);
  }

  private async flushDirtyLogs(): Promise<void> {
    for (const log of [...this.logs.values()]) {
      if (this.time.milliseconds() - log.lastFlushMs < log.config.flushMs) continue;
      try {
        await log.flush();
      } catch (error) {
        this.report(error);
      }
    }
  }

  private report(error: unknown): void {
    if (!(error instanceof KafkaStorageError)) throw error;
    this.logger.error(error.message, error);
    this.noteFailure(error);
  }

  private noteFailure(error: KafkaStorageError): void {
    const { logDir } = error;
    if (this.failedDirs.has(logDir)) return;
    this.failedDirs.add(logDir);
    this.logger.error(error.message, error);
    this.time.soon(() => {
      if (this.options.onLogDirFailure === undefined) this.handleLogDirFailure(logDir);
      else this.options.onLogDirFailure(logDir, error);
    });
  }
}
