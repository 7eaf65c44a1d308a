import type { Partition } from './partition.ts';

/** Whether the topic's `leader.replication.throttled.replicas` names this broker's replica. */
export function isThrottledOnLeader({ log, partitionId, localBrokerId }: Partition): boolean {
  return log !== undefined && names(log.config.leaderReplicationThrottledReplicas, partitionId, localBrokerId);
}

/** Whether the topic's `follower.replication.throttled.replicas` names this broker's replica. */
export function isThrottledOnFollower({ log, partitionId, localBrokerId }: Partition): boolean {
  return log !== undefined && names(log.config.followerReplicationThrottledReplicas, partitionId, localBrokerId);
}

/** @param replicas `*` for all, else `partition:broker` each */
function names(replicas: readonly string[], partition: number, brokerId: number): boolean {
  if (replicas.length === 0) return false;
  return replicas[0] === '*' || replicas.includes(`${partition}:${brokerId}`);
}
