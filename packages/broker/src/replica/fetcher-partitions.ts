import type { Logger, Time } from '@klassic/common';
import type { InitialFetchState, PartitionFetchState } from './fetch-state.ts';
import type { BrokerEndPoint } from './options.ts';

/** What the partitions of a fetcher are kept with. */
export interface FetcherPartitionsOptions {
  readonly time: Time;
  readonly logger: Logger;
  /** `replica.fetch.backoff.ms` */
  readonly backoffMs: number;
  /** Partitions no fetcher of the broker works on because something went wrong; they wait for the controller. */
  readonly failedPartitions: Set<string>;
}

/**
 * The partitions of one fetcher and where it stands with each, the one served longest ago first: a response that is full
 * before its turn comes leaves a partition at the front. Keys as `topicPartitionKey` makes them. Counterpart of
 * `PartitionStates` and of the `FailedPartitions` of the reference's `AbstractFetcherThread`.
 */
export class FetcherPartitions {
  private readonly options: FetcherPartitionsOptions;
  private readonly states = new Map<string, PartitionFetchState>();

  constructor(options: FetcherPartitionsOptions) {
    this.options = options;
  }

  get size(): number {
    return this.states.size;
  }

  /** The largest lag in records behind the leaders' high watermarks. */
  get maxLag(): number {
    let maxLag = 0;
    for (const { lag } of this.states.values()) maxLag = Math.max(maxLag, lag ?? 0);
    return maxLag;
  }

  get(key: string): PartitionFetchState | undefined {
    return this.states.get(key);
  }

  keys(): IterableIterator<string> {
    return this.states.keys();
  }

  /** Those in a state for which nothing is to be waited any more. Not to be changed while it is gone through. */
  *ready(wanted: PartitionFetchState['state']): IterableIterator<[string, PartitionFetchState]> {
    const nowMs = this.options.time.milliseconds();
    for (const entry of this.states) {
      const { state, delayedUntilMs } = entry[1];
      if (state === wanted && delayedUntilMs <= nowMs) yield entry;
    }
  }

  isReady({ state, delayedUntilMs }: PartitionFetchState, wanted: PartitionFetchState['state']): boolean {
    return state === wanted && delayedUntilMs <= this.options.time.milliseconds();
  }

  /** Takes partitions on. One that is fetched under the same epoch already goes on where it is. */
  add(initialStates: ReadonlyMap<string, InitialFetchState>): void {
    for (const [key, initial] of initialStates) {
      this.options.failedPartitions.delete(key);
      const current = this.states.get(key);
      const goesOn = current?.currentLeaderEpoch === initial.currentLeaderEpoch;
      this.moveToEnd(key, goesOn ? current : truncatingState(initial));
    }
  }

  remove(keys: Iterable<string>): void {
    for (const key of keys) this.states.delete(key);
  }

  /** Gives all away. Returns where another fetcher of the same leader is to go on with them. */
  removeAll(leader: BrokerEndPoint): Map<string, InitialFetchState> {
    const removed = new Map<string, InitialFetchState>();
    for (const [key, { topic, partition, currentLeaderEpoch, fetchOffset: initOffset }] of this.states) {
      removed.set(key, { topic, partition, leader, currentLeaderEpoch, initOffset });
    }
    this.states.clear();
    return removed;
  }

  /** Replaces a state; the partition keeps its turn. */
  set(key: string, state: PartitionFetchState): void {
    this.states.set(key, state);
  }

  /** Replaces a state; the partition has had its turn. */
  moveToEnd(key: string, state: PartitionFetchState): void {
    this.states.delete(key);
    this.states.set(key, state);
  }

  /** Leaves partitions alone for `replica.fetch.backoff.ms`; a delay that runs already is not made longer. */
  delay(keys: Iterable<string>): void {
    const { time, backoffMs } = this.options;
    const nowMs = time.milliseconds();
    for (const key of [...keys]) {
      const state = this.states.get(key);
      if (state === undefined || state.delayedUntilMs > nowMs) continue;
      this.moveToEnd(key, { ...state, delayedUntilMs: nowMs + backoffMs });
    }
  }

  /** Lets go of a partition until the controller sends it again. */
  markFailed(key: string): void {
    this.options.failedPartitions.add(key);
    this.states.delete(key);
    this.options.logger.warn(`Partition ${key} marked as failed`);
  }
}

function truncatingState({ topic, partition, currentLeaderEpoch, initOffset }: InitialFetchState): PartitionFetchState {
  return {
    topic,
    partition,
    fetchOffset: initOffset,
    currentLeaderEpoch,
    state: 'Truncating',
    delayedUntilMs: 0,
    lag: undefined,
  };
}
