import { keyOf } from './controller-context.ts';
import type { ControllerParts } from './controller-parts.ts';
import type { PartitionReassignments } from './partition-reassignments.ts';

/** Leaders tell by `/isr_change_notification` that they changed ISRs: the controller reads them and tells all brokers. */
export class IsrChangeNotifications {
  private readonly parts: ControllerParts;
  private readonly reassignments: PartitionReassignments;

  constructor(parts: ControllerParts, reassignments: PartitionReassignments) {
    this.parts = parts;
    this.reassignments = reassignments;
  }

  async processIsrChangeNotification(): Promise<void> {
    const { context, store, log, sendUpdateMetadataRequest } = this.parts;
    const sequenceNumbers = await store.getAllIsrChangeNotifications();
    try {
      const partitions = await store.getPartitionsFromIsrChangeNotifications(sequenceNumbers);
      if (partitions.length === 0) return;
      const states = await store.getTopicPartitionStates(partitions);
      for (const partition of partitions) {
        const state = states.get(keyOf(partition));
        if (state !== undefined) context.putPartitionLeadershipInfo(partition, state);
      }
      const live = context.liveOrShuttingDownBrokerIds;
      log.debug(
        `Sending MetadataRequest to Brokers: List(${live.join(', ')}) for TopicPartitions: ArrayBuffer(${partitions.map(keyOf).join(', ')})`,
      );
      sendUpdateMetadataRequest(live, partitions);
      for (const partition of partitions) await this.reassignments.maybeCompleteReassignment(partition);
    } finally {
      await store.deleteIsrChangeNotifications(sequenceNumbers, context.epochZkVersion);
    }
  }
}
