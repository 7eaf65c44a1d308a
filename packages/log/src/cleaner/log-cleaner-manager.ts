import type { Logger, Time } from '@klassic/common';
import { KafkaStorageError } from '../kafka-storage-error.ts';
import type { LogDir } from '../log-dirs.ts';
import type { Log } from '../log.ts';
import { CleaningTask } from './cleaning-task.ts';
import { cleanableOffsets, logToClean, maxCompactionDelayMs } from './log-to-clean.ts';
import type { LogToClean } from './log-to-clean.ts';

export interface LogCleanerManagerOptions {
  /** All logs by `topicPartitionKey`. */
  readonly logs: ReadonlyMap<string, Log>;
  /** Log dirs in use, by path. */
  readonly dirs: ReadonlyMap<string, LogDir>;
  readonly time: Time;
  readonly logger: Logger;
}

/** What a look for work has seen, for the cleaner's report. */
export interface PreCleanStats {
  readonly cleanablePartitions: number;
  readonly delayedPartitions: number;
  readonly maxCompactionDelayMs: number;
}

export interface FoundLog {
  readonly cleanable: LogToClean;
  readonly task: CleaningTask;
  readonly seen: PreCleanStats;
}

/** A log could not be cleaned, and why (`LogCleaningException`). */
export class LogCleaningError extends Error {
  override readonly name = 'LogCleaningError';
  readonly key: string;

  constructor(key: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.key = key;
  }
}

/**
 * Knows how far each log is cleaned, which are being cleaned, and which cannot be. Counterpart of
 * `kafka.log.LogCleanerManager`.
 */
export class LogCleanerManager {
  private readonly options: LogCleanerManagerOptions;
  private readonly inProgress = new Map<string, CleaningTask>();
  /** By log dir, then by key: cleaned up to, exclusive. */
  private readonly checkpoints = new Map<string, Map<string, number>>();
  private readonly uncleanable = new Set<string>();
  /** Partitions on the move to another log dir. */
  private readonly paused = new Set<string>();

  constructor(options: LogCleanerManagerOptions) {
    this.options = options;
  }

  /** Keys of partitions that a cleaning failed for. */
  get uncleanablePartitions(): ReadonlySet<string> {
    return this.uncleanable;
  }

  /** Up to where a log was cleaned, exclusive; undefined when it never was. */
  cleanedUpTo(key: string): number | undefined {
    const log = this.options.logs.get(key);
    return log === undefined ? undefined : this.checkpointOf(log.parentDir).get(key);
  }

  /**
   * The log with the greatest part that is dirty, if that is enough to clean it, now counted as in progress.
   *
   * @throws LogCleaningError when a log cannot be measured
   */
  grabFilthiestCompactedLog(): FoundLog | null {
    const nowMs = this.options.time.milliseconds();
    const dirty = [...this.cleanableLogs()].map(([key, log]) => this.measure(key, log, nowMs));
    const cleanable = dirty.filter(
      ({ log, totalBytes, cleanableBytes, cleanableRatio, compactionDelayMs }) =>
        totalBytes > 0 &&
        ((compactionDelayMs > 0 && cleanableBytes > 0) || cleanableRatio > log.config.minCleanableDirtyRatio),
    );
    const [first, ...others] = cleanable;
    if (first === undefined) return null;
    const filthiest = others.reduce((most, log) => (log.cleanableRatio > most.cleanableRatio ? log : most), first);
    const task = new CleaningTask();
    this.inProgress.set(filthiest.key, task);
    const delays = dirty.map((log) => log.compactionDelayMs).filter((ms) => ms > 0);
    const seen = {
      cleanablePartitions: cleanable.length,
      delayedPartitions: delays.length,
      maxCompactionDelayMs: Math.max(0, ...delays),
    };
    return { cleanable: filthiest, task, seen };
  }

  /** Compacted logs that nobody works on, by key. */
  *cleanableLogs(): Generator<readonly [string, Log]> {
    for (const [key, log] of this.options.logs) {
      const isCompacted = log.config.cleanupPolicy.includes('compact');
      const isBusy = this.inProgress.has(key) || this.paused.has(key);
      if (isCompacted && !isBusy && !this.uncleanable.has(key)) yield [key, log];
    }
  }

  /** Notes the end of a cleaning. @param endOffset cleaned up to, exclusive; null when it came to nothing */
  doneCleaning({ cleanable, task }: FoundLog, endOffset: number | null): void {
    task.discard();
    this.inProgress.delete(cleanable.key);
    if (!task.isAborted && endOffset !== null) this.updateCheckpoint(cleanable.logDir, cleanable.key, endOffset);
  }

  /** Ends the cleaning of a log that is to be truncated, deleted or closed; its half-written files go at once. */
  abortCleaning(key: string): void {
    this.inProgress.get(key)?.abort();
  }

  /**
   * Keeps a log from being cleaned until `resumeCleaning`. The reference counts pauses, since truncations pause, too;
   * here nothing but a move does, so a partition is paused or it is not.
   */
  abortAndPauseCleaning(key: string): void {
    this.abortCleaning(key);
    this.paused.add(key);
  }

  resumeCleaning(key: string): void {
    this.paused.delete(key);
  }

  abortAll(): void {
    for (const task of this.inProgress.values()) task.abort();
  }

  /** A log was cut: what follows is dirty again. */
  maybeTruncateCheckpoint(log: Log, key: string, offset: number): void {
    if (!log.config.cleanupPolicy.includes('compact')) return;
    if ((this.checkpointOf(log.parentDir).get(key) ?? 0) > offset) this.updateCheckpoint(log.parentDir, key, offset);
  }

  markPartitionUncleanable(key: string): void {
    this.uncleanable.add(key);
  }

  /** Forgets a log that is no more; `updateCheckpoints` writes that down. */
  forget(key: string): void {
    this.abortCleaning(key);
    this.uncleanable.delete(key);
    this.paused.delete(key);
  }

  /** Writes `cleaner-offset-checkpoint` of a log dir anew, without the logs that are no more. */
  updateCheckpoints(logDir: string): void {
    const isGone = (key: string): boolean => this.options.logs.get(key)?.parentDir !== logDir;
    if (this.checkpointOf(logDir).keys().some(isGone)) this.write(logDir);
  }

  /** A log lies in another log dir now: what is known of its cleaning goes there. */
  alterCheckpointDir(key: string, sourceDir: string, destinationDir: string): void {
    const offset = this.checkpointOf(sourceDir).get(key);
    if (offset === undefined) return;
    this.updateCheckpoints(sourceDir);
    this.updateCheckpoint(destinationDir, key, offset);
  }

  /**
   * Lets go of a log dir that failed.
   *
   * @param current keys of the logs it had
   * @param future keys of the future logs it had: what was to be moved there stays where it is, and is cleaned again
   */
  handleLogDirFailure(logDir: string, current: readonly string[], future: readonly string[]): void {
    this.options.logger.warn(`Stopping cleaning logs in dir ${logDir}`);
    for (const key of current) this.abortCleaning(key);
    for (const key of future) this.resumeCleaning(key);
    this.checkpoints.delete(logDir);
  }

  private measure(key: string, log: Log, nowMs: number): LogToClean {
    const { logger } = this.options;
    try {
      const { compactable, parentDir } = log;
      const offsets = cleanableOffsets(compactable, key, this.cleanedUpTo(key), nowMs, logger);
      if (offsets.forceUpdateCheckpoint) this.updateCheckpoint(parentDir, key, offsets.firstDirtyOffset);
      const delayMs = maxCompactionDelayMs(compactable, offsets.firstDirtyOffset, nowMs);
      return logToClean({ key, logDir: parentDir, log: compactable }, offsets, delayMs);
    } catch (error) {
      throw new LogCleaningError(key, error);
    }
  }

  private updateCheckpoint(logDir: string, key: string, offset: number): void {
    this.checkpointOf(logDir).set(key, offset);
    this.write(logDir);
  }

  private checkpointOf(logDir: string): Map<string, number> {
    let offsets = this.checkpoints.get(logDir);
    if (offsets === undefined) {
      offsets = this.read(logDir);
      this.checkpoints.set(logDir, offsets);
    }
    return offsets;
  }

  private read(logDir: string): Map<string, number> {
    try {
      return this.options.dirs.get(logDir)?.cleanerOffsets.read() ?? new Map<string, number>();
    } catch (error) {
      this.options.logger.error(
        `Failed to access checkpoint file in dir ${logDir}: cleaning its logs from their start`,
        error,
      );
      return new Map();
    }
  }

  private write(logDir: string): void {
    const isThere = (key: string): boolean => this.options.logs.get(key)?.parentDir === logDir;
    const offsets = new Map([...this.checkpointOf(logDir)].filter(([key]) => isThere(key)));
    this.checkpoints.set(logDir, offsets);
    try {
      this.options.dirs.get(logDir)?.cleanerOffsets.write(offsets);
    } catch (error) {
      if (!(error instanceof KafkaStorageError)) throw error;
      this.options.logger.error(`Failed to access checkpoint file in dir ${logDir}`, error);
    }
  }
}
