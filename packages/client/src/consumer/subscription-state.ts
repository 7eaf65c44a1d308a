import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { IllegalStateError } from '../client-errors.ts';

/** What to do about a partition whose position is not known. */
export type ResetStrategy = 'earliest' | 'latest' | 'committed';

/** One assigned partition as the consumer follows it. */
export interface AssignedPartition extends TopicPartition {
  /** Offset of the next record to return; undefined until it is known. */
  position: number | undefined;
  /** How to find the position while there is none. */
  reset: ResetStrategy;
  isPaused: boolean;
  /** As of the last fetch; -1 before. */
  highWatermark: number;
}

/** Which partitions a consumer has, and where it stands in each. Counterpart of `SubscriptionState`. */
export class SubscriptionState {
  private readonly partitions = new Map<string, AssignedPartition>();

  /** Replaces the assignment; partitions that stay keep their position. */
  assign(assigned: readonly TopicPartition[]): void {
    const kept = new Map(this.partitions);
    this.partitions.clear();
    for (const { topic, partition } of assigned) {
      const key = topicPartitionKey(topic, partition);
      this.partitions.set(
        key,
        kept.get(key) ?? {
          topic,
          partition,
          position: undefined,
          reset: 'committed',
          isPaused: false,
          highWatermark: -1,
        },
      );
    }
  }

  get assigned(): readonly AssignedPartition[] {
    return [...this.partitions.values()];
  }

  find({ topic, partition }: TopicPartition): AssignedPartition | undefined {
    return this.partitions.get(topicPartitionKey(topic, partition));
  }

  /** @throws IllegalStateError when the partition is not assigned */
  get(partition: TopicPartition): AssignedPartition {
    const found = this.find(partition);
    if (found === undefined) {
      throw new IllegalStateError(
        `No current assignment for partition ${topicPartitionKey(partition.topic, partition.partition)}`,
      );
    }
    return found;
  }

  /** Lets the position be found anew. */
  requestReset(partition: AssignedPartition, reset: ResetStrategy): void {
    partition.position = undefined;
    partition.reset = reset;
  }
}
