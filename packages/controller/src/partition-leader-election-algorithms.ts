/** The first replica, in order of assignment, that is alive and in sync; where unclean election is on, else the first alive. */
export function offlinePartitionLeaderElection(
  assignment: readonly number[],
  isr: readonly number[],
  liveReplicas: ReadonlySet<number>,
  uncleanLeaderElectionEnabled: boolean,
): number | undefined {
  const clean = assignment.find((id) => liveReplicas.has(id) && isr.includes(id));
  if (clean !== undefined || !uncleanLeaderElectionEnabled) return clean;
  return assignment.find((id) => liveReplicas.has(id));
}

/** The first of the target replicas that is alive and in sync. */
export function reassignPartitionLeaderElection(
  reassignment: readonly number[],
  isr: readonly number[],
  liveReplicas: ReadonlySet<number>,
): number | undefined {
  return reassignment.find((id) => liveReplicas.has(id) && isr.includes(id));
}

/** The first replica of the assignment, if it is alive and in sync. */
export function preferredReplicaPartitionLeaderElection(
  assignment: readonly number[],
  isr: readonly number[],
  liveReplicas: ReadonlySet<number>,
): number | undefined {
  const preferred = assignment[0];
  return preferred !== undefined && liveReplicas.has(preferred) && isr.includes(preferred) ? preferred : undefined;
}

/** The first replica that is alive, in sync and not about to shut down. */
export function controlledShutdownPartitionLeaderElection(
  assignment: readonly number[],
  isr: readonly number[],
  liveReplicas: ReadonlySet<number>,
  shuttingDownBrokers: ReadonlySet<number>,
): number | undefined {
  return assignment.find((id) => liveReplicas.has(id) && isr.includes(id) && !shuttingDownBrokers.has(id));
}
