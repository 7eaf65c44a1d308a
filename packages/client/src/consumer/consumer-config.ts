import { clientConfig, ConfigError } from '../client-config.ts';
import type { ClientConfig, ClientOptions } from '../client-config.ts';
import type { IsolationLevel } from '../list-offsets.ts';
import type { PartitionAssignor } from './assignors/partition-assignor.ts';
import { rangeAssignor } from './assignors/range-and-round-robin.ts';

/** Kafka's consumer settings in camel case; in brackets the default. */
export interface ConsumerOptions extends ClientOptions {
  /** Needed to subscribe and to commit. */
  readonly groupId?: string;
  /** `group.instance.id`: a static member (KIP-345). */
  readonly groupInstanceId?: string;
  /** `client.rack`: by it the leader may name a nearer replica to read from (KIP-392) (''). */
  readonly clientRack?: string;
  /** Where to begin without a committed offset, or with one out of range ('latest'). */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none';
  /** Commits what earlier polls returned (true where there is a group). */
  readonly enableAutoCommit?: boolean;
  /** In milliseconds (5000). */
  readonly autoCommitIntervalMs?: number;
  /** In milliseconds (10000). */
  readonly sessionTimeoutMs?: number;
  /** In milliseconds (3000). */
  readonly heartbeatIntervalMs?: number;
  /** In milliseconds (300000): a consumer that does not poll for so long leaves its group. */
  readonly maxPollIntervalMs?: number;
  /** (500) */
  readonly maxPollRecords?: number;
  /** In bytes (1). */
  readonly fetchMinBytes?: number;
  /** In bytes (52428800). */
  readonly fetchMaxBytes?: number;
  /** In milliseconds (500). */
  readonly fetchMaxWaitMs?: number;
  /** In bytes (1048576). */
  readonly maxPartitionFetchBytes?: number;
  /** ('read_uncommitted') */
  readonly isolationLevel?: IsolationLevel;
  /**
   * (range) In order of preference. Several let a group change from one to the other member by member. An assignor with a
   * memory serves one consumer only.
   */
  readonly partitionAssignors?: readonly PartitionAssignor[];
  /** Whether asking about a topic may create it (true). */
  readonly allowAutoCreateTopics?: boolean;
}

/** The same with everything filled in. */
export interface ConsumerConfig
  extends ClientConfig, Required<Omit<ConsumerOptions, keyof ClientOptions | 'groupId' | 'groupInstanceId'>> {
  readonly groupId: string | undefined;
  readonly groupInstanceId: string | null;
}

/** @throws ConfigError naming the setting that cannot be */
export function consumerConfig(options: ConsumerOptions): ConsumerConfig {
  const { groupId } = options;
  const base = clientConfig(options, groupId === undefined ? 'consumer-1' : `consumer-${groupId}-1`);
  const sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000;
  const heartbeatIntervalMs = options.heartbeatIntervalMs ?? 3_000;
  if (heartbeatIntervalMs >= sessionTimeoutMs) {
    throw new ConfigError('heartbeat.interval.ms must be set lower than session.timeout.ms');
  }
  if (groupId === undefined && options.enableAutoCommit === true) {
    throw new ConfigError('enable.auto.commit cannot be set to true when default group id (null) is used.');
  }
  return {
    ...base,
    groupId,
    groupInstanceId: options.groupInstanceId ?? null,
    clientRack: options.clientRack ?? '',
    autoOffsetReset: options.autoOffsetReset ?? 'latest',
    enableAutoCommit: options.enableAutoCommit ?? groupId !== undefined,
    autoCommitIntervalMs: options.autoCommitIntervalMs ?? 5_000,
    sessionTimeoutMs,
    heartbeatIntervalMs,
    maxPollIntervalMs: options.maxPollIntervalMs ?? 300_000,
    maxPollRecords: options.maxPollRecords ?? 500,
    fetchMinBytes: options.fetchMinBytes ?? 1,
    fetchMaxBytes: options.fetchMaxBytes ?? 50 * 1024 * 1024,
    fetchMaxWaitMs: options.fetchMaxWaitMs ?? 500,
    maxPartitionFetchBytes: options.maxPartitionFetchBytes ?? 1024 * 1024,
    isolationLevel: options.isolationLevel ?? 'read_uncommitted',
    partitionAssignors: options.partitionAssignors ?? [rangeAssignor],
    allowAutoCreateTopics: options.allowAutoCreateTopics ?? true,
  };
}
