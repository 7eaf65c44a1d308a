import type { Histogram, Logger } from '@klassic/common';
import type { DiskGuard } from './disk-guard.ts';
import { KafkaStorageError } from './kafka-storage-error.ts';
import type { LocalLog } from './local-log.ts';

/** Brings a log to the disk and moves its recovery point. */
export class LogFlusher {
  private readonly local: LocalLog;
  private readonly guard: DiskGuard;
  private readonly logger: Logger;
  private readonly flushTimeMs: Histogram | undefined;
  private flushedMs: number;

  /** @param flushTimeMs takes the duration of each flush (`LogFlushRateAndTimeMs`) */
  constructor(local: LocalLog, guard: DiskGuard, logger: Logger, flushTimeMs?: Histogram) {
    this.local = local;
    this.guard = guard;
    this.logger = logger;
    this.flushTimeMs = flushTimeMs;
    this.flushedMs = local.time.milliseconds();
  }

  /** ms since 1970, of the last flush. */
  get lastFlushMs(): number {
    return this.flushedMs;
  }

  /** Flushes what lies below `offset`, off the thread. @throws KafkaStorageError */
  async flush(offset: number): Promise<void> {
    const { offsets, segments, truncations, time } = this.local;
    if (offset <= offsets.recoveryPoint) return;
    const startHiResMs = time.hiResMs();
    await this.guard.runInBackground('flushing log', async () => {
      await this.local.leaderEpochCache?.flushInBackground();
      for (const segment of segments.range(offsets.recoveryPoint, offset)) await segment.flushInBackground();
    });
    this.flushTimeMs?.update(time.hiResMs() - startHiResMs);
    // What was cut off meanwhile and written again was not flushed.
    if (truncations === this.local.truncations) this.noteFlushed(offset);
  }

  /** As `flush`, but done when it returns. @throws KafkaStorageError */
  flushNow(offset: number): void {
    const { offsets, segments, time } = this.local;
    if (offset <= offsets.recoveryPoint) return;
    const startHiResMs = time.hiResMs();
    this.guard.run('flushing log', () => {
      this.local.leaderEpochCache?.flushNow();
      for (const segment of segments.range(offsets.recoveryPoint, offset)) segment.flush();
    });
    this.flushTimeMs?.update(time.hiResMs() - startHiResMs);
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
