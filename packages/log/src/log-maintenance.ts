import type { Logger, Time } from '@klassic/common';
import type { BackgroundTasks } from './background-tasks.ts';
import type { LogManagerOptions } from './log-manager-options.ts';
import type { LogPools } from './log-pools.ts';

const PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS = 600_000;
const DEFAULT_RETENTION_CHECK_MS = 300_000;
const DEFAULT_CHECKPOINT_MS = 60_000;

export interface LogMaintenanceOptions {
  readonly pools: LogPools;
  readonly tasks: BackgroundTasks;
  readonly time: Time;
  readonly logger: Logger;
}

/** What is done for all logs from time to time: retention, flushes, producer ids that expire. */
export class LogMaintenance {
  private readonly options: LogMaintenanceOptions;

  constructor(options: LogMaintenanceOptions) {
    this.options = options;
  }

  /** Starts the tasks, each with its own period. */
  schedule(
    periods: Pick<
      LogManagerOptions,
      'retentionCheckMs' | 'flushCheckMs' | 'flushRecoveryOffsetCheckpointMs' | 'flushStartOffsetCheckpointMs'
    >,
    write: { readonly recoveryPoints: () => void; readonly logStartOffsets: () => void },
  ): void {
    const { tasks, pools } = this.options;
    tasks.every(periods.retentionCheckMs ?? DEFAULT_RETENTION_CHECK_MS, () => this.cleanupLogs());
    tasks.every(periods.flushCheckMs ?? Infinity, () => void this.flushDirtyLogs());
    tasks.every(periods.flushRecoveryOffsetCheckpointMs ?? DEFAULT_CHECKPOINT_MS, write.recoveryPoints);
    tasks.every(periods.flushStartOffsetCheckpointMs ?? DEFAULT_CHECKPOINT_MS, write.logStartOffsets);
    tasks.every(PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS, () => {
      for (const log of pools.all()) log.removeExpiredProducers();
    });
  }

  /** As `LogManager.cleanupLogs`. */
  cleanupLogs(): number {
    const { pools, tasks, logger } = this.options;
    logger.debug('Beginning log cleanup...');
    let total = 0;
    for (const [key, log] of [...pools.current]) {
      if (log.config.cleanupPolicy.includes('compact')) continue;
      tasks.tolerate(() => {
        total += log.deleteOldSegments();
        total += pools.future.get(key)?.deleteOldSegments() ?? 0;
      });
    }
    logger.debug(`Log cleanup completed. ${total} files deleted`);
    return total;
  }

  /** Flushes logs whose last flush was `flush.ms` ago. */
  private async flushDirtyLogs(): Promise<void> {
    const { pools, tasks, time } = this.options;
    for (const log of [...pools.all()]) {
      if (time.milliseconds() - log.lastFlushMs < log.config.flushMs) continue;
      try {
        await log.flush();
      } catch (error) {
        tasks.failed(error);
      }
    }
  }
}
