import type { Cancel, Time } from './time.ts';

interface Timer {
  dueMs: number;
  order: number;
  readonly task: () => void;
  /** Milliseconds between two runs; undefined for a timer that fires once. */
  readonly periodMs: number | undefined;
}

/** Virtual time: it moves only when a test says so. Tasks of one instant run in the order they were scheduled. */
export class MockTime implements Time {
  private nowMs: number;
  private nextOrder = 0;
  private readonly timers = new Set<Timer>();

  constructor(startMs = 1_600_000_000_000) {
    this.nowMs = startMs;
  }

  milliseconds(): number {
    return this.nowMs;
  }

  hiResMs(): number {
    return this.nowMs;
  }

  schedule(delayMs: number, task: () => void): Cancel {
    return this.add(delayMs, task, undefined);
  }

  scheduleEvery(periodMs: number, task: () => void): Cancel {
    return this.add(periodMs, task, Math.max(1, periodMs));
  }

  soon(task: () => void): void {
    this.add(0, task, undefined);
  }

  /** Moves the clock by `ms` milliseconds, running every task that falls due on the way, at its own instant. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.nowMs + ms;
    await drainMicrotasks();
    for (let timer = this.takeDue(targetMs); timer !== undefined; timer = this.takeDue(targetMs)) {
      this.nowMs = Math.max(this.nowMs, timer.dueMs);
      if (timer.periodMs !== undefined) {
        timer.dueMs += timer.periodMs;
        timer.order = this.nextOrder++;
        this.timers.add(timer);
      }
      timer.task();
      await drainMicrotasks();
    }
    this.nowMs = targetMs;
  }

  private add(delayMs: number, task: () => void, periodMs: number | undefined): Cancel {
    const timer: Timer = { dueMs: this.nowMs + Math.max(0, delayMs), order: this.nextOrder++, task, periodMs };
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
    };
  }

  private takeDue(limitMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.dueMs > limitMs) continue;
      const earlier = first === undefined || timer.dueMs < first.dueMs;
      if (earlier || (timer.dueMs === first!.dueMs && timer.order < first!.order)) first = timer;
    }
    if (first !== undefined) this.timers.delete(first);
    return first;
  }
}

/** Lets promise chains that a task started run on before the clock moves again. */
async function drainMicrotasks(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
