import type { ReplicaAssignment } from '@klassic/zookeeper';

export const emptyAssignment: ReplicaAssignment = { replicas: [], addingReplicas: [], removingReplicas: [] };

/** An assignment without a reassignment under way. */
export function assignmentOf(replicas: readonly number[]): ReplicaAssignment {
  return { replicas, addingReplicas: [], removingReplicas: [] };
}

/** The replicas before the reassignment. */
export function originReplicas({ replicas, addingReplicas }: ReplicaAssignment): number[] {
  return without(replicas, addingReplicas);
}

/** The replicas after the reassignment. */
export function targetReplicas({ replicas, removingReplicas }: ReplicaAssignment): number[] {
  return without(replicas, removingReplicas);
}

export function isBeingReassigned({ addingReplicas, removingReplicas }: ReplicaAssignment): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0;
}

/** The assignment on the way from the origin of `current` to `target`; the target's replicas come first, in its order. */
export function reassignTo(current: ReplicaAssignment, target: readonly number[]): ReplicaAssignment {
  const origin = originReplicas(current);
  const replicas = [...new Set([...target, ...origin])];
  return { replicas, addingReplicas: without(replicas, origin), removingReplicas: without(replicas, target) };
}

export function removeReplica(current: ReplicaAssignment, replica: number): ReplicaAssignment {
  return {
    replicas: without(current.replicas, [replica]),
    addingReplicas: without(current.addingReplicas, [replica]),
    removingReplicas: without(current.removingReplicas, [replica]),
  };
}

export function sameAssignment(a: ReplicaAssignment, b: ReplicaAssignment): boolean {
  return assignmentText(a) === assignmentText(b);
}

/** As Kafka's logs print it. */
export function assignmentText({ replicas, addingReplicas, removingReplicas }: ReplicaAssignment): string {
  return `ReplicaAssignment(replicas=${replicas.join(',')}, addingReplicas=${addingReplicas.join(',')}, removingReplicas=${removingReplicas.join(',')})`;
}

/** The members of `list` that are not in `excluded`, in their order. */
export function without(list: readonly number[], excluded: readonly number[]): number[] {
  return list.filter((id) => !excluded.includes(id));
}
