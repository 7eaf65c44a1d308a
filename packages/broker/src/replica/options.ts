import type { ApiName, RequestInit, ResponseOf } from '@klassic/protocol';
import type { LoggerFactory, Random, Time } from '@klassic/common';
import type { LogManager } from '@klassic/log';
import type { KafkaZkClient } from '@klassic/zookeeper';
import type { MetadataCache } from '../metadata/index.ts';
import type { BrokerTopicStats } from '../metrics/index.ts';
import type { ReplicaSelector } from './replica-selector.ts';
import type { ReplicationQuotaConfig } from './replication-quota-manager.ts';

/** The settings of `server.properties` that replication reads, by their reference names. */
export interface ReplicaManagerConfig {
  readonly brokerId: number;
  /** `replica.lag.time.max.ms`: a follower that has not been caught up for longer leaves the ISR. */
  readonly replicaLagTimeMaxMs: number;
  /** `replica.high.watermark.checkpoint.interval.ms` */
  readonly replicaHighWatermarkCheckpointIntervalMs: number;
  /** `num.replica.fetchers`: fetch loops per leader broker, at the start. */
  readonly numReplicaFetchers: number;
  /** `replica.fetch.min.bytes` */
  readonly replicaFetchMinBytes: number;
  /** `replica.fetch.max.bytes`: bytes asked of one partition. */
  readonly replicaFetchMaxBytes: number;
  /** `replica.fetch.response.max.bytes`: bytes asked of one response. */
  readonly replicaFetchResponseMaxBytes: number;
  /** `replica.fetch.wait.max.ms` */
  readonly replicaFetchWaitMaxMs: number;
  /** `replica.fetch.backoff.ms` */
  readonly replicaFetchBackoffMs: number;
  /** `inter.broker.listener.name`: where followers reach a leader. */
  readonly interBrokerListenerName: string;
  /** `replica.selector.class`: which replica a consumer is to read from; undefined: the leader. */
  readonly replicaSelector?: ReplicaSelector | undefined;
  /** `replication.quota.window.*` */
  readonly replicationQuota: ReplicationQuotaConfig;
  /** `alter.log.dirs.replication.quota.window.*` */
  readonly alterLogDirsQuota: ReplicationQuotaConfig;
}

/** Where a broker listens for other brokers. */
export interface BrokerEndPoint {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/**
 * A follower's connection to a leader. `BrokerConnection` of @klassic/network satisfies it; `send` connects when needed
 * and rejects when the leader cannot be reached or does not answer in time.
 */
export interface LeaderConnection {
  send<A extends ApiName>(api: A, version: number, body: RequestInit<A>): Promise<ResponseOf<A>>;
  close(): void;
}

/** Makes a connection to a leader under the client id of one fetcher, `broker-1-fetcher-0`. */
export type ConnectToLeader = (
  leader: BrokerEndPoint,
  clientId: string,
) => LeaderConnection | Promise<LeaderConnection>;

/**
 * What a leader does in ZooKeeper: a bare setData of a partition's state with the expected version, and the sequential
 * znode under `/isr_change_notification` (scenario 06).
 */
export type IsrStore = Pick<KafkaZkClient, 'conditionalUpdatePath' | 'getDataAndVersion' | 'propagateIsrChanges'>;

/** Everything that `ReplicaManager` is handed. */
export interface ReplicaManagerOptions {
  readonly config: ReplicaManagerConfig;
  readonly time: Time;
  readonly random: Random;
  readonly loggers: LoggerFactory;
  readonly logManager: LogManager;
  readonly metadataCache: MetadataCache;
  readonly isrStore: IsrStore;
  /** Counts traffic by topic. */
  readonly topicStats: BrokerTopicStats;
  readonly connectToLeader: ConnectToLeader;
}
