export { Admin } from './admin/admin.ts';
export type { EntityQuotas, QuotaChange, QuotaCondition, QuotaEntity } from './admin/client-quotas.ts';
export type {
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
  ConfigSynonym,
} from './admin/configs.ts';
export type { CommittedOffset, GroupDescription, GroupListing, GroupMemberDescription } from './admin/groups.ts';
export type { LogDirInfo, ReplicaInfo, ReplicaMove } from './admin/log-dirs.ts';
export type { OngoingReassignment, Reassignment } from './admin/partitions.ts';
export type { NewTopic, TopicChangeOptions } from './admin/topics.ts';
export { ConfigError } from './client-config.ts';
export type { ClientOptions } from './client-config.ts';
export { IllegalStateError, isRetriable, TimeoutError, UnsupportedApiError } from './client-errors.ts';
export type { GroupMember, PartitionAssignor, RebalanceProtocol } from './consumer/assignors/partition-assignor.ts';
export { rangeAssignor, roundRobinAssignor } from './consumer/assignors/range-and-round-robin.ts';
export { CooperativeStickyAssignor, StickyAssignor } from './consumer/assignors/sticky-assignor.ts';
export type { OffsetAndMetadata, OffsetToCommit } from './consumer/committed-offsets.ts';
export type { ConsumerRecord } from './consumer/completed-fetch.ts';
export type { ConsumerOptions } from './consumer/consumer-config.ts';
export { Consumer } from './consumer/consumer.ts';
export { LogTruncationError } from './consumer/log-truncation.ts';
export type { DivergentOffset } from './consumer/log-truncation.ts';
export type { RebalanceListener } from './consumer/rebalances.ts';
export { EARLIEST_TIMESTAMP, LATEST_TIMESTAMP } from './list-offsets.ts';
export type { IsolationLevel, ListedOffset, OffsetQuery } from './list-offsets.ts';
export type { Cluster, Node, PartitionInfo, TopicInfo } from './metadata/cluster.ts';
export type { ApiVersionRange } from './network-client.ts';
export { DefaultPartitioner } from './producer/default-partitioner.ts';
export type { Partitioner } from './producer/default-partitioner.ts';
export { murmur2, partitionForKey } from './producer/murmur2.ts';
export type { RecordMetadata } from './producer/producer-batch.ts';
export type { ProducerOptions } from './producer/producer-config.ts';
export { Producer } from './producer/producer.ts';
export type { ProducerRecord } from './producer/producer.ts';
