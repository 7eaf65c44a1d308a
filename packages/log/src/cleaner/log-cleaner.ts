import { prefixed } from '@klassic/common';
import type { Cancel, Logger, LoggerFactory, Time } from '@klassic/common';
import { InvalidConfigError } from '../config-types.ts';
import { KafkaStorageError } from '../kafka-storage-error.ts';
import type { LogDir } from '../log-dirs.ts';
import type { Log } from '../log.ts';
import type { CleanerConfig } from './cleaner-config.ts';
import type { CleanerStats } from './cleaner-stats.ts';
import { Cleaner } from './cleaner.ts';
import { CleaningAbortedError } from './cleaning-task.ts';
import { LogCleanerManager, LogCleaningError } from './log-cleaner-manager.ts';
import type { FoundLog } from './log-cleaner-manager.ts';
import { BYTES_PER_ENTRY } from './offset-map.ts';
import { Throttler } from './throttler.ts';

/** As many bytes as the reference can use for one map. */
const MAX_MAP_BYTES = 0x7fffffff;
const MIN_IO_BUFFER_BYTES = 1024;

export interface LogCleanerOptions {
  readonly config: CleanerConfig;
  /** All logs by `topicPartitionKey`. */
  readonly logs: ReadonlyMap<string, Log>;
  /** Log dirs in use, by path. */
  readonly dirs: ReadonlyMap<string, LogDir>;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  /** Told what ends a cleaner: an impossible state. */
  readonly onFatal: (error: unknown) => void;
}

/** The gauges of `kafka.log:type=LogCleaner` and `type=LogCleanerManager`. */
export interface LogCleanerMetrics {
  /** Bytes written per 100 read, over the last cleaning of each cleaner. */
  readonly recopyPercent: number;
  /** Longest of the last cleanings, s. */
  readonly maxCleanTimeSecs: number;
  /** Fullest offset map of the last cleanings, percent. */
  readonly maxBufferUtilizationPercent: number;
  readonly uncleanablePartitionsCount: number;
}

/**
 * Removes from compacted logs the records that a later one with the same key has replaced: always from the dirtiest
 * log first. It also does retention where a log is compacted and deleted, so that the two never meet in a log. What
 * the reference does in threads of their own happens here in short slices between other work. Counterpart of
 * `kafka.log.LogCleaner`.
 */
export class LogCleaner {
  readonly manager: LogCleanerManager;
  private readonly options: LogCleanerOptions;
  private readonly logger: Logger;
  private readonly throttler: Throttler;
  private readonly sleepers = new Map<Cancel, () => void>();
  private config: CleanerConfig;
  private cleaners: readonly Cleaner[];
  /** The last cleaning of each cleaner, by its id. */
  private readonly lastStats = new Map<number, CleanerStats>();
  private isRunning = false;

  /** @throws InvalidConfigError */
  constructor(options: LogCleanerOptions) {
    this.options = options;
    const { config, time, loggers, logs, dirs } = options;
    this.logger = loggers('kafka.log.LogCleaner');
    this.manager = new LogCleanerManager({ logs, dirs, time, logger: this.logger });
    this.throttler = new Throttler(config.maxIoBytesPerSecond, time, (ms) => this.sleep(ms));
    this.config = config;
    this.cleaners = this.createCleaners(config);
  }

  get metrics(): LogCleanerMetrics {
    let [read, written, cleanTimeSecs, utilization] = [0, 0, 0, 0];
    for (const stats of this.lastStats.values()) {
      read += stats.bytesRead;
      written += stats.bytesWritten;
      cleanTimeSecs = Math.max(cleanTimeSecs, stats.elapsedSecs);
      utilization = Math.max(utilization, stats.bufferUtilization);
    }
    return {
      recopyPercent: read === 0 ? 0 : (100 * written) / read,
      maxCleanTimeSecs: cleanTimeSecs,
      maxBufferUtilizationPercent: 100 * utilization,
      uncleanablePartitionsCount: this.manager.uncleanablePartitions.size,
    };
  }

  startup(): void {
    this.logger.info('Starting the log cleaner');
    this.isRunning = true;
    for (const [id, cleaner] of this.cleaners.entries()) this.run(id, cleaner).catch(this.options.onFatal);
  }

  /** Stops at once: what is half cleaned is dropped. */
  shutdown(): void {
    this.logger.info('Shutting down the log cleaner.');
    this.isRunning = false;
    this.interrupt();
  }

  /**
   * Whether new settings may be taken over while running: at least one thread, and no more than a doubling or a halving
   * of their number at once.
   *
   * @throws InvalidConfigError
   */
  validateReconfiguration(config: CleanerConfig): void {
    const { threads } = this.config;
    const refuse = (what: string): never => {
      throw new InvalidConfigError(`Log cleaner threads ${what}`);
    };
    if (config.threads < 1) refuse('should be at least 1');
    if (config.threads < Math.floor(threads / 2)) {
      refuse(`cannot be reduced to less than half the current value ${threads}`);
    }
    if (config.threads > threads * 2) {
      refuse(`cannot be increased to more than double the current value ${threads}`);
    }
    maxSlotsOf(config);
  }

  /**
   * Takes over new settings: cleanings under way are dropped, and begun again by the new cleaners.
   *
   * @throws InvalidConfigError, and changes nothing then
   */
  reconfigure(config: CleanerConfig): void {
    this.cleaners = this.createCleaners(config);
    this.config = config;
    this.throttler.bytesPerSecond = config.maxIoBytesPerSecond;
    if (!this.isRunning) return;
    this.interrupt();
    this.startup();
  }

  /**
   * Cleans the dirtiest log, if one is dirty enough, and does retention in compacted logs.
   *
   * @param cleaner one of its cleaners
   * @returns whether a log was cleaned, so that the next one may wait; false after a failing disk, which is let go of
   *   meanwhile
   */
  async cleanFilthiestLog(cleaner = this.cleaners[0]!): Promise<boolean> {
    try {
      const found = this.manager.grabFilthiestCompactedLog();
      const goOn = found !== null && (await this.clean(cleaner, found));
      this.deleteOldSegments();
      return goOn;
    } catch (error) {
      if (!(error instanceof LogCleaningError)) throw error;
      this.logger.warn(
        `Unexpected exception thrown when cleaning log ${error.key}. Marking its partition (${error.key}) as ` +
          `uncleanable: ${error.message}`,
      );
      this.manager.markPartitionUncleanable(error.key);
      return false;
    }
  }

  /** Cleans until the cleaner is stopped, or others have taken its place. */
  private async run(id: number, cleaner: Cleaner): Promise<void> {
    const isOn = (): boolean => this.isRunning && this.cleaners[id] === cleaner;
    while (isOn()) {
      const cleaned = await this.cleanFilthiestLog(cleaner);
      if (!cleaned && isOn()) await this.sleep(this.config.backoffMs);
    }
  }

  private createCleaners(config: CleanerConfig): Cleaner[] {
    const maxSlots = maxSlotsOf(config);
    return Array.from(
      { length: config.threads },
      (_, id) =>
        new Cleaner({
          id,
          maxSlots,
          loadFactor: config.loadFactor,
          ioBufferBytes: Math.max(MIN_IO_BUFFER_BYTES, Math.floor(config.ioBufferBytes / config.threads / 2)),
          throttler: this.throttler,
          time: this.options.time,
          logger: prefixed(this.logger, `Cleaner ${id}: `),
        }),
    );
  }

  /** Drops what is half cleaned, and wakes those who wait. */
  private interrupt(): void {
    this.manager.abortAll();
    for (const [cancel, wake] of [...this.sleepers]) {
      cancel();
      wake();
    }
    this.sleepers.clear();
  }

  private async clean(cleaner: Cleaner, found: FoundLog): Promise<boolean> {
    const { cleanable, task } = found;
    let endOffset: number | null = null;
    try {
      await cleanable.log.run('cleaning log', async () => {
        const { nextDirtyOffset, stats } = await cleaner.clean(cleanable, task);
        endOffset = nextDirtyOffset;
        this.lastStats.set(cleaner.id, stats);
        this.report(cleaner.id, found, nextDirtyOffset, stats);
      });
      return true;
    } catch (error) {
      // An abort is what was asked for.
      if (error instanceof CleaningAbortedError) return true;
      // A failing disk was reported by the guard. Asking it again at once would leave others no turn to let go of it.
      if (error instanceof KafkaStorageError) return false;
      throw new LogCleaningError(cleanable.key, error);
    } finally {
      this.manager.doneCleaning(found, endOffset);
    }
  }

  private deleteOldSegments(): void {
    for (const [key, log] of [...this.manager.cleanableLogs()]) {
      try {
        log.deleteOldSegments();
      } catch (error) {
        if (!(error instanceof KafkaStorageError)) throw new LogCleaningError(key, error);
      }
    }
  }

  private report(id: number, { cleanable, seen }: FoundLog, endOffset: number, stats: CleanerStats): void {
    const { key, firstDirtyOffset } = cleanable;
    this.logger.info(`[kafka-log-cleaner-thread-${id}]: ${stats.report(id, key, firstDirtyOffset, endOffset)}`);
    if (seen.delayedPartitions > 0) {
      this.logger.info(
        `[kafka-log-cleaner-thread-${id}]: \tCleanable partitions: ${seen.cleanablePartitions}, ` +
          `Delayed partitions: ${seen.delayedPartitions}, max delay: ${seen.maxCompactionDelayMs}`,
      );
    }
    if (stats.invalidMessagesRead > 0) {
      this.logger.warn(
        `[kafka-log-cleaner-thread-${id}]: \tFound ${stats.invalidMessagesRead} invalid messages during compaction.`,
      );
    }
  }

  /** Waits, but not longer than the cleaner runs. */
  private sleep(ms: number): Promise<void> {
    return new Promise((resume) => {
      const cancel = this.options.time.schedule(ms, () => {
        this.sleepers.delete(cancel);
        resume();
      });
      this.sleepers.set(cancel, resume);
    });
  }
}

/** How many keys each cleaner's offset map may have. @throws InvalidConfigError */
function maxSlotsOf({ dedupeBufferBytes, threads, loadFactor }: CleanerConfig): number {
  const mapBytes = Math.min(MAX_MAP_BYTES, Math.floor(dedupeBufferBytes / Math.max(1, threads)));
  const maxSlots = Math.floor(mapBytes / BYTES_PER_ENTRY);
  if (maxSlots * loadFactor > 1) return maxSlots;
  throw new InvalidConfigError(
    'offset map is too small to fit in even a single message, so log cleaning will never make progress. You can ' +
      'increase log.cleaner.dedupe.buffer.size or decrease log.cleaner.threads',
  );
}
