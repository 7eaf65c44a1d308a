import type { Time } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';

/** How long one turn of the event loop may be held by a request of the controller, ms. */
const sliceMs = 10;

/**
 * One change of state after another, in the order they came; a later one waits until the earlier is done, however many
 * turns of the event loop that takes. Counterpart of the lock `replicaStateChangeLock` of the reference's `ReplicaManager`.
 */
export class StateChangeTurns {
  private readonly time: Time;
  private readonly waiting: (() => void)[] = [];
  private busy = false;
  private stopped = false;

  constructor(time: Time) {
    this.time = time;
  }

  /**
   * Runs a change when it is its turn: at once, before this returns, when none is under way.
   *
   * @param change gets the slices it is to be carried out in
   * @throws KafkaError BROKER_NOT_AVAILABLE when the broker has stopped before the change was done
   */
  async run<T>(change: (slices: Slices) => T | Promise<T>): Promise<T> {
    if (this.busy) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.busy = true;
    try {
      this.checkRunning();
      return await change(new Slices(this.time, () => this.checkRunning()));
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.busy = false;
      else next();
    }
  }

  /** From now on nothing changes any more: what is under way ends at its next slice, what waits never begins. */
  stop(): void {
    this.stopped = true;
  }

  private checkRunning(): void {
    if (this.stopped) throw new KafkaError(Errors.BROKER_NOT_AVAILABLE, 'The broker is shutting down');
  }
}

/**
 * Cuts long work into pieces, between which the event loop serves others: heartbeats to ZooKeeper above all, for a
 * session that hears nothing for `zookeeper.session.timeout.ms` is lost.
 */
export class Slices {
  private readonly time: Time;
  private readonly checkRunning: () => void;
  private startMs: number;

  constructor(time: Time, checkRunning: () => void) {
    this.time = time;
    this.checkRunning = checkRunning;
    this.startMs = time.hiResMs();
  }

  /** Does `work` for each item, in order, pausing whenever a slice is over. */
  async each<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
    for (const item of items) {
      if (this.time.hiResMs() - this.startMs >= sliceMs) await this.pause();
      work(item);
    }
  }

  private async pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.time.soon(resolve);
    });
    this.checkRunning();
    this.startMs = this.time.hiResMs();
  }
}
