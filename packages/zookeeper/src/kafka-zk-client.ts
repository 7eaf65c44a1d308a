import type { LoggerFactory, Time, TopicPartition } from '@klassic/common';

import type { BrokerAndEpoch, BrokerInfo } from './broker-info.ts';
import type {
  LeaderAndIsr,
  LeaderIsrAndControllerEpoch,
  PartitionResponse,
  ReplicaAssignment,
  TopicIdReplicaAssignment,
  UpdateLeaderAndIsrResult,
} from './leader-and-isr.ts';
import type { ZooKeeperResponse } from './requests.ts';
import type { ZooKeeperSession } from './session/zookeeper-session.ts';
import type { StateChangeHandler, ZNodeChangeHandler, ZNodeChildChangeHandler } from './session/handlers.ts';
import type { Stat } from './stat.ts';

export declare class KafkaZkClient {
  constructor(session: ZooKeeperSession, time: Time, loggers: LoggerFactory, options?: { secure?: boolean });
  readonly session: ZooKeeperSession;
  createTopLevelPaths(): Promise<void>;
  makeSurePersistentPathExists(path: string): Promise<void>;
  getClusterId(): Promise<string | undefined>;
  createOrGetClusterId(proposedClusterId: string): Promise<string>;
  generateBrokerSequenceId(): Promise<number>;
  registerBroker(info: BrokerInfo): Promise<number>;
  updateBrokerInfo(info: BrokerInfo): Promise<void>;
  getBroker(id: number): Promise<BrokerInfo | undefined>;
  getSortedBrokerList(): Promise<number[]>;
  getAllBrokersInCluster(): Promise<BrokerInfo[]>;
  getAllBrokerAndEpochs(): Promise<Map<number, BrokerAndEpoch>>;
  registerControllerAndIncrementControllerEpoch(
    controllerId: number,
  ): Promise<{ epoch: number; epochZkVersion: number }>;
  getControllerId(): Promise<number | undefined>;
  getControllerEpoch(): Promise<{ epoch: number; stat: Stat } | undefined>;
  deleteController(epochZkVersion: number): Promise<void>;
  getAllTopicsInCluster(registerWatch?: boolean): Promise<string[]>;
  topicExists(topic: string): Promise<boolean>;
  getReplicaAssignmentForTopics(topics: Iterable<string>): Promise<Map<string, number[]>>;
  getFullReplicaAssignmentForTopics(topics: Iterable<string>): Promise<Map<string, ReplicaAssignment>>;
  getReplicaAssignmentAndTopicIdForTopics(topics: Iterable<string>): Promise<TopicIdReplicaAssignment[]>;
  getPartitionsForTopics(topics: Iterable<string>): Promise<Map<string, number[]>>;
  createTopicAssignment(
    topic: string,
    topicId: string | null,
    assignment: ReadonlyMap<number, readonly number[]>,
  ): Promise<void>;
  setTopicAssignment(
    topic: string,
    topicId: string | null,
    assignment: ReadonlyMap<number, ReplicaAssignment>,
    epochZkVersion?: number,
  ): Promise<void>;
  deleteTopicZNode(topic: string, epochZkVersion: number): Promise<void>;
  getTopicPartitionStates(partitions: readonly TopicPartition[]): Promise<Map<string, LeaderIsrAndControllerEpoch>>;
  getTopicPartitionState(partition: TopicPartition): Promise<LeaderIsrAndControllerEpoch | undefined>;
  getTopicPartitionStatesRaw(partitions: readonly TopicPartition[]): Promise<PartitionResponse<ZooKeeperResponse>[]>;
  createTopicPartitionStatesRaw(
    states: ReadonlyMap<string, LeaderIsrAndControllerEpoch>,
    epochZkVersion: number,
  ): Promise<PartitionResponse<ZooKeeperResponse>[]>;
  setTopicPartitionStatesRaw(
    states: ReadonlyMap<string, LeaderIsrAndControllerEpoch>,
    epochZkVersion: number,
  ): Promise<PartitionResponse<ZooKeeperResponse>[]>;
  updateLeaderAndIsr(
    leaderAndIsrs: ReadonlyMap<string, LeaderAndIsr>,
    controllerEpoch: number,
    epochZkVersion: number,
  ): Promise<UpdateLeaderAndIsrResult>;
  getEntityConfigs(entityType: string, sanitizedName: string): Promise<Record<string, string>>;
  getEntitiesConfigs(
    entityType: string,
    sanitizedNames: Iterable<string>,
  ): Promise<Map<string, Record<string, string>>>;
  getAllEntitiesWithConfig(entityType: string): Promise<string[]>;
  setOrCreateEntityConfigs(
    entityType: string,
    sanitizedName: string,
    config: Readonly<Record<string, string>>,
  ): Promise<void>;
  createConfigChangeNotification(sanitizedEntityPath: string): Promise<void>;
  deleteTopicConfigs(topics: readonly string[], epochZkVersion: number): Promise<void>;
  getAllIsrChangeNotifications(): Promise<string[]>;
  getPartitionsFromIsrChangeNotifications(sequenceNumbers: readonly string[]): Promise<TopicPartition[]>;
  deleteIsrChangeNotifications(sequenceNumbers: readonly string[], epochZkVersion: number): Promise<void>;
  deleteAllIsrChangeNotifications(epochZkVersion: number): Promise<void>;
  propagateIsrChanges(partitions: readonly TopicPartition[]): Promise<void>;
  getAllLogDirEventNotifications(): Promise<string[]>;
  getBrokerIdsFromLogDirEvents(sequenceNumbers: readonly string[]): Promise<number[]>;
  deleteLogDirEventNotifications(sequenceNumbers: readonly string[], epochZkVersion: number): Promise<void>;
  deleteAllLogDirEventNotifications(epochZkVersion: number): Promise<void>;
  propagateLogDirEvent(brokerId: number): Promise<void>;
  getTopicDeletions(): Promise<string[]>;
  createDeleteTopicPath(topic: string): Promise<void>;
  isTopicMarkedForDeletion(topic: string): Promise<boolean>;
  deleteTopicDeletions(topics: readonly string[], epochZkVersion: number): Promise<void>;
  getPartitionReassignment(): Promise<Map<string, number[]>>;
  setOrCreatePartitionReassignment(
    reassignment: ReadonlyMap<string, readonly number[]>,
    epochZkVersion: number,
  ): Promise<void>;
  createPartitionReassignment(reassignment: ReadonlyMap<string, readonly number[]>): Promise<void>;
  deletePartitionReassignment(epochZkVersion: number): Promise<void>;
  reassignPartitionsInProgress(): Promise<boolean>;
  getPreferredReplicaElection(): Promise<TopicPartition[]>;
  createPreferredReplicaElection(partitions: readonly TopicPartition[]): Promise<void>;
  deletePreferredReplicaElection(epochZkVersion: number): Promise<void>;
  getDataAndVersion(path: string): Promise<{ data: Buffer | null; version: number }>;
  getDataAndStat(path: string): Promise<{ data: Buffer | null; stat: Stat } | undefined>;
  getChildren(path: string): Promise<string[]>;
  pathExists(path: string): Promise<boolean>;
  createRecursive(path: string, data?: Buffer | null, throwIfPathExists?: boolean): Promise<void>;
  deletePath(path: string, epochZkVersion?: number, recursive?: boolean): Promise<void>;
  deleteRecursive(path: string, epochZkVersion?: number): Promise<boolean>;
  conditionalUpdatePath(
    path: string,
    data: Buffer,
    expectedVersion: number,
    checker?: ConditionalUpdateChecker,
  ): Promise<ConditionalUpdateResult>;
  registerZNodeChangeHandlerAndCheckExistence(handler: ZNodeChangeHandler): Promise<boolean>;
  registerZNodeChangeHandler(handler: ZNodeChangeHandler): void;
  unregisterZNodeChangeHandler(path: string): void;
  registerZNodeChildChangeHandler(handler: ZNodeChildChangeHandler): void;
  unregisterZNodeChildChangeHandler(path: string): void;
  registerStateChangeHandler(handler: StateChangeHandler): void;
  unregisterStateChangeHandler(name: string): void;
  close(): Promise<void>;
}
/** Of a conditional write: `version` is the new dataVersion, or `unknownVersion` where it did not succeed. */
export interface ConditionalUpdateResult {
  readonly succeeded: boolean;
  readonly version: number;
}
/** Told that the version did not match, finds out whether what stands there is what we wrote ourselves. */
export type ConditionalUpdateChecker = (
  zkClient: KafkaZkClient,
  path: string,
  data: Buffer,
) => Promise<ConditionalUpdateResult>;
