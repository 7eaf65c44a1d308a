import type { BackgroundTasks } from './background-tasks.ts';
import type { LogDir } from './log-dirs.ts';
import type { LogPools } from './log-pools.ts';

/** Writes down how far the logs of each log dir are flushed, and where they begin. */
export class LogCheckpoints {
  private readonly dirs: ReadonlyMap<string, LogDir>;
  private readonly logs: LogPools;
  private readonly tasks: BackgroundTasks;

  /**
   * @param dirs by path
   * @param tasks takes note of a disk that fails
   */
  constructor(dirs: ReadonlyMap<string, LogDir>, logs: LogPools, tasks: BackgroundTasks) {
    this.dirs = dirs;
    this.logs = logs;
    this.tasks = tasks;
  }

  /** Writes `recovery-point-offset-checkpoint`. */
  writeRecoveryPoints(dir: string): void {
    const offsets = new Map<string, number>();
    for (const [key, log] of this.logs.inDir(dir)) offsets.set(key, log.recoveryPoint);
    this.tasks.tolerate(() => this.dirs.get(dir)?.recoveryPoints.write(offsets));
  }

  /** Writes `log-start-offset-checkpoint`: of logs that begin within a segment. */
  writeLogStartOffsets(dir: string): void {
    const offsets = new Map<string, number>();
    for (const [key, log] of this.logs.inDir(dir)) {
      if (log.logStartOffset > log.firstSegmentBaseOffset) offsets.set(key, log.logStartOffset);
    }
    this.tasks.tolerate(() => this.dirs.get(dir)?.logStartOffsets.write(offsets));
  }

  /** Writes both. */
  writeAll(dir: string): void {
    this.writeRecoveryPoints(dir);
    this.writeLogStartOffsets(dir);
  }
}
