import { invariant } from '@klassic/common';
import type { Cancel, Logger, Time } from '@klassic/common';

/**
 * An operation that waits for something to come true, at most `delayMs` milliseconds. It completes exactly once: when
 * `tryComplete` finds its condition met, or when its time is over. Counterpart of `kafka.server.DelayedOperation`.
 */
export abstract class DelayedOperation {
  readonly delayMs: number;
  private completed = false;
  private leave: (() => void) | undefined;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  get isCompleted(): boolean {
    return this.completed;
  }

  /**
   * Looks whether the condition is met, and if so calls `forceComplete`.
   *
   * @param changedKey the watch key that changed, for operations that can look there first; undefined for a full look
   * @returns whether this call completed the operation
   */
  abstract tryComplete(changedKey?: string): boolean;

  /** Answers whoever waits. Called once. */
  protected abstract onComplete(): void;

  /** Called after `onComplete` when it was the time-out that completed the operation. */
  onExpiration(): void {}

  /** Completes the operation unless that has happened before. Returns whether this call did it. */
  forceComplete(): boolean {
    if (this.completed) return false;
    this.completed = true;
    this.leave?.();
    this.leave = undefined;
    this.onComplete();
    return true;
  }

  /** For the purgatory: what to do to forget the operation once it has completed. */
  whenCompleted(leave: () => void): void {
    invariant(!this.completed && this.leave === undefined, 'an operation waits in one purgatory, once');
    this.leave = leave;
  }
}

/**
 * Where operations wait, each watched under one or more keys. A completed operation leaves at once: nothing is kept for
 * a later purge. Counterpart of `kafka.server.DelayedOperationPurgatory`.
 */
export class DelayedOperationPurgatory<T extends DelayedOperation> {
  readonly name: string;
  private readonly time: Time;
  private readonly logger: Logger;
  private readonly watchersByKey = new Map<string, Set<T>>();
  private readonly timers = new Map<T, Cancel>();

  constructor(name: string, time: Time, logger: Logger) {
    this.name = name;
    this.time = time;
    this.logger = logger;
  }

  /**
   * Completes the operation if it can be done now, else watches it under `watchKeys` until it can or its time is over.
   *
   * @returns whether it completed now
   */
  tryCompleteElseWatch(operation: T, watchKeys: readonly string[]): boolean {
    invariant(watchKeys.length > 0, "The watch key list can't be empty");
    if (operation.tryComplete()) return true;
    for (const key of watchKeys) this.watch(key, operation);
    operation.whenCompleted(() => {
      this.forget(operation, watchKeys);
    });
    this.timers.set(
      operation,
      this.time.schedule(operation.delayMs, () => {
        if (operation.forceComplete()) operation.onExpiration();
      }),
    );
    return false;
  }

  /** Looks again at what is watched under `key`. Returns how many operations completed. */
  checkAndComplete(key: string): number {
    const watchers = this.watchersByKey.get(key);
    if (watchers === undefined) return 0;
    let completed = 0;
    for (const operation of [...watchers]) {
      if (!operation.isCompleted && operation.tryComplete(key)) completed += 1;
    }
    if (this.logger.isEnabled('DEBUG')) {
      this.logger.debug(`Request key ${key} unblocked ${completed} ${this.name} operations`);
    }
    return completed;
  }

  /** How many watches there are (an operation counts once for each of its keys): `PurgatorySize`. */
  get watched(): number {
    let watched = 0;
    for (const watchers of this.watchersByKey.values()) watched += watchers.size;
    return watched;
  }

  /** How many operations wait: `NumDelayedOperations`. */
  get numDelayed(): number {
    return this.timers.size;
  }

  /** Completes what still waits, so that nobody is left without an answer and no timer runs on. */
  shutdown(): void {
    for (const operation of [...this.timers.keys()]) operation.forceComplete();
  }

  private watch(key: string, operation: T): void {
    const watchers = this.watchersByKey.get(key);
    if (watchers === undefined) this.watchersByKey.set(key, new Set([operation]));
    else watchers.add(operation);
  }

  private forget(operation: T, watchKeys: readonly string[]): void {
    this.timers.get(operation)?.();
    this.timers.delete(operation);
    for (const key of watchKeys) {
      const watchers = this.watchersByKey.get(key);
      watchers?.delete(operation);
      if (watchers?.size === 0) this.watchersByKey.delete(key);
    }
  }
}
