/** How many looks back a share reaches. */
const LOOKS = 12;

interface Look {
  readonly atMs: number;
  readonly busyMs: number;
}

/**
 * The share of the recent time in which something was idle, from a count of its busy milliseconds. `tick` is to be called
 * every few seconds; the share is that of the last twelve ticks. Where the reference has a meter of one minute.
 */
export class IdlePercent {
  private readonly busyMs: () => number;
  private readonly looks: Look[];

  /**
   * @param busyMs milliseconds of work since the start, ever growing
   * @param nowMs monotonic clock
   */
  constructor(busyMs: () => number, nowMs: number) {
    this.busyMs = busyMs;
    this.looks = [{ atMs: nowMs, busyMs: busyMs() }];
  }

  tick(nowMs: number): void {
    this.looks.push({ atMs: nowMs, busyMs: this.busyMs() });
    if (this.looks.length > LOOKS) this.looks.shift();
  }

  /** From 0 (always busy) to 1 (never). */
  value(nowMs: number): number {
    const oldest = this.looks[0]!;
    const elapsedMs = nowMs - oldest.atMs;
    if (elapsedMs <= 0) return 1;
    return Math.min(1, Math.max(0, 1 - (this.busyMs() - oldest.busyMs) / elapsedMs));
  }
}
