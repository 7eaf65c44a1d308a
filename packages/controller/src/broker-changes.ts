import type { TopicPartition } from '@klassic/common';
import { errorByCode, Errors } from '@klassic/protocol';
import type { PartitionErrorsResponse } from './control-requests.ts';
import type { PartitionAndReplica } from './controller-context.ts';
import { keyOf } from './controller-context.ts';
import type { ControllerParts } from './controller-parts.ts';
import type { PartitionReassignments } from './partition-reassignments.ts';
import { replicaText } from './replica-state-machine.ts';

/** Brokers that come, go, return with a new epoch, change their address or lose a log directory. */
export class BrokerChanges {
  private readonly parts: ControllerParts;
  private readonly reassignments: PartitionReassignments;

  constructor(parts: ControllerParts, reassignments: PartitionReassignments) {
    this.parts = parts;
    this.reassignments = reassignments;
  }

  async processBrokerChange(): Promise<void> {
    const { context, store, channelManager, log } = this.parts;
    const registered = await store.getAllBrokerAndEpochs();
    const isKnown = (id: number): boolean => context.isLiveOrShuttingDown(id);
    const live = [...registered.keys()].sort((a, b) => a - b);
    const added = live.filter((id) => !isKnown(id));
    const dead = context.liveOrShuttingDownBrokerIds.filter((id) => !registered.has(id));
    const bounced = live.filter((id) => isKnown(id) && registered.get(id)!.epoch > context.brokerEpoch(id)!);
    log.info(
      `Newly added brokers: ${added.join(',')}, deleted brokers: ${dead.join(',')}, ` +
        `bounced brokers: ${bounced.join(',')}, all live brokers: ${live.join(',')}`,
    );
    for (const id of added) channelManager.addBroker(registered.get(id)!.broker);
    for (const id of bounced) {
      channelManager.removeBroker(id);
      channelManager.addBroker(registered.get(id)!.broker);
    }
    for (const id of dead) channelManager.removeBroker(id);

    if (added.length > 0) {
      for (const id of added) context.addLiveBroker(registered.get(id)!.broker, registered.get(id)!.epoch);
      await this.onBrokerStartup(added);
    }
    if (bounced.length > 0) {
      for (const id of bounced) context.removeLiveBroker(id);
      await this.onBrokerFailure(bounced);
      for (const id of bounced) context.addLiveBroker(registered.get(id)!.broker, registered.get(id)!.epoch);
      await this.onBrokerStartup(bounced);
    }
    if (dead.length > 0) {
      for (const id of dead) context.removeLiveBroker(id);
      await this.onBrokerFailure(dead);
    }
    if (added.length > 0 || bounced.length > 0 || dead.length > 0) {
      log.info(`Updated broker epochs cache: HashMap(${context.brokerEpochsText()})`);
    }
  }

  async processBrokerModification(brokerId: number): Promise<void> {
    const { context, store, log, sendUpdateMetadataRequest } = this.parts;
    const registered = await store.getBroker(brokerId);
    const known = context.liveOrShuttingDownBroker(brokerId);
    if (registered === undefined || known === undefined) return;
    const before = JSON.stringify([known.endPoints, known.features ?? {}]);
    const after = JSON.stringify([registered.endPoints, registered.features ?? {}]);
    if (before === after) return;
    log.info(`Updated broker metadata: ${before} -> ${after}`);
    context.updateBrokerMetadata(registered);
    log.info(`Broker info update callback for ${brokerId}`);
    sendUpdateMetadataRequest(context.liveOrShuttingDownBrokerIds, []);
  }

  /** A broker found partitions on a failed log directory: they count as offline, and are led elsewhere. */
  async processLeaderAndIsrResponse(brokerId: number, response: PartitionErrorsResponse): Promise<void> {
    const { context, stateChangeLogger } = this.parts;
    const log = stateChangeLogger.withControllerEpoch(context.epoch);
    if (response.errorCode !== Errors.NONE.code) {
      log.error(
        `Received error ${errorByCode(response.errorCode).name} in LeaderAndIsr response from broker ${brokerId}`,
      );
      return;
    }
    const before = context.replicasOnOfflineDirs.get(brokerId) ?? new Set<string>();
    const offline = new Set(before);
    const newlyOffline: PartitionAndReplica[] = [];
    for (const { topicName, partitionIndex, errorCode } of response.partitionErrors) {
      const partition: TopicPartition = { topic: topicName, partition: partitionIndex };
      if (errorCode === Errors.NONE.code) offline.delete(keyOf(partition));
      if (errorCode === Errors.KAFKA_STORAGE_ERROR.code) {
        offline.add(keyOf(partition));
        if (!before.has(keyOf(partition))) newlyOffline.push({ ...partition, replica: brokerId });
      }
    }
    context.replicasOnOfflineDirs.set(brokerId, offline);
    if (newlyOffline.length === 0) return;
    log.info(`Mark replicas ${newlyOffline.map(keyOf).join(',')} on broker ${brokerId} as offline`);
    await this.onReplicasBecomeOffline(newlyOffline);
  }

  /** Brokers that lost a log directory are asked about all their replicas: their answers tell which are gone. */
  async processLogDirEventNotification(): Promise<void> {
    const { context, store, log, replicaStateMachine } = this.parts;
    const sequenceNumbers = await store.getAllLogDirEventNotifications();
    try {
      const brokerIds = [...new Set(await store.getBrokerIdsFromLogDirEvents(sequenceNumbers))];
      log.info(`Handling log directory failure for brokers ${brokerIds.join(',')}`);
      await replicaStateMachine.handleStateChanges(context.replicasOnBrokers(brokerIds), 'OnlineReplica');
    } finally {
      await store.deleteLogDirEventNotifications(sequenceNumbers, context.epochZkVersion);
    }
  }

  private async onBrokerStartup(newBrokers: readonly number[]): Promise<void> {
    const { context, log, sendUpdateMetadataRequest, replicaStateMachine, partitionStateMachine, watches } = this.parts;
    log.info(`New broker startup callback for ${newBrokers.join(',')}`);
    for (const id of newBrokers) context.replicasOnOfflineDirs.delete(id);
    const existing = context.liveOrShuttingDownBrokerIds.filter((id) => !newBrokers.includes(id));
    sendUpdateMetadataRequest(existing, []);
    sendUpdateMetadataRequest(newBrokers, context.partitionsWithLeaders);
    const replicas = context.replicasOnBrokers(newBrokers);
    await replicaStateMachine.handleStateChanges(replicas, 'OnlineReplica');
    await partitionStateMachine.triggerOnlinePartitionStateChange();
    await this.reassignments.resumeReassignmentsTo(newBrokers);
    await this.resumeDeletionsOn(newBrokers, replicas);
    for (const id of newBrokers) await watches.watchBroker(id);
  }

  private async resumeDeletionsOn(
    newBrokers: readonly number[],
    replicas: readonly PartitionAndReplica[],
  ): Promise<void> {
    const { context, log, topicDeletionManager } = this.parts;
    const waiting = replicas.filter(({ topic }) => context.isTopicQueuedUpForDeletion(topic));
    if (waiting.length === 0) return;
    log.info(
      `Some replicas ${waiting.map(replicaText).join(',')} for topics scheduled for deletion ` +
        `${[...context.topicsToBeDeleted].join(',')} are on the newly restarted brokers ${newBrokers.join(',')}. ` +
        'Signaling restart of topic deletion for these topics',
    );
    await topicDeletionManager.resumeDeletionForTopics(waiting.map(({ topic }) => topic));
  }

  private async onBrokerFailure(deadBrokers: readonly number[]): Promise<void> {
    const { context, log, watches } = this.parts;
    log.info(`Broker failure callback for ${deadBrokers.join(',')}`);
    for (const id of deadBrokers) context.replicasOnOfflineDirs.delete(id);
    const wereShuttingDown = deadBrokers.filter((id) => context.shuttingDownBrokerIds.delete(id));
    if (wereShuttingDown.length > 0) {
      log.info(`Removed ${wereShuttingDown.join(',')} from list of shutting down brokers.`);
    }
    await this.onReplicasBecomeOffline(context.replicasOnBrokers(deadBrokers));
    for (const id of deadBrokers) watches.unwatchBroker(id);
  }

  /** New leaders first for what the lost replicas led; then they leave the ISRs of all other partitions. */
  private async onReplicasBecomeOffline(replicas: readonly PartitionAndReplica[]): Promise<void> {
    const { context, partitionStateMachine, replicaStateMachine, topicDeletionManager, sendUpdateMetadataRequest } =
      this.parts;
    const toBeDeleted = replicas.filter(({ topic }) => context.isTopicQueuedUpForDeletion(topic));
    const toKeep = replicas.filter(({ topic }) => !context.isTopicQueuedUpForDeletion(topic));
    const leaderless = context.partitionsWithOfflineLeader;
    await partitionStateMachine.handleStateChanges(leaderless, 'OfflinePartition');
    await partitionStateMachine.triggerOnlinePartitionStateChange();
    await replicaStateMachine.handleStateChanges(toKeep, 'OfflineReplica');
    if (toBeDeleted.length > 0) await topicDeletionManager.failReplicaDeletion(toBeDeleted);
    if (leaderless.length === 0) sendUpdateMetadataRequest(context.liveOrShuttingDownBrokerIds, []);
  }
}
