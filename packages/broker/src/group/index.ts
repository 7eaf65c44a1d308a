export { defaultGroupConfig } from './group-config.ts';
export type { GroupConfig } from './group-config.ts';
export { GroupCoordinator } from './group-coordinator.ts';
export type { GroupCoordinatorOptions } from './group-coordinator.ts';
export type { Committer } from './offset-commits.ts';
export type { TransactionalProducer } from './group-store.ts';
export type { GroupAppendResult, GroupLog } from './group-log.ts';
export { groupMetadataTopic } from './group-records.ts';
export type {
  DeleteOffsetsResult,
  FetchedOffset,
  FetchOffsetsResult,
  GroupOverview,
  GroupSummary,
  JoinGroupParameters,
  JoinGroupResult,
  LeaveGroupResult,
  LeavingMember,
  MemberSummary,
  OffsetAndMetadata,
  OffsetsToCommit,
  SyncGroupParameters,
  SyncGroupResult,
} from './messages.ts';
export { ReplicaGroupLog } from './replica-group-log.ts';
