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
    this.tasks.tolerate(() => this.dirs.get(dir)?.recoveryPoints.write(this.recoveryPoints(dir)));
  }

  /** As `writeRecoveryPoints`, of all log dirs; resolves when they are written. It never rejects. */
  writeAllRecoveryPointsInBackground(): Promise<void> {
    return this.inBackground((dir) => dir.recoveryPoints.writeInBackground(this.recoveryPoints(dir.path)));
  }

  /** Writes `log-start-offset-checkpoint`: of logs that begin within a segment. */
  writeLogStartOffsets(dir: string): void {
    this.tasks.tolerate(() => this.dirs.get(dir)?.logStartOffsets.write(this.logStartOffsets(dir)));
  }

  /** As `writeLogStartOffsets`, of all log dirs; resolves when they are written. It never rejects. */
  writeAllLogStartOffsetsInBackground(): Promise<void> {
    return this.inBackground((dir) => dir.logStartOffsets.writeInBackground(this.logStartOffsets(dir.path)));
  }

  /** Writes both. */
  writeAll(dir: string): void {
    this.writeRecoveryPoints(dir);
    this.writeLogStartOffsets(dir);
  }

  /** Resolves when no background write of a log dir is under way. */
  async settled({ recoveryPoints, logStartOffsets }: LogDir): Promise<void> {
    await recoveryPoints.settled();
    await logStartOffsets.settled();
  }

  private recoveryPoints(dir: string): Map<string, number> {
    const offsets = new Map<string, number>();
    for (const [key, log] of this.logs.inDir(dir)) offsets.set(key, log.recoveryPoint);
    return offsets;
  }

  private logStartOffsets(dir: string): Map<string, number> {
    const offsets = new Map<string, number>();
    for (const [key, log] of this.logs.inDir(dir)) {
      if (log.logStartOffset > log.firstSegmentBaseOffset) offsets.set(key, log.logStartOffset);
    }
    return offsets;
  }

  private async inBackground(write: (dir: LogDir) => Promise<void>): Promise<void> {
    const written = [...this.dirs.values()].map((dir) =>
      write(dir).catch((error: unknown) => {
        this.tasks.failed(error);
      }),
    );
    await Promise.all(written);
  }
}
