import type { ControllerContext, PartitionAndReplica } from './controller-context.ts';
import { keyOf } from './controller-context.ts';

/** What the controller knows, as plain data for people to read. */
export interface ControllerStateView {
  readonly controllerEpoch: number;
  readonly liveBrokers: readonly { readonly id: number; readonly epoch: number; readonly shuttingDown: boolean }[];
  /** By `topicPartitionKey`. */
  readonly partitions: Readonly<Record<string, ControllerPartitionView>>;
  readonly topicsToBeDeleted: readonly string[];
  readonly topicsIneligibleForDeletion: readonly string[];
  readonly partitionsBeingReassigned: readonly string[];
  readonly offlinePartitionCount: number;
}

export interface ControllerPartitionView {
  readonly state: string;
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
  /** By broker id. */
  readonly replicaStates: Readonly<Record<string, string>>;
  /** Absent while no leader was ever chosen; -1 while there is none. */
  readonly leader?: number;
  readonly leaderEpoch?: number;
  readonly isr?: readonly number[];
}

/** Copies the controller's context: a look at every partition, so for a page of state only. */
export function controllerStateView(context: ControllerContext): ControllerStateView {
  const partitions: Record<string, ControllerPartitionView> = {};
  for (const partition of context.allPartitions) {
    const { replicas, addingReplicas, removingReplicas } = context.partitionFullReplicaAssignment(partition);
    const leaderAndIsr = context.partitionLeadershipInfo(partition)?.leaderAndIsr;
    partitions[keyOf(partition)] = {
      state: context.partitionState(partition),
      replicas,
      addingReplicas,
      removingReplicas,
      replicaStates: Object.fromEntries(
        replicas.map((replica) => {
          const each: PartitionAndReplica = { ...partition, replica };
          return [String(replica), context.replicaState(each)];
        }),
      ),
      ...(leaderAndIsr === undefined
        ? {}
        : { leader: leaderAndIsr.leader, leaderEpoch: leaderAndIsr.leaderEpoch, isr: leaderAndIsr.isr }),
    };
  }
  return {
    controllerEpoch: context.epoch,
    liveBrokers: context.liveOrShuttingDownBrokerIds.map((id) => ({
      id,
      epoch: context.brokerEpoch(id)!,
      shuttingDown: context.shuttingDownBrokerIds.has(id),
    })),
    partitions,
    topicsToBeDeleted: [...context.topicsToBeDeleted],
    topicsIneligibleForDeletion: [...context.topicsIneligibleForDeletion],
    partitionsBeingReassigned: [...context.partitionsBeingReassigned.keys()],
    offlinePartitionCount: context.offlinePartitionCount,
  };
}
