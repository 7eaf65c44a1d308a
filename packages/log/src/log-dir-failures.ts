import type { Logger, Time } from '@klassic/common';
import { KafkaStorageError } from './kafka-storage-error.ts';
import type { LogDir } from './log-dirs.ts';
import type { LogPools } from './log-pools.ts';
import type { Log } from './log.ts';

/** What is needed to take note of log dirs that fail. */
export interface LogDirFailuresOptions {
  /** Log dirs in use, by path; one that has failed is removed by `letGo`. */
  readonly dirs: Map<string, LogDir>;
  readonly pools: LogPools;
  readonly time: Time;
  readonly logger: Logger;
  /** Told of each log dir that fails, once, on a later turn of the event loop. */
  readonly onFailure: (logDir: string, error: KafkaStorageError) => void;
}

/** The log dirs that the disk has failed. Counterpart of `kafka.server.LogDirFailureChannel`. */
export class LogDirFailures {
  private readonly options: LogDirFailuresOptions;
  private readonly failedDirs = new Set<string>();

  constructor(options: LogDirFailuresOptions) {
    this.options = options;
  }

  /** Paths of log dirs that failed, though they may be in use still. */
  get failed(): ReadonlySet<string> {
    return this.failedDirs;
  }

  /** Takes note of what a task threw. @throws what is no failure of the disk */
  report(error: unknown): void {
    if (!(error instanceof KafkaStorageError)) throw error;
    this.options.logger.error(error.message, error);
    this.note(error);
  }

  /** Takes note of a failure; the first of a log dir is told. */
  note(error: KafkaStorageError): void {
    const { logDir } = error;
    const { logger, time, onFailure } = this.options;
    if (this.failedDirs.has(logDir)) return;
    this.failedDirs.add(logDir);
    logger.error(error.message, error);
    time.soon(() => {
      onFailure(logDir, error);
    });
  }

  /**
   * Lets go of a log dir and its logs. Files are closed as they are.
   *
   * @param dir absolute
   * @returns keys of the partitions that had their logs there, and of those that had their future logs there
   */
  letGo(dir: string): { current: string[]; future: string[] } {
    const { dirs, pools } = this.options;
    this.failedDirs.add(dir);
    dirs.delete(dir);
    return { current: removeLogs(pools.current, dir), future: removeLogs(pools.future, dir) };
  }
}

/** @returns keys of the logs removed */
function removeLogs(pool: Map<string, Log>, dir: string): string[] {
  const offline = [...pool].filter(([, log]) => log.parentDir === dir);
  for (const [key, log] of offline) {
    pool.delete(key);
    log.closeHandlers();
  }
  return offline.map(([key]) => key);
}
