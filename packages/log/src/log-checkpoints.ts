import type { BackgroundTasks } from './background-tasks.ts';
import type { LogDir } from './log-dirs.ts';
import type { Log } from './log.ts';

/** Writes down how far the logs of each log dir are flushed, and where they begin. */
export class LogCheckpoints {
  private readonly dirs: ReadonlyMap<string, LogDir>;
  private readonly logs: ReadonlyMap<string, Log>;
  private readonly tasks: BackgroundTasks;

  /**
   * @param dirs by path
   * @param logs by `topicPartitionKey`
   * @param tasks takes note of a disk that fails
   */
  constructor(dirs: ReadonlyMap<string, LogDir>, logs: ReadonlyMap<string, Log>, tasks: BackgroundTasks) {
    this.dirs = dirs;
    this.logs = logs;
    this.tasks = tasks;
  }

  /** Writes `recovery-point-offset-checkpoint`. */
  writeRecoveryPoints(dir: string): void {
    const offsets = new Map<string, number>();
    for (const [key, log] of this.logs) if (log.parentDir === dir) offsets.set(key, log.recoveryPoint);
    this.tasks.tolerate(() => this.dirs.get(dir)?.recoveryPoints.write(offsets));
  }

  /** Writes `log-start-offset-checkpoint`: of logs that begin within a segment. */
  writeLogStartOffsets(dir: string): void {
    const offsets = new Map<string, number>();
    for (const [key, log] of this.logs) {
      const isWithin = log.logStartOffset > log.firstSegmentBaseOffset;
      if (log.parentDir === dir && isWithin) offsets.set(key, log.logStartOffset);
    }
    this.tasks.tolerate(() => this.dirs.get(dir)?.logStartOffsets.write(offsets));
  }

  /** Writes both. */
  writeAll(dir: string): void {
    this.writeRecoveryPoints(dir);
    this.writeLogStartOffsets(dir);
  }
}
