import type { TopicPartition } from '@klassic/common';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ControllerParts } from './controller-parts.ts';

/** The broker epoch of brokers that do not know their own (before KIP-380). */
const UNKNOWN_BROKER_EPOCH = -1;

/** Moves leadership away from a broker that is about to stop, and takes it out of the ISRs (KIP-380 for the epoch). */
export class ControlledShutdowns {
  private readonly parts: ControllerParts;

  constructor(parts: ControllerParts) {
    this.parts = parts;
  }

  /**
   * @returns the partitions that the broker still leads
   * @throws KafkaError STALE_BROKER_EPOCH or BROKER_NOT_AVAILABLE
   */
  async process(brokerId: number, brokerEpoch: number): Promise<TopicPartition[]> {
    const { context, batch, partitionStateMachine, replicaStateMachine, log } = this.parts;
    const currentEpoch = context.brokerEpoch(brokerId);
    if (currentEpoch === undefined) {
      throw new KafkaError(Errors.BROKER_NOT_AVAILABLE, `Broker id ${brokerId} does not exist.`);
    }
    if (brokerEpoch !== UNKNOWN_BROKER_EPOCH && brokerEpoch < currentEpoch) {
      const text =
        `Received controlled shutdown request from an old broker epoch ${brokerEpoch} for broker ${brokerId}. ` +
        `Current broker epoch is ${currentEpoch}.`;
      log.info(text);
      throw new KafkaError(Errors.STALE_BROKER_EPOCH, text);
    }
    log.info(`Shutting down broker ${brokerId}`);
    context.shuttingDownBrokerIds.add(brokerId);
    log.debug(`All shutting down brokers: ${[...context.shuttingDownBrokerIds].join(',')}`);
    log.debug(`Live brokers: ${context.liveBrokerIds.join(',')}`);

    const led: TopicPartition[] = [];
    const followed: TopicPartition[] = [];
    for (const partition of context.partitionsOnBroker(brokerId)) {
      const info = context.partitionLeadershipInfo(partition);
      if (info === undefined || context.isTopicQueuedUpForDeletion(partition.topic)) continue;
      if (context.partitionReplicaAssignment(partition).length <= 1) continue;
      (info.leaderAndIsr.leader === brokerId ? led : followed).push(partition);
    }
    await partitionStateMachine.handleStateChanges(led, 'OnlinePartition', { kind: 'controlledShutdown' });
    // The leaving broker stops fetching before it leaves the ISR, or it would be taken back at once.
    batch.newBatch();
    for (const partition of followed) batch.addStopReplicaRequestForBrokers([brokerId], partition, false);
    batch.sendRequestsToBrokers(context.epoch);
    await replicaStateMachine.handleStateChanges(
      followed.map((partition) => ({ ...partition, replica: brokerId })),
      'OfflineReplica',
    );
    return context.partitionLeadersOnBroker(brokerId);
  }
}
