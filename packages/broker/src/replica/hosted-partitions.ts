import { topicPartitionKey } from '@klassic/common';
import type { Log } from '@klassic/log';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import { Partition } from './partition.ts';
import type { PartitionContext } from './partition-context.ts';

/** The partitions this broker hosts: online with their state, or offline with a failed log dir (`HostedPartition`). */
export class HostedPartitions {
  private readonly hosted = new Map<string, Partition | 'offline'>();
  private readonly metadataCache: MetadataCache;

  constructor(metadataCache: MetadataCache) {
    this.metadataCache = metadataCache;
  }

  get size(): number {
    return this.hosted.size;
  }

  get offlineCount(): number {
    let count = 0;
    for (const partition of this.hosted.values()) if (partition === 'offline') count += 1;
    return count;
  }

  get(key: string): Partition | 'offline' | undefined {
    return this.hosted.get(key);
  }

  /** Every partition that is online, as leader or follower. */
  *online(): IterableIterator<Partition> {
    for (const partition of this.hosted.values()) if (partition !== 'offline') yield partition;
  }

  /** Their logs, future logs included. */
  *logs(): IterableIterator<Log> {
    for (const { log, future } of this.online()) {
      if (log !== undefined) yield log;
      if (future.log !== undefined) yield future.log;
    }
  }

  getOnline(key: string): Partition | undefined {
    const partition = this.hosted.get(key);
    return partition === 'offline' ? undefined : partition;
  }

  create(topic: string, partition: number, context: PartitionContext): Partition {
    const created = new Partition({ topic, partition }, context);
    this.hosted.set(created.key, created);
    return created;
  }

  remove(key: string): void {
    this.hosted.delete(key);
  }

  markOffline(key: string): void {
    this.getOnline(key)?.close();
    this.hosted.set(key, 'offline');
  }

  /**
   * The partition, or why it cannot be used: KAFKA_STORAGE_ERROR when its log dir has failed, NOT_LEADER_OR_FOLLOWER when
   * another broker hosts it, UNKNOWN_TOPIC_OR_PARTITION when nobody does as far as this broker knows.
   */
  getOrError(topic: string, partition: number, key = topicPartitionKey(topic, partition)): Partition | ErrorEntry {
    const found = this.hosted.get(key);
    if (found === 'offline') return Errors.KAFKA_STORAGE_ERROR;
    if (found !== undefined) return found;
    return this.metadataCache.contains(topic, partition)
      ? Errors.NOT_LEADER_OR_FOLLOWER
      : Errors.UNKNOWN_TOPIC_OR_PARTITION;
  }

  /** As `getOrError`. @throws KafkaError with the error */
  getOrThrow(topic: string, partition: number): Partition {
    const found = this.getOrError(topic, partition);
    if (found instanceof Partition) return found;
    const key = topicPartitionKey(topic, partition);
    throw new KafkaError(
      found,
      found === Errors.KAFKA_STORAGE_ERROR
        ? `Partition ${key} is in an offline log directory`
        : `Error while fetching partition state for ${key}`,
    );
  }
}
