import type { RequestOf } from '@klassic/protocol';
import type { LeaderAndIsrPartitionState } from './partition-context.ts';

/** A partition's state with its topic, whatever the version of the request grouped it by. */
export interface TopicPartitionState extends LeaderAndIsrPartitionState {
  readonly topicName: string;
}

/** The partition states of a LeaderAndIsr request: grouped by topic from version 2 on, a plain list before. */
export function partitionStatesOf(request: RequestOf<'LeaderAndIsr'>): TopicPartitionState[] {
  const states: TopicPartitionState[] = [...request.ungroupedPartitionStates];
  for (const { topicName, partitionStates } of request.topicStates) {
    for (const state of partitionStates) states.push({ ...state, topicName });
  }
  return states;
}

/** One replica of a StopReplica request. */
export interface StopReplicaState {
  readonly topicName: string;
  readonly partitionIndex: number;
  /** -1 when the controller does not tell (before version 3), -2 when the topic is being deleted. */
  readonly leaderEpoch: number;
  readonly deletePartition: boolean;
}

/** The replicas of a StopReplica request, in whichever of its three shapes they come. */
export function stopReplicaStatesOf(request: RequestOf<'StopReplica'>): StopReplicaState[] {
  const { deletePartitions } = request;
  const states: StopReplicaState[] = [];
  for (const { topicName, partitionStates } of request.topicStates) {
    for (const { partitionIndex, leaderEpoch, deletePartition } of partitionStates) {
      states.push({ topicName, partitionIndex, leaderEpoch, deletePartition });
    }
  }
  for (const { name, partitionIndexes } of request.topics) {
    for (const partitionIndex of partitionIndexes) {
      states.push({ topicName: name, partitionIndex, leaderEpoch: -1, deletePartition: deletePartitions });
    }
  }
  for (const { topicName, partitionIndex } of request.ungroupedPartitions) {
    states.push({ topicName, partitionIndex, leaderEpoch: -1, deletePartition: deletePartitions });
  }
  return states;
}

/** A partition's state as the reference's generated class prints it. */
export function describePartitionState(state: TopicPartitionState): string {
  const list = (ids: readonly number[]): string => `[${ids.join(', ')}]`;
  return (
    `LeaderAndIsrPartitionState(topicName='${state.topicName}', partitionIndex=${state.partitionIndex}, ` +
    `controllerEpoch=${state.controllerEpoch}, leader=${state.leader}, leaderEpoch=${state.leaderEpoch}, ` +
    `isr=${list(state.isr)}, zkVersion=${state.zkVersion}, replicas=${list(state.replicas)}, ` +
    `addingReplicas=${list(state.addingReplicas)}, removingReplicas=${list(state.removingReplicas)}, ` +
    `isNew=${state.isNew})`
  );
}
