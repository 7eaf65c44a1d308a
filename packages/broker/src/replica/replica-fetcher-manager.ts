import { prefixed } from '@klassic/common';
import type { Logger, LoggerFactory } from '@klassic/common';
import type { InitialFetchState } from './fetch-state.ts';
import type { BrokerEndPoint } from './options.ts';
import { ReplicaFetcherThread } from './replica-fetcher-thread.ts';
import type { ReplicaFetcherOptions } from './replica-fetcher-thread.ts';

/**
 * The fetchers of a broker: up to `num.replica.fetchers` for each leader it follows, among which the partitions are
 * spread by hash. Counterpart of `kafka.server.ReplicaFetcherManager`.
 */
export class ReplicaFetcherManager {
  private readonly options: ReplicaFetcherOptions;
  private readonly logger: Logger;
  /** By leader's broker id and fetcher id, `1-0`. */
  private readonly threads = new Map<string, ReplicaFetcherThread>();
  private readonly ending = new Set<Promise<void>>();
  /** `num.replica.fetchers` */
  private numFetchersPerBroker: number;

  constructor(
    options: Omit<ReplicaFetcherOptions, 'logger' | 'sessionLogger' | 'failedPartitions'>,
    loggers: LoggerFactory,
  ) {
    this.options = {
      ...options,
      logger: loggers('kafka.server.ReplicaFetcherThread'),
      sessionLogger: loggers('org.apache.kafka.clients.FetchSessionHandler'),
      failedPartitions: new Set(),
    };
    this.numFetchersPerBroker = options.config.numReplicaFetchers;
    const name = `[ReplicaFetcherManager on broker ${options.config.brokerId}] `;
    this.logger = prefixed(loggers('kafka.server.ReplicaFetcherManager'), name);
  }

  /** `FailedPartitionsCount` */
  get failedPartitionsCount(): number {
    return this.options.failedPartitions.size;
  }

  /** `MaxLag`, in records. */
  get maxLag(): number {
    let maxLag = 0;
    for (const thread of this.threads.values()) maxLag = Math.max(maxLag, thread.maxLag);
    return maxLag;
  }

  /** Begins to follow. A leader that has moved to another host or port gets a new fetcher. */
  addFetcherForPartitions(partitions: ReadonlyMap<string, InitialFetchState>): void {
    const perThread = new Map<ReplicaFetcherThread, Map<string, InitialFetchState>>();
    for (const [key, initial] of partitions) {
      const thread = this.threadFor(initial);
      const group = perThread.get(thread) ?? new Map<string, InitialFetchState>();
      perThread.set(thread, group.set(key, initial));
    }
    for (const [thread, group] of perThread) {
      thread.addPartitions(group);
      this.logger.info(`Added fetcher to broker ${thread.leader.id} for partitions ${describe(group)}`);
    }
  }

  removeFetcherForPartitions(keys: readonly string[]): void {
    for (const thread of this.threads.values()) thread.removePartitions(keys);
    for (const key of keys) this.options.failedPartitions.delete(key);
    if (keys.length > 0) this.logger.info(`Removed fetcher for partitions Set(${keys.join(', ')})`);
  }

  /**
   * Spreads the partitions anew over another number of fetchers per leader (`num.replica.fetchers` changed while the broker
   * runs; `AbstractFetcherManager.resizeThreadPool`). Each goes on where it is, once it has found out again where its log
   * parts from the leader's: an answer that is on its way to the old fetcher counts no more.
   */
  resizeThreadPool(newSize: number): void {
    const currentSize = this.numFetchersPerBroker;
    this.logger.info(`Resizing fetcher thread pool size from ${currentSize} to ${newSize}`);
    if (newSize === currentSize) return;
    this.numFetchersPerBroker = newSize;
    const partitions = new Map<string, InitialFetchState>();
    for (const thread of this.threads.values()) {
      for (const [key, initial] of thread.removeAllPartitions()) partitions.set(key, initial);
    }
    this.addFetcherForPartitions(partitions);
    this.shutdownIdleFetcherThreads();
  }

  /** Ends the fetchers that have nothing left to fetch. */
  shutdownIdleFetcherThreads(): void {
    for (const [id, thread] of this.threads) {
      if (thread.partitionCount > 0) continue;
      this.threads.delete(id);
      this.end(thread);
    }
  }

  /** Ends all fetchers. Resolves when nothing runs any more. */
  async shutdown(): Promise<void> {
    this.logger.info('shutting down');
    for (const thread of this.threads.values()) this.end(thread);
    this.threads.clear();
    await Promise.all(this.ending);
    this.logger.info('shutdown completed');
  }

  private threadFor({ topic, partition, leader }: InitialFetchState): ReplicaFetcherThread {
    const fetcherId = fetcherIdOf(topic, partition, this.numFetchersPerBroker);
    const id = `${leader.id}-${fetcherId}`;
    const current = this.threads.get(id);
    if (current !== undefined && isSame(current.leader, leader)) return current;
    if (current !== undefined) this.end(current);
    const thread = new ReplicaFetcherThread(fetcherId, leader, this.options);
    this.threads.set(id, thread);
    thread.start();
    return thread;
  }

  private end(thread: ReplicaFetcherThread): void {
    const ended = thread.shutdown().finally(() => this.ending.delete(ended));
    this.ending.add(ended);
  }
}

/** Which of the fetchers of a leader serves a partition: Java's `String.hashCode`, so that the choice is the reference's. */
function fetcherIdOf(topic: string, partition: number, numFetchers: number): number {
  let hash = 0;
  for (let index = 0; index < topic.length; index += 1) hash = (Math.imul(31, hash) + topic.charCodeAt(index)) | 0;
  const mixed = (Math.imul(31, hash) + partition) | 0;
  return (mixed === -0x80000000 ? 0 : Math.abs(mixed)) % numFetchers;
}

function isSame(left: BrokerEndPoint, right: BrokerEndPoint): boolean {
  return left.id === right.id && left.host === right.host && left.port === right.port;
}

function describe(partitions: ReadonlyMap<string, InitialFetchState>): string {
  const entries = [...partitions].map(
    ([key, { leader, currentLeaderEpoch, initOffset }]) =>
      `${key} -> InitialFetchState(BrokerEndPoint(id=${leader.id}, host=${leader.host}:${leader.port}),` +
      `${currentLeaderEpoch},${initOffset})`,
  );
  return `Map(${entries.join(', ')})`;
}
