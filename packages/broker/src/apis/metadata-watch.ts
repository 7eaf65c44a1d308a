import type { Cancel, Time } from '@klassic/common';
import type { MetadataCache } from '../metadata/index.ts';

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: (done: boolean) => void;
  readonly cancelTimeout: Cancel;
}

/** Lets a request wait until the metadata cache shows what it caused. */
export class MetadataWatch {
  private readonly time: Time;
  private readonly waiters = new Set<Waiter>();

  constructor(time: Time) {
    this.time = time;
  }

  /**
   * Resolves with true as soon as `isDone` holds, looked at after each UpdateMetadata, or with false after `timeoutMs`.
   */
  waitUntil(isDone: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isDone()) return Promise.resolve(true);
    if (timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        isDone,
        resolve,
        cancelTimeout: this.time.schedule(timeoutMs, () => {
          this.waiters.delete(waiter);
          resolve(false);
        }),
      };
      this.waiters.add(waiter);
    });
  }

  /** To be called after each UpdateMetadata. */
  changed(): void {
    for (const waiter of this.waiters) {
      if (!waiter.isDone()) continue;
      this.waiters.delete(waiter);
      waiter.cancelTimeout();
      waiter.resolve(true);
    }
  }

  /** Answers whoever still waits. */
  shutdown(): void {
    for (const waiter of this.waiters) {
      waiter.cancelTimeout();
      waiter.resolve(false);
    }
    this.waiters.clear();
  }
}

/** Whether each of the topic's partitions 0 to `partitions` - 1 has a leader, as this broker has been told. */
export function hasLeaders(
  topic: string,
  partitions: number,
  metadataCache: Pick<MetadataCache, 'getPartitionInfo'>,
): boolean {
  for (let partition = 0; partition < partitions; partition += 1) {
    const info = metadataCache.getPartitionInfo(topic, partition);
    if (info === undefined || info.leader < 0) return false;
  }
  return true;
}
