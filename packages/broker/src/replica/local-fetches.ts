import { topicPartitionKey } from '@klassic/common';
import type { Logger, Time } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { BrokerTopicStats } from '../metrics/index.ts';
import { DelayedFetch, fetchStatuses } from './delayed-fetch.ts';
import type { DelayedOperationPurgatory } from './delayed-operation.ts';
import type { HostedPartitions } from './hosted-partitions.ts';
import { LocalReads } from './local-reads.ts';
import type { FetchParameters, LogReadResult } from './local-reads.ts';
import { emptyRecords, fetchIsolationOf } from './messages.ts';
import type { FetchMessagesOptions, FetchPartitionData } from './messages.ts';
import type { ReplicaManagerConfig } from './options.ts';
import type { Partition } from './partition.ts';
import { preferredReadReplica } from './preferred-read-replica.ts';
import type { ReplicationQuotaManager } from './replication-quota-manager.ts';
import { isThrottledOnLeader } from './throttled-replicas.ts';

export interface LocalFetchesOptions {
  readonly config: ReplicaManagerConfig;
  readonly time: Time;
  readonly logger: Logger;
  readonly partitions: HostedPartitions;
  readonly metadataCache: MetadataCache;
  readonly topicStats: BrokerTopicStats;
  readonly purgatory: DelayedOperationPurgatory<DelayedFetch>;
  /** Limits what followers that are not in sync are sent of throttled partitions. */
  readonly quota: ReplicationQuotaManager;
}

/** Serves fetches of consumers and followers, at once or when there is enough. Part of the reference's `ReplicaManager`. */
export class LocalFetches {
  private readonly options: LocalFetchesOptions;
  private readonly reads: LocalReads;

  constructor(options: LocalFetchesOptions) {
    this.options = options;
    this.reads = new LocalReads(options.partitions, options.topicStats, options.time, options.logger);
  }

  /** As `ReplicaManager.fetchMessages`. */
  fetchMessages(options: FetchMessagesOptions): Promise<FetchPartitionData[]> {
    const isFromFollower = options.replicaId >= 0;
    const parameters: FetchParameters = {
      options,
      isolation: fetchIsolationOf(options.replicaId, options.isolation),
      requireLeader: isFromFollower || options.clientMetadata === undefined,
      isThrottled: isFromFollower ? (partition) => this.isThrottled(partition, options.replicaId) : never,
      preferredReadReplica: this.preferredReadReplicaFor(options),
    };
    let results = this.reads.readFromLocalLog(parameters);
    if (isFromFollower) results = this.updateFollowerFetchState(options.replicaId, results);
    if (options.maxWaitMs <= 0 || options.partitions.length === 0 || isEnough(results, options.minBytes)) {
      return Promise.resolve(results.map(({ data }) => data));
    }
    const statuses = fetchStatuses(
      options.partitions,
      results.map(({ fetchOffsetMetadata }) => fetchOffsetMetadata),
    );
    return new Promise((resolve) => {
      const operation = new DelayedFetch(this.options.partitions, parameters, statuses, () => {
        resolve(this.reads.readFromLocalLog(parameters).map(({ data }) => data));
      });
      this.options.purgatory.tryCompleteElseWatch(operation, operation.watchKeys);
    });
  }

  /** As `ReplicaManager.recordLeaderThrottled`. */
  recordLeaderThrottled(fetched: readonly FetchPartitionData[]): void {
    if (this.options.quota.upperBound === Infinity) return;
    for (const { topic, partition, records } of fetched) {
      if (records.length === 0) continue;
      const hosted = this.options.partitions.getOnline(topicPartitionKey(topic, partition));
      if (hosted !== undefined && isThrottledOnLeader(hosted)) this.options.quota.record(records.length);
    }
  }

  /** A follower that is no replica of a partition gets no records of it. */
  private updateFollowerFetchState(followerId: number, results: readonly LogReadResult[]): LogReadResult[] {
    return results.map((result) => {
      const { data, fetchOffsetMetadata, followerLogStartOffset, fetchTimeMs, leaderLogEndOffset } = result;
      if (data.errorCode !== Errors.NONE.code || data.divergingEpoch !== null) return result;
      const partition = this.options.partitions.getOrThrow(data.topic, data.partition);
      const known = partition.updateFollowerFetchState(
        followerId,
        fetchOffsetMetadata,
        followerLogStartOffset,
        fetchTimeMs,
        leaderLogEndOffset,
      );
      if (known) return result;
      this.options.logger.warn(
        `Leader ${this.options.config.brokerId} failed to record follower ${followerId}'s position ` +
          `${fetchOffsetMetadata.messageOffset}, and last sent HW since the replica is not recognized to be one of the ` +
          `assigned replicas ${partition.assignmentState.replicas.join(',')} for partition ${partition.key}. Empty ` +
          `records will be returned for this partition.`,
      );
      return { ...result, data: { ...data, records: emptyRecords } };
    });
  }

  /** A follower in the ISR is never held back: that would push it out. */
  private isThrottled(partition: Partition, replicaId: number): boolean {
    return (
      this.options.quota.isQuotaExceeded &&
      isThrottledOnLeader(partition) &&
      !partition.inSyncReplicaIds.includes(replicaId)
    );
  }

  private preferredReadReplicaFor({ clientMetadata }: FetchMessagesOptions): FetchParameters['preferredReadReplica'] {
    const { config, metadataCache, time } = this.options;
    const selector = config.replicaSelector;
    if (selector === undefined || clientMetadata === undefined) return noOther;
    return (partition, { topic, partition: index, fetchOffset }) => {
      if (!partition.isLeader) return -1;
      const endpoints = metadataCache.getPartitionReplicaEndpoints(topic, index, clientMetadata.listenerName);
      return preferredReadReplica(partition, selector, clientMetadata, fetchOffset, endpoints, time.milliseconds());
    };
  }
}

function never(): boolean {
  return false;
}

function noOther(): number {
  return -1;
}

/** Whether a fetch is answered without waiting: enough bytes, an error or a divergence to tell. */
function isEnough(results: readonly LogReadResult[], minBytes: number): boolean {
  let bytes = 0;
  for (const { data } of results) {
    if (data.errorCode !== Errors.NONE.code || data.divergingEpoch !== null) return true;
    bytes += data.records.length;
  }
  return bytes >= minBytes;
}
