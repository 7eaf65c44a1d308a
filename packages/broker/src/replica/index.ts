export { DelayedOperation, DelayedOperationPurgatory } from './delayed-operation.ts';
export { FetchManager, FetchSessionCache } from './fetch-session-cache.ts';
export type { FetchContext, FetchSessionResponse } from './fetch-session.ts';
export type { DeleteRecordsOptions, DeleteRecordsResult } from './local-deletes.ts';
export { errorOf } from './local-reads.ts';
export type {
  AppendEntry,
  AppendRecordsOptions,
  ClientMetadata,
  FetchIsolation,
  FetchMessagesOptions,
  FetchPartitionData,
  FetchRequestPartition,
  PartitionResponse,
} from './messages.ts';
export type {
  BrokerEndPoint,
  ConnectToLeader,
  IsrStore,
  LeaderConnection,
  ReplicaManagerConfig,
  ReplicaManagerOptions,
} from './options.ts';
export { Partition } from './partition.ts';
export type { EpochEndOffset } from './partition-reads.ts';
export { ReplicaManager } from './replica-manager.ts';
export { isrFigures } from './replica-metrics.ts';
export type { ReplicaManagerMetrics } from './replica-metrics.ts';
export type { LeadershipListener } from './replica-state-changes.ts';
export type { OnReplicaDeleted } from './replica-stops.ts';
export type { LogDirMove } from './log-dir-moves.ts';
export { replicaSelectorClasses, replicaSelectorOf } from './replica-selector.ts';
export type { ReplicaSelector } from './replica-selector.ts';
export type { ReplicationQuotaManager, ReplicationQuotas } from './replication-quota-manager.ts';
