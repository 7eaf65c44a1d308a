/**
 * The ISR as a leader holds it while a change of it may be on its way to ZooKeeper. Until the write is answered the
 * leader counts with the larger of the two sets (`maximalIsr`), for either may be the one a controller elects from.
 * Counterpart of `kafka.cluster.IsrState` (KIP-497).
 */
export type IsrState =
  | { readonly kind: 'Committed'; readonly isr: readonly number[]; readonly maximalIsr: readonly number[] }
  | {
      readonly kind: 'PendingExpand' | 'PendingShrink';
      readonly isr: readonly number[];
      readonly maximalIsr: readonly number[];
      /** What is being written. */
      readonly proposedIsr: readonly number[];
    };

/** An ISR change on its way. */
export type PendingIsrState = Exclude<IsrState, { kind: 'Committed' }>;

export function committedIsr(isr: readonly number[]): IsrState {
  return { kind: 'Committed', isr, maximalIsr: isr };
}

export function pendingExpandIsr(isr: readonly number[], newInSyncReplicaId: number): PendingIsrState {
  const proposedIsr = [...isr, newInSyncReplicaId];
  return { kind: 'PendingExpand', isr, maximalIsr: proposedIsr, proposedIsr };
}

export function pendingShrinkIsr(isr: readonly number[], outOfSyncReplicaIds: readonly number[]): PendingIsrState {
  const proposedIsr = isr.filter((id) => !outOfSyncReplicaIds.includes(id));
  return { kind: 'PendingShrink', isr, maximalIsr: isr, proposedIsr };
}

/** The replicas of a partition, and those being added or removed by a reassignment. */
export interface AssignmentState {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/** How many replicas the partition is meant to have: those being added do not count yet. */
export function replicationFactor({ replicas, addingReplicas }: AssignmentState): number {
  return replicas.filter((id) => !addingReplicas.includes(id)).length;
}
