import type { Time } from '@klassic/common';

/**
 * Runs tasks one after the other in the background, each on a turn of the event loop of its own: loading and unloading
 * of partitions never overlap. Counterpart of the reference's single-threaded `group-metadata-manager` scheduler.
 */
export class SerialTasks {
  private readonly time: Time;
  private readonly waiting: (() => void | Promise<void>)[] = [];
  private busy = false;

  constructor(time: Time) {
    this.time = time;
  }

  /** @param task deals with its operating errors itself */
  schedule(task: () => void | Promise<void>): void {
    this.waiting.push(task);
    if (this.busy) return;
    this.busy = true;
    this.next();
  }

  /** Drops the tasks that have not begun. */
  clear(): void {
    this.waiting.length = 0;
  }

  private next(): void {
    this.time.soon(() => {
      const task = this.waiting.shift();
      if (task === undefined) {
        this.busy = false;
        return;
      }
      void Promise.resolve(task()).then(() => {
        this.next();
      });
    });
  }
}
