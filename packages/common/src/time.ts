/** Cancels a timer; calling it again, or after the timer has fired, does nothing. */
export type Cancel = () => void;

/**
 * The clock and timers everything is handed, so that a whole cluster can run in virtual time.
 * Counterpart of `org.apache.kafka.common.utils.Time`.
 */
export interface Time {
  /** Wall clock: milliseconds since 1970-01-01 UTC. */
  milliseconds(): number;
  /** Monotonic clock in milliseconds, with a fraction; only differences have a meaning. */
  hiResMs(): number;
  /** Runs `task` once after `delayMs` milliseconds. */
  schedule(delayMs: number, task: () => void): Cancel;
  /** Runs `task` every `periodMs` milliseconds, the first time after `periodMs`. */
  scheduleEvery(periodMs: number, task: () => void): Cancel;
  /** Runs `task` on the next turn of the event loop, after pending I/O. */
  soon(task: () => void): void;
}

/** Resolves after `delayMs` milliseconds of `time`. */
export function delay(time: Time, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    time.schedule(delayMs, resolve);
  });
}
