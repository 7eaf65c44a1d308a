import type { Cancel, Time } from '@klassic/common';

const INITIAL_TASK_DELAY_MS = 30_000;

/** Tasks that nobody waits for, and one place to stop them all. Counterpart of `kafka.utils.KafkaScheduler`. */
export class BackgroundTasks {
  private readonly time: Time;
  private readonly report: (error: unknown) => void;
  private readonly timers = new Set<Cancel>();

  /** @param report told what a task threw; throws it again when it cannot go on */
  constructor(time: Time, report: (error: unknown) => void) {
    this.time = time;
    this.report = report;
  }

  /** Runs a task every `periodMs` ms, the first time after half a minute; never when the period is endless. */
  every(periodMs: number, task: () => void): void {
    if (periodMs > Number.MAX_SAFE_INTEGER) return;
    this.later(INITIAL_TASK_DELAY_MS, () => {
      this.timers.add(
        this.time.scheduleEvery(periodMs, () => {
          this.tolerate(task);
        }),
      );
      task();
    });
  }

  /** Runs a task once, after `delayMs` ms. */
  later(delayMs: number, task: () => void): void {
    const cancel = this.time.schedule(delayMs, () => {
      this.timers.delete(cancel);
      this.tolerate(task);
    });
    this.timers.add(cancel);
  }

  /** Runs a task now, reporting what it throws. */
  tolerate(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.report(error);
    }
  }

  /** Reports what a task that waits has thrown. */
  failed(error: unknown): void {
    this.report(error);
  }

  /** Stops all tasks to come. */
  cancel(): void {
    for (const cancel of this.timers) cancel();
    this.timers.clear();
  }
}
