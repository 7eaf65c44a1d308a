import type { Logger } from '@klassic/common';
import type { DiskGuard } from './disk-guard.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import type { LocalLog } from './local-log.ts';

/** Brings a log to the disk and moves its recovery point. */
export class LogFlusher {
  private readonly local: LocalLog;
  private readonly guard: DiskGuard;
  private readonly logger: Logger;
  private flushedMs: number;

  constructor(local: LocalLog, guard: DiskGuard, logger: Logger) {
    this.local = local;
    this.guard = guard;
    this.logger = logger;
    this.flushedMs = local.time.milliseconds();
  }

  /** ms since 1970, of the last flush. */
  get lastFlushMs(): number {
    return this.flushedMs;
  }

  /** Flushes what lies below `offset`, off the thread. @throws KafkaStorageError */
  async flush(offset: number): Promise<void> {
    const { offsets, segments, truncations } = this.local;
    if (offset <= offsets.recoveryPoint) return;
    await this.guard.runInBackground('flushing log', async () => {
      await this.local.leaderEpochCache?.flushFirstEpochInBackground();
      for (const segment of segments.range(offsets.recoveryPoint, offset)) await segment.flushInBackground();
    });
    // What was cut off meanwhile and written again was not flushed.
    if (truncations === this.local.truncations) this.noteFlushed(offset);
  }

  /** As `flush`, but done when it returns. @throws KafkaStorageError */
  flushNow(offset: number): void {
    const { offsets, segments } = this.local;
    if (offset <= offsets.recoveryPoint) return;
    this.guard.run('flushing log', () => {
      this.local.leaderEpochCache?.flushFirstEpoch();
      for (const segment of segments.range(offsets.recoveryPoint, offset)) segment.flush();
    });
    this.noteFlushed(offset);
  }

  /** As `flush`, for nobody who waits. */
  flushUnwatched(offset: number): void {
    this.flush(offset).catch((error: unknown) => {
      // A failing disk was reported by the guard already.
      if (!(error instanceof KafkaStorageError)) throw error;
      this.logger.error(error.message, error);
    });
  }

  private noteFlushed(offset: number): void {
    this.local.offsets.advanceRecoveryPoint(offset);
    this.flushedMs = this.local.time.milliseconds();
  }
}
