import { Errors } from '@klassic/protocol';
import type { MetadataPartition, MetadataSnapshot } from './metadata-snapshot.ts';

/** How a Metadata response speaks of brokers that cannot be reached; older versions of the API differ. */
export interface TopicMetadataOptions {
  /** Version 0: replicas without a live endpoint are left out and the partition says REPLICA_NOT_AVAILABLE. */
  readonly errorUnavailableEndpoints?: boolean;
  /** From version 6 on: a live leader without the client's listener is LISTENER_NOT_FOUND, not LEADER_NOT_AVAILABLE. */
  readonly errorUnavailableListeners?: boolean;
}

/** A partition in a Metadata response. */
export interface PartitionMetadata {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: number[];
  readonly isrNodes: number[];
  readonly offlineReplicas: number[];
}

/** A topic in a Metadata response. */
export interface TopicMetadata {
  readonly errorCode: number;
  readonly name: string;
  readonly isInternal: boolean;
  readonly partitions: PartitionMetadata[];
}

const internalTopics: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state']);

/** Whether the coordinators own the topic: clients may not write to it. */
export function isInternalTopic(topic: string): boolean {
  return internalTopics.has(topic);
}

/** What a Metadata response says of a topic; undefined when the cache does not know it (`ZkMetadataCache.getPartitionMetadata`). */
export function topicMetadata(
  snapshot: MetadataSnapshot,
  topic: string,
  listenerName: string,
  options: TopicMetadataOptions,
): TopicMetadata | undefined {
  const states = snapshot.partitionStates.get(topic);
  if (states === undefined) return undefined;
  const partitions = [...states.values()]
    .sort((left, right) => left.partitionIndex - right.partitionIndex)
    .map((state) => partitionMetadata(snapshot, state, listenerName, options));
  return { errorCode: Errors.NONE.code, name: topic, isInternal: isInternalTopic(topic), partitions };
}

function partitionMetadata(
  snapshot: MetadataSnapshot,
  state: MetadataPartition,
  listenerName: string,
  options: TopicMetadataOptions,
): PartitionMetadata {
  const reachable = (id: number): boolean => snapshot.aliveNodes.get(id)?.has(listenerName) ?? false;
  const filtered = options.errorUnavailableEndpoints ?? false;
  const replicaNodes = filtered ? state.replicas.filter(reachable) : [...state.replicas];
  const isrNodes = filtered ? state.isr.filter(reachable) : [...state.isr];
  const complete = replicaNodes.length === state.replicas.length && isrNodes.length === state.isr.length;
  let error = complete ? Errors.NONE : Errors.REPLICA_NOT_AVAILABLE;
  const leaderReachable = reachable(state.leader);
  if (!leaderReachable) {
    const listenerMissing = snapshot.aliveBrokers.has(state.leader) && (options.errorUnavailableListeners ?? false);
    error = listenerMissing ? Errors.LISTENER_NOT_FOUND : Errors.LEADER_NOT_AVAILABLE;
  }
  return {
    errorCode: error.code,
    partitionIndex: state.partitionIndex,
    leaderId: leaderReachable ? state.leader : noLeader,
    leaderEpoch: state.leaderEpoch,
    replicaNodes,
    isrNodes,
    offlineReplicas: [...state.offlineReplicas],
  };
}

const noLeader = -1;
