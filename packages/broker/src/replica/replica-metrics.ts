import type { PurgatoryFigures } from './delayed-operations.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { replicationFactor } from './isr-state.ts';
import type { Partition } from './partition.ts';

/** Figures of the hosted partitions, under the names of the reference's metrics. */
export interface PartitionMetrics {
  readonly leaderCount: number;
  readonly partitionCount: number;
  readonly offlineReplicaCount: number;
  readonly underReplicatedPartitions: number;
  readonly underMinIsrPartitionCount: number;
  readonly atMinIsrPartitionCount: number;
  readonly reassigningPartitions: number;
}

/** Figures of a broker's replication; counters count since the start. */
export interface ReplicaManagerMetrics extends PartitionMetrics {
  readonly isrExpands: number;
  readonly isrShrinks: number;
  readonly failedIsrUpdates: number;
  readonly failedFetchPartitions: number;
  /** Records behind the leaders, of the follower furthest behind. */
  readonly maxLag: number;
  /** Operations that wait, by purgatory. */
  readonly purgatorySizes: PurgatoryFigures;
  /** Keys that they are watched under, by purgatory. */
  readonly purgatoryWatches: PurgatoryFigures;
}

/** Counts the partitions; a look at each, so for metrics only. */
export function partitionMetrics(partitions: HostedPartitions): PartitionMetrics {
  let leaderCount = 0;
  let underReplicatedPartitions = 0;
  let underMinIsrPartitionCount = 0;
  let atMinIsrPartitionCount = 0;
  let reassigningPartitions = 0;
  for (const partition of partitions.online()) {
    if (partition.leaderLogIfLocal === undefined) continue;
    leaderCount += 1;
    const { isUnderReplicated, isUnderMinIsr, isAtMinIsr } = isrFigures(partition);
    if (isUnderReplicated) underReplicatedPartitions += 1;
    if (isUnderMinIsr) underMinIsrPartitionCount += 1;
    if (isAtMinIsr) atMinIsrPartitionCount += 1;
    if (partition.isReassigning) reassigningPartitions += 1;
  }
  return {
    leaderCount,
    underReplicatedPartitions,
    underMinIsrPartitionCount,
    atMinIsrPartitionCount,
    reassigningPartitions,
    partitionCount: partitions.size,
    offlineReplicaCount: partitions.offlineCount,
  };
}

/** How the ISR of a partition compares with what it should be, as the leader knows it; nothing is amiss on a follower. */
export function isrFigures(partition: Partition): {
  readonly isUnderReplicated: boolean;
  readonly isUnderMinIsr: boolean;
  readonly isAtMinIsr: boolean;
} {
  const log = partition.leaderLogIfLocal;
  if (log === undefined) return { isUnderReplicated: false, isUnderMinIsr: false, isAtMinIsr: false };
  const size = partition.inSyncReplicaIds.length;
  const { minInSyncReplicas } = log.config;
  return {
    isUnderReplicated: replicationFactor(partition.assignmentState) > size,
    isUnderMinIsr: size < minInSyncReplicas,
    isAtMinIsr: size === minInSyncReplicas,
  };
}
