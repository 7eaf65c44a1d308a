import type { HostedPartitions } from './hosted-partitions.ts';

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
  readonly purgatorySizes: { readonly Produce: number; readonly Fetch: number; readonly DeleteRecords: number };
  /** Keys that they are watched under, by purgatory. */
  readonly purgatoryWatches: { readonly Produce: number; readonly Fetch: number; readonly DeleteRecords: number };
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
    if (partition.isUnderReplicated) underReplicatedPartitions += 1;
    if (partition.isUnderMinIsr) underMinIsrPartitionCount += 1;
    if (partition.isAtMinIsr) atMinIsrPartitionCount += 1;
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
