import type { TopicPartition } from '@klassic/common';
import { topicPartitionKey } from '@klassic/common';
import type { BrokerInfo, LeaderIsrAndControllerEpoch, ReplicaAssignment } from '@klassic/zookeeper';
import { emptyAssignment } from './replica-assignment.ts';
import type { PartitionState, ReplicaState } from './states.ts';
import { partitionStatesTable, replicaStatesTable } from './states.ts';

/** One replica of a partition: the partition and the broker it is on. */
export interface PartitionAndReplica extends TopicPartition {
  /** Broker id. */
  readonly replica: number;
}

/** The key of a partition in every map here. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition);
}

function replicaKey({ topic, partition, replica }: PartitionAndReplica): string {
  return `${topic}-${partition}@${replica}`;
}

/**
 * All that the controller knows: brokers, topics, assignments, leaders, and the states of both state machines. It is
 * filled from ZooKeeper on election and forgotten on resignation; only the controller's event loop changes it
 * (`kafka.controller.ControllerContext`).
 */
export class ControllerContext {
  epoch = 0;
  /** Version of `/controller_epoch` that this controller made: the fence of all its writes. */
  epochZkVersion = 0;
  offlinePartitionCount = 0;
  uncleanLeaderElections = 0;
  readonly shuttingDownBrokerIds = new Set<number>();
  readonly allTopics = new Set<string>();
  /** Ids that the topics' znodes carry (inter.broker.protocol.version 2.8); kept when their znodes are written. */
  readonly topicIds = new Map<string, string>();
  /** Partitions under reassignment, by key. */
  readonly partitionsBeingReassigned = new Map<string, TopicPartition>();
  readonly topicsToBeDeleted = new Set<string>();
  /** Topics whose deletion has begun: their partitions no longer count as offline. */
  readonly topicsWithDeletionStarted = new Set<string>();
  readonly topicsIneligibleForDeletion = new Set<string>();
  /** Per broker the keys of partitions that it reported with KAFKA_STORAGE_ERROR. */
  readonly replicasOnOfflineDirs = new Map<number, ReadonlySet<string>>();
  private readonly liveBrokers = new Map<number, BrokerInfo>();
  private readonly liveBrokerEpochs = new Map<number, number>();
  private readonly partitionAssignments = new Map<string, Map<number, ReplicaAssignment>>();
  private readonly leadership = new Map<string, LeaderIsrAndControllerEpoch>();
  private readonly partitionStates = new Map<string, { partition: TopicPartition; state: PartitionState }>();
  private readonly replicaStates = new Map<string, ReplicaState>();

  /** Forgets everything, on resignation. */
  resetContext(): void {
    this.epoch = 0;
    this.epochZkVersion = 0;
    this.offlinePartitionCount = 0;
    this.shuttingDownBrokerIds.clear();
    this.allTopics.clear();
    this.topicIds.clear();
    this.partitionsBeingReassigned.clear();
    this.topicsToBeDeleted.clear();
    this.topicsWithDeletionStarted.clear();
    this.topicsIneligibleForDeletion.clear();
    this.replicasOnOfflineDirs.clear();
    this.liveBrokers.clear();
    this.liveBrokerEpochs.clear();
    this.partitionAssignments.clear();
    this.leadership.clear();
    this.partitionStates.clear();
    this.replicaStates.clear();
  }

  // Brokers

  addLiveBroker(broker: BrokerInfo, epoch: number): void {
    this.liveBrokers.set(broker.id, broker);
    this.liveBrokerEpochs.set(broker.id, epoch);
  }

  removeLiveBroker(brokerId: number): void {
    this.liveBrokers.delete(brokerId);
    this.liveBrokerEpochs.delete(brokerId);
  }

  updateBrokerMetadata(broker: BrokerInfo): void {
    this.liveBrokers.set(broker.id, broker);
  }

  liveOrShuttingDownBroker(brokerId: number): BrokerInfo | undefined {
    return this.liveBrokers.get(brokerId);
  }

  /** In ascending order of ids. */
  get liveOrShuttingDownBrokers(): BrokerInfo[] {
    return [...this.liveBrokers.values()].sort((a, b) => a.id - b.id);
  }

  get liveOrShuttingDownBrokerIds(): number[] {
    return [...this.liveBrokers.keys()].sort((a, b) => a - b);
  }

  get liveBrokerIds(): number[] {
    return this.liveOrShuttingDownBrokerIds.filter((id) => !this.shuttingDownBrokerIds.has(id));
  }

  isLiveOrShuttingDown(brokerId: number): boolean {
    return this.liveBrokers.has(brokerId);
  }

  brokerEpoch(brokerId: number): number | undefined {
    return this.liveBrokerEpochs.get(brokerId);
  }

  /** The broker epochs as Kafka's log prints them: `1 -> 26, 2 -> 47`. */
  brokerEpochsText(): string {
    return this.liveOrShuttingDownBrokerIds.map((id) => `${id} -> ${this.liveBrokerEpochs.get(id)!}`).join(', ');
  }

  /** Whether the replica's broker is alive (one that shuts down counts only if asked) and its log directory too. */
  isReplicaOnline(brokerId: number, partition: TopicPartition, includeShuttingDownBrokers = false): boolean {
    if (!this.liveBrokers.has(brokerId)) return false;
    if (!includeShuttingDownBrokers && this.shuttingDownBrokerIds.has(brokerId)) return false;
    return this.replicasOnOfflineDirs.get(brokerId)?.has(keyOf(partition)) !== true;
  }

  // Topics and assignments

  setAllTopics(topics: Iterable<string>): void {
    this.allTopics.clear();
    for (const topic of topics) this.allTopics.add(topic);
  }

  removeTopic(topic: string): void {
    for (const partition of this.partitionsForTopic(topic)) {
      this.leadership.delete(keyOf(partition));
      this.partitionsBeingReassigned.delete(keyOf(partition));
      // A topic created anew under the same name must not find the old one's states.
      this.dropPartitionState(partition);
    }
    this.topicsToBeDeleted.delete(topic);
    this.topicsWithDeletionStarted.delete(topic);
    this.topicsIneligibleForDeletion.delete(topic);
    this.allTopics.delete(topic);
    this.topicIds.delete(topic);
    this.partitionAssignments.delete(topic);
  }

  partitionReplicaAssignment(partition: TopicPartition): readonly number[] {
    return this.partitionFullReplicaAssignment(partition).replicas;
  }

  partitionFullReplicaAssignment({ topic, partition }: TopicPartition): ReplicaAssignment {
    return this.partitionAssignments.get(topic)?.get(partition) ?? emptyAssignment;
  }

  /** The assignments of a topic by partition key. */
  partitionFullReplicaAssignmentForTopic(topic: string): Map<string, ReplicaAssignment> {
    const assignments = this.partitionAssignments.get(topic) ?? new Map<number, ReplicaAssignment>();
    return new Map(
      [...assignments].map(([partition, assignment]) => [topicPartitionKey(topic, partition), assignment]),
    );
  }

  updatePartitionFullReplicaAssignment({ topic, partition }: TopicPartition, assignment: ReplicaAssignment): void {
    let assignments = this.partitionAssignments.get(topic);
    if (assignments === undefined) {
      assignments = new Map<number, ReplicaAssignment>();
      this.partitionAssignments.set(topic, assignments);
    }
    assignments.set(partition, assignment);
  }

  get allPartitions(): TopicPartition[] {
    return [...this.partitionAssignments.keys()].flatMap((topic) => this.partitionsForTopic(topic));
  }

  hasPartition({ topic, partition }: TopicPartition): boolean {
    return this.partitionAssignments.get(topic)?.has(partition) === true;
  }

  partitionsForTopic(topic: string): TopicPartition[] {
    return [...(this.partitionAssignments.get(topic)?.keys() ?? [])].map((partition) => ({ topic, partition }));
  }

  partitionsOnBroker(brokerId: number): TopicPartition[] {
    return this.allPartitions.filter((partition) => this.partitionReplicaAssignment(partition).includes(brokerId));
  }

  replicasOnBrokers(brokerIds: readonly number[]): PartitionAndReplica[] {
    return brokerIds.flatMap((replica) =>
      this.partitionsOnBroker(replica).map(({ topic, partition }) => ({ topic, partition, replica })),
    );
  }

  replicasForPartitions(partitions: readonly TopicPartition[]): PartitionAndReplica[] {
    return partitions.flatMap(({ topic, partition }) =>
      this.partitionReplicaAssignment({ topic, partition }).map((replica) => ({ topic, partition, replica })),
    );
  }

  replicasForTopic(topic: string): PartitionAndReplica[] {
    return this.replicasForPartitions(this.partitionsForTopic(topic));
  }

  // Leaders

  putPartitionLeadershipInfo(partition: TopicPartition, state: LeaderIsrAndControllerEpoch): void {
    this.leadership.set(keyOf(partition), state);
  }

  partitionLeadershipInfo(partition: TopicPartition): LeaderIsrAndControllerEpoch | undefined {
    return this.leadership.get(keyOf(partition));
  }

  get partitionWithLeadersCount(): number {
    return this.leadership.size;
  }

  /** Partitions with a known state, those of topics queued for deletion left out. */
  get partitionsWithLeaders(): TopicPartition[] {
    return this.allPartitions.filter(
      (partition) => this.leadership.has(keyOf(partition)) && !this.isTopicQueuedUpForDeletion(partition.topic),
    );
  }

  get partitionsWithOfflineLeader(): TopicPartition[] {
    return this.partitionsWithLeaders.filter(
      (partition) => !this.isReplicaOnline(this.partitionLeadershipInfo(partition)!.leaderAndIsr.leader, partition),
    );
  }

  /** Partitions with more than one replica that the broker leads. */
  partitionLeadersOnBroker(brokerId: number): TopicPartition[] {
    return this.partitionsWithLeaders.filter(
      (partition) =>
        this.partitionLeadershipInfo(partition)!.leaderAndIsr.leader === brokerId &&
        this.partitionReplicaAssignment(partition).length > 1,
    );
  }

  /** How many partitions are not led by their preferred replica (KIP-455: an adding one counts once it is in sync). */
  get preferredReplicaImbalanceCount(): number {
    return this.partitionsWithLeaders.filter((partition) => !this.hasPreferredLeader(partition)).length;
  }

  private hasPreferredLeader(partition: TopicPartition): boolean {
    const assignment = this.partitionFullReplicaAssignment(partition);
    const { leader, isr } = this.partitionLeadershipInfo(partition)!.leaderAndIsr;
    const preferred = assignment.replicas[0];
    if (preferred === undefined) return true;
    return assignment.addingReplicas.includes(preferred) ? !isr.includes(preferred) : leader === preferred;
  }

  // Deletion

  isTopicQueuedUpForDeletion(topic: string): boolean {
    return this.topicsToBeDeleted.has(topic);
  }

  isTopicDeletionInProgress(topic: string): boolean {
    return this.topicsWithDeletionStarted.has(topic);
  }

  // States

  partitionState(partition: TopicPartition): PartitionState {
    return this.partitionStates.get(keyOf(partition))?.state ?? 'NonExistentPartition';
  }

  putPartitionState(partition: TopicPartition, state: PartitionState): void {
    const before = this.partitionState(partition);
    this.partitionStates.set(keyOf(partition), { partition, state });
    if (this.isTopicDeletionInProgress(partition.topic)) return;
    if (before !== 'OfflinePartition' && state === 'OfflinePartition') this.offlinePartitionCount += 1;
    if (before === 'OfflinePartition' && state !== 'OfflinePartition') this.offlinePartitionCount -= 1;
  }

  private dropPartitionState(partition: TopicPartition): void {
    if (this.partitionState(partition) === 'OfflinePartition')
      this.putPartitionState(partition, 'NonExistentPartition');
    this.partitionStates.delete(keyOf(partition));
  }

  partitionsInStates(states: readonly PartitionState[], topic?: string): TopicPartition[] {
    return [...this.partitionStates.values()]
      .filter(({ partition, state }) => states.includes(state) && (topic === undefined || partition.topic === topic))
      .map(({ partition }) => partition);
  }

  mayBecome(partition: TopicPartition, target: PartitionState): boolean {
    return partitionStatesTable[target].includes(this.partitionState(partition));
  }

  replicaState(replica: PartitionAndReplica): ReplicaState {
    return this.replicaStates.get(replicaKey(replica)) ?? 'NonExistentReplica';
  }

  putReplicaState(replica: PartitionAndReplica, state: ReplicaState): void {
    this.replicaStates.set(replicaKey(replica), state);
  }

  removeReplicaState(replica: PartitionAndReplica): void {
    this.replicaStates.delete(replicaKey(replica));
  }

  replicaMayBecome(replica: PartitionAndReplica, target: ReplicaState): boolean {
    return replicaStatesTable[target].includes(this.replicaState(replica));
  }

  replicasInState(topic: string, state: ReplicaState): PartitionAndReplica[] {
    return this.replicasForTopic(topic).filter((replica) => this.replicaState(replica) === state);
  }

  areAllReplicasInState(topic: string, state: ReplicaState): boolean {
    return this.replicasForTopic(topic).every((replica) => this.replicaState(replica) === state);
  }

  isAnyReplicaInState(topic: string, state: ReplicaState): boolean {
    return this.replicasForTopic(topic).some((replica) => this.replicaState(replica) === state);
  }
}
