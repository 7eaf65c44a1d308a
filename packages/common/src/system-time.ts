import type { Cancel, Time } from './time.ts';

/** The real clock. */
export class SystemTime implements Time {
  milliseconds(): number {
    return Date.now();
  }

  hiResMs(): number {
    return performance.now();
  }

  schedule(delayMs: number, task: () => void): Cancel {
    const timer = setTimeout(task, clampDelay(delayMs));
    return () => {
      clearTimeout(timer);
    };
  }

  scheduleEvery(periodMs: number, task: () => void): Cancel {
    const timer = setInterval(task, clampDelay(periodMs));
    return () => {
      clearInterval(timer);
    };
  }

  soon(task: () => void): void {
    setImmediate(task);
  }
}

/** Node.js turns a delay past 2^31-1 ms into 1 ms; Kafka's "never" is a far larger number. */
function clampDelay(delayMs: number): number {
  return Math.min(Math.max(delayMs, 0), 0x7fffffff);
}
