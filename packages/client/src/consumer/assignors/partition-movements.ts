import { topicPartitionHash } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { inHashMapOrder } from './hash-map-order.ts';

interface Movement {
  readonly from: string;
  readonly to: string;
}

/**
 * Which partitions have changed hands within one rebalance: so that one never goes from A to B while another of the
 * same topic comes back from B to A. Partitions are told apart by identity.
 */
export class PartitionMovements {
  private readonly movements = new Map<TopicPartition, Movement>();

  /** Notes a move; a partition that is back where it was has not moved. */
  move(partition: TopicPartition, from: string, to: string): void {
    const earlier = this.movements.get(partition);
    this.movements.delete(partition);
    const origin = earlier?.from ?? from;
    if (origin !== to) this.movements.set(partition, { from: origin, to });
  }

  /** Instead of `partition`, perhaps one that can go back the way it came: from `to` to `from`. */
  betterToMove(partition: TopicPartition, from: string, to: string): TopicPartition {
    const origin = this.movements.get(partition)?.from ?? from;
    const opposite = [...this.movements].flatMap(([moved, movement]) =>
      moved.topic === partition.topic && movement.from === to && movement.to === origin ? [moved] : [],
    );
    return inHashMapOrder(opposite, (moved) => topicPartitionHash(moved.topic, moved.partition))[0] ?? partition;
  }
}
