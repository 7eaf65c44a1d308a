import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { topicPartitionKey } from '@klassic/common';
import type { Logger, Time, TopicPartition } from '@klassic/common';
import { BackgroundTasks } from './background-tasks.ts';
import { DELETE_DIR_SUFFIX, deleteDirName, FUTURE_DIR_SUFFIX, partitionOfDir } from './file-names.ts';
import { deleteTree, folderNamesIn } from './files.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import { logConfigFromProps } from './log-config.ts';
import type { LogConfig } from './log-config.ts';
import { openLogDirs } from './log-dirs.ts';
import type { LogDir } from './log-dirs.ts';
import type { LogManagerOptions } from './log-manager-options.ts';
import { Log } from './log.ts';
import type { OffsetCheckpointFile } from './offset-checkpoint-file.ts';

const PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS = 600_000;
const DEFAULT_RETENTION_CHECK_MS = 300_000;
const DEFAULT_CHECKPOINT_MS = 60_000;
/** ms of loading after which other work gets its turn: a ZooKeeper session has to be kept alive meanwhile. */
const LOADING_SLICE_MS = 50;
const FLUSHES_AT_ONCE = 4;

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
  private brokerDefaults: Readonly<Record<string, string>>;

  /**
   * Makes and checks the log dirs; logs are loaded by `startup`.
   *
   * @throws KafkaStorageError when no log dir can be used
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
    for (const dir of [...this.dirs.values()]) {
      try {
        await this.loadLogs(dir);
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
    const folder = this.createFolder(key);
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
    log.renameDir(deleteDirName(topicPartition, this.uniqueId()));
    this.checkpointDir(log.parentDir);
    this.logger.info(`Log for partition ${key} is renamed to ${log.dir} and is scheduled for deletion`);
    this.tasks.later(this.currentDefaultConfig.fileDeleteDelayMs, () => {
      log.delete();
      this.logger.info(`Deleted log for partition ${key} in ${log.dir}.`);
    });
    return log;
  }

  /** The settings that a topic's logs have. */
  fetchLogConfig(topic: string): LogConfig {
    return logConfigFromProps(this.brokerDefaults, this.options.topicConfigs(topic));
  }

  /** A topic's own settings changed. @throws InvalidConfigError */
  updateTopicConfig(topic: string, overrides: Readonly<Record<string, string>>): void {
    const config = logConfigFromProps(this.brokerDefaults, overrides);
    for (const log of this.logsByTopic(topic)) log.updateConfig(config);
  }

  /** The broker's defaults changed. @throws InvalidConfigError */
  reconfigureDefaultLogConfig(brokerDefaults: Readonly<Record<string, string>>): void {
    logConfigFromProps(brokerDefaults, {});
    this.brokerDefaults = brokerDefaults;
    for (const log of this.logs.values()) log.updateConfig(this.fetchLogConfig(log.topicPartition.topic));
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
      if (log?.truncateTo(offset) === true) affected.add(log.parentDir);
    }
    for (const dir of affected) this.checkpoint(dir, 'recoveryPoints');
  }

  /** Empties a log; its next record gets `offset`. @throws KafkaStorageError */
  truncateFullyAndStartAt(topicPartition: TopicPartition, offset: number): void {
    const log = this.getLog(topicPartition);
    if (log === undefined) return;
    log.truncateFullyAndStartAt(offset);
    this.checkpoint(log.parentDir, 'recoveryPoints');
  }

  /** Writes `recovery-point-offset-checkpoint` of every log dir. */
  checkpointLogRecoveryOffsets(): void {
    for (const dir of this.liveLogDirs) this.checkpoint(dir, 'recoveryPoints');
  }

  /** Writes `log-start-offset-checkpoint` of every log dir: logs that begin within a segment. */
  checkpointLogStartOffsets(): void {
    for (const dir of this.liveLogDirs) this.checkpoint(dir, 'logStartOffsets');
  }

  /** Removes what retention lets go; returns how many segments. */
  cleanupLogs(): number {
    this.logger.debug('Beginning log cleanup...');
    let total = 0;
    for (const log of [...this.logs.values()]) {
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
    for (const dir of [...this.dirs.values()]) {
      const logs = this.logsIn(dir.path);
      try {
        await inParallel(logs, async (log) => {
          await log.flush();
          log.close();
        });
        this.checkpointDir(dir.path);
        if (!this.failedDirs.has(dir.path)) dir.writeCleanShutdownMarker();
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        this.logger.warn(`There was an error in log dir ${dir.path} during LogManager shutdown: ${error.message}`);
      }
    }
    this.logs.clear();
    this.logger.info('Shutdown complete.');
  }

  private async loadLogs(dir: LogDir): Promise<void> {
    const hadCleanShutdown = dir.takeCleanShutdownMarker();
    this.logger.info(
      hadCleanShutdown
        ? `Skipping recovery for all logs in ${dir.path} since clean shutdown file was found`
        : `Attempting recovery for all logs in ${dir.path} since no clean shutdown file was found`,
    );
    const recoveryPoints = this.readCheckpoint(dir.recoveryPoints, 'resetting the recovery checkpoint to 0');
    const logStartOffsets = this.readCheckpoint(
      dir.logStartOffsets,
      'resetting to the base offset of the first segment',
    );
    let sliceMs = this.time.hiResMs();
    for (const name of dir.guard('listing', () => folderNamesIn(dir.path))) {
      this.loadLog(join(dir.path, name), hadCleanShutdown, recoveryPoints, logStartOffsets);
      if (this.time.hiResMs() - sliceMs < LOADING_SLICE_MS) continue;
      await new Promise<void>((resume) => {
        this.time.soon(resume);
      });
      sliceMs = this.time.hiResMs();
    }
  }

  private loadLog(
    folder: string,
    hadCleanShutdown: boolean,
    recoveryPoints: ReadonlyMap<string, number>,
    logStartOffsets: ReadonlyMap<string, number>,
  ): void {
    const topicPartition = partitionOfDir(folder);
    if (folder.endsWith(DELETE_DIR_SUFFIX)) {
      this.tasks.later(this.currentDefaultConfig.fileDeleteDelayMs, () => {
        this.deleteFolder(folder);
      });
      return;
    }
    const key = topicPartitionKey(topicPartition.topic, topicPartition.partition);
    if (folder.endsWith(FUTURE_DIR_SUFFIX)) {
      this.logger.warn(`Ignoring future log of ${key} in ${folder}: moves between log dirs are not supported`);
      return;
    }
    const known = this.logs.get(key);
    if (known !== undefined) {
      throw new Error(`Duplicate log directories for ${key} are found in both ${folder} and ${known.dir}.`);
    }
    const log = this.openLog(folder, topicPartition, this.fetchLogConfig(topicPartition.topic), {
      hadCleanShutdown,
      logStartOffset: logStartOffsets.get(key) ?? 0,
      recoveryPoint: recoveryPoints.get(key) ?? 0,
    });
    this.logs.set(key, log);
    this.logger.debug(`Completed load of ${log.toString()} with ${log.numberOfSegments} segments`);
  }

  private openLog(
    dir: string,
    topicPartition: TopicPartition,
    config: LogConfig,
    state: { hadCleanShutdown: boolean; logStartOffset?: number; recoveryPoint?: number },
  ): Log {
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

  private readCheckpoint(file: OffsetCheckpointFile, consequence: string): Map<string, number> {
    try {
      return file.read();
    } catch (error) {
      this.logger.warn(`Error occurred while reading ${file.path}, ${consequence}: ${String(error)}`);
      return new Map();
    }
  }

  private createFolder(name: string): string {
    for (const dir of this.leastLoadedDirs()) {
      const folder = join(dir.path, name);
      try {
        dir.guard(`creating log for ${name}`, () => mkdirSync(folder, { recursive: true }));
        return folder;
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw error;
        this.logger.warn(error.message);
        this.noteFailure(error);
      }
    }
    const tried = this.liveLogDirs.join(', ');
    throw new KafkaStorageError(tried, `No log directories available. Tried ${tried}`);
  }

  private leastLoadedDirs(): LogDir[] {
    const live = [...this.dirs.values()].filter((dir) => !this.failedDirs.has(dir.path));
    if (live.length === 1) return live;
    const counts = new Map(live.map((dir) => [dir.path, this.logsIn(dir.path).length]));
    return live.sort((a, b) => counts.get(a.path)! - counts.get(b.path)!);
  }

  private logsIn(dir: string): Log[] {
    return [...this.logs.values()].filter((log) => log.parentDir === dir);
  }

  private checkpointDir(dir: string): void {
    this.checkpoint(dir, 'recoveryPoints');
    this.checkpoint(dir, 'logStartOffsets');
  }

  private checkpoint(dir: string, which: 'recoveryPoints' | 'logStartOffsets'): void {
    const offsets = new Map<string, number>();
    for (const [key, log] of this.logs) {
      if (log.parentDir !== dir) continue;
      if (which === 'recoveryPoints') offsets.set(key, log.recoveryPoint);
      else if (log.logStartOffset > log.firstSegmentBaseOffset) offsets.set(key, log.logStartOffset);
    }
    this.tasks.tolerate(() => this.dirs.get(dir)?.[which].write(offsets));
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

  private deleteFolder(folder: string): void {
    const dir = this.dirs.get(resolve(folder, '..'));
    dir?.guard(`deleting ${folder}`, () => {
      deleteTree(folder);
    });
    this.logger.info(`Deleted log in ${folder}.`);
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

  /** 32 hexadecimal digits. */
  private uniqueId(): string {
    const digit = (): string => Math.floor(this.options.random.next() * 16).toString(16);
    return Array.from({ length: 32 }, digit).join('');
  }
}

async function inParallel<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: FLUSHES_AT_ONCE }, async () => {
      for (let next = queue.next(); next.done !== true; next = queue.next()) await task(next.value);
    }),
  );
}
