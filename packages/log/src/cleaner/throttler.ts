import type { Time } from '@klassic/common';

const CHECK_INTERVAL_MS = 300;

/** Keeps the bytes that all cleaners read and write under a rate. Counterpart of `kafka.utils.Throttler`. */
export class Throttler {
  /** Infinity for no limit. */
  bytesPerSecond: number;
  private readonly time: Time;
  private readonly sleep: (ms: number) => Promise<void>;
  private periodStartMs: number;
  private observed = 0;

  constructor(bytesPerSecond: number, time: Time, sleep: (ms: number) => Promise<void>) {
    this.bytesPerSecond = bytesPerSecond;
    this.time = time;
    this.sleep = sleep;
    this.periodStartMs = time.hiResMs();
  }

  /** Counts bytes, and waits when there were too many lately. */
  async maybeThrottle(bytes: number): Promise<void> {
    this.observed += bytes;
    const elapsedMs = this.time.hiResMs() - this.periodStartMs;
    if (elapsedMs < CHECK_INTERVAL_MS) return;
    const dueMs = (this.observed / this.bytesPerSecond) * 1000;
    if (dueMs > elapsedMs) await this.sleep(Math.ceil(dueMs - elapsedMs));
    this.periodStartMs = this.time.hiResMs();
    this.observed = 0;
  }
}
