import { nextInt } from '@klassic/common';
import type { Random } from '@klassic/common';
import type { TopicInfo } from '../metadata/cluster.ts';
import { partitionForKey } from './murmur2.ts';

/** Chooses the partition of a record that names none. */
export interface Partitioner {
  partition(topic: TopicInfo, key: Buffer | null): number;
  /** Called when a record without a key begins a new batch at `partition`: the next may go elsewhere. */
  onNewBatch?(topic: TopicInfo, partition: number): void;
}

/** By hash of the key; records without one stick to a partition until its batch is full (KIP-480). */
export class DefaultPartitioner implements Partitioner {
  private readonly random: Random;
  private readonly sticky = new Map<string, number>();

  constructor(random: Random) {
    this.random = random;
  }

  partition(topic: TopicInfo, key: Buffer | null): number {
    if (key !== null) return partitionForKey(key, topic.partitions.length);
    return this.sticky.get(topic.name) ?? this.choose(topic, undefined);
  }

  onNewBatch(topic: TopicInfo, partition: number): void {
    if (this.sticky.get(topic.name) === partition) this.choose(topic, partition);
  }

  private choose(topic: TopicInfo, not: number | undefined): number {
    const available = topic.partitions.filter(({ leader }) => leader >= 0);
    const from = available.length > 0 ? available : topic.partitions;
    const others = from.filter(({ partition }) => partition !== not);
    const candidates = others.length > 0 ? others : from;
    const { partition } = candidates[nextInt(this.random, candidates.length)]!;
    this.sticky.set(topic.name, partition);
    return partition;
  }
}
