export { DelayedOperation, DelayedOperationPurgatory } from './delayed-operation.ts';
export { FetchManager } from './fetch-session-cache.ts';
export type { FetchContext } from './fetch-session.ts';
export type {
  AppendRecordsOptions,
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
export { ReplicaManager } from './replica-manager.ts';
