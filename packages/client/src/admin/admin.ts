import type { TopicPartition } from '@klassic/common';
import { clientConfig } from '../client-config.ts';
import type { ClientOptions } from '../client-config.ts';
import { listOffsets } from '../list-offsets.ts';
import type { ClientParts, IsolationLevel, ListedOffset, OffsetQuery } from '../list-offsets.ts';
import type { Cluster, Node, TopicInfo } from '../metadata/cluster.ts';
import { Metadata } from '../metadata/metadata.ts';
import { NetworkClient } from '../network-client.ts';
import type { ApiVersionRange } from '../network-client.ts';
import * as configs from './configs.ts';
import type { ConfigChange, ConfigEntry, ConfigResource } from './configs.ts';
import * as quotas from './client-quotas.ts';
import type { EntityQuotas, QuotaChange, QuotaCondition, QuotaEntity } from './client-quotas.ts';
import { currentCluster } from './controller-call.ts';
import * as groups from './groups.ts';
import type { CommittedOffset, GroupDescription, GroupListing } from './groups.ts';
import * as logDirs from './log-dirs.ts';
import type { LogDirInfo, ReplicaMove } from './log-dirs.ts';
import * as partitions from './partitions.ts';
import type { OngoingReassignment, Reassignment } from './partitions.ts';
import * as topics from './topics.ts';
import type { NewTopic, TopicChangeOptions } from './topics.ts';

/**
 * Looks at a cluster and changes it. Calls retry what may pass by itself and throw a KafkaError with the broker's words
 * for what does not, a TimeoutError when `default.api.timeout.ms` is over. Counterpart of `KafkaAdminClient`.
 */
export class Admin {
  private readonly parts: ClientParts;

  /** @throws ConfigError */
  constructor(options: ClientOptions) {
    const config = clientConfig(options, 'adminclient-1');
    const client = new NetworkClient(config);
    const metadata = new Metadata(client, config, { allowAutoTopicCreation: false });
    this.parts = { client, metadata, config };
  }

  /** Cluster id, controller and brokers. */
  async describeCluster(): Promise<Cluster> {
    return await currentCluster(this.parts);
  }

  /** What a broker offers, by api key. */
  async apiVersions(node: Node): Promise<ReadonlyMap<number, ApiVersionRange>> {
    return await this.parts.client.apiVersions(node);
  }

  async createTopics(newTopics: readonly NewTopic[], options: TopicChangeOptions = {}): Promise<void> {
    await topics.createTopics(this.parts, newTopics, options);
  }

  async deleteTopics(names: readonly string[], options: TopicChangeOptions = {}): Promise<void> {
    await topics.deleteTopics(this.parts, names, options);
  }

  /** Raises a topic's number of partitions to `count`; `newAssignments` has the broker ids of each new one. */
  async createPartitions(
    name: string,
    count: number,
    newAssignments?: readonly (readonly number[])[],
    options: TopicChangeOptions = {},
  ): Promise<void> {
    await topics.createPartitions(this.parts, name, count, newAssignments, options);
  }

  /** Every topic, internal ones too, in order of names. */
  async listTopics(): Promise<TopicInfo[]> {
    return await topics.listTopics(this.parts);
  }

  /** Topics in the given order. */
  async describeTopics(names: readonly string[]): Promise<TopicInfo[]> {
    return await topics.describeTopics(this.parts, names);
  }

  /** Offsets by time, by topicPartitionKey. */
  async listOffsets(
    queries: readonly OffsetQuery[],
    isolation: IsolationLevel = 'read_uncommitted',
  ): Promise<Map<string, ListedOffset>> {
    return await listOffsets(this.parts, queries, isolation);
  }

  async describeConfigs(resource: ConfigResource): Promise<ConfigEntry[]> {
    return await configs.describeConfigs(this.parts, resource);
  }

  async incrementalAlterConfigs(resource: ConfigResource, changes: readonly ConfigChange[]): Promise<void> {
    await configs.incrementalAlterConfigs(this.parts, resource, changes);
  }

  /** Replaces all settings of a resource; `incrementalAlterConfigs` leaves those that are not named. */
  async alterConfigs(resource: ConfigResource, settings: ReadonlyMap<string, string>): Promise<void> {
    await configs.alterConfigs(this.parts, resource, settings);
  }

  /** The limits of the entities that have just the types of the conditions, and meet them. */
  async describeClientQuotas(conditions: readonly QuotaCondition[]): Promise<EntityQuotas[]> {
    return await quotas.describeClientQuotas(this.parts, conditions);
  }

  /** Changes limits of an entity, leaving its others. */
  async alterClientQuotas(entity: QuotaEntity, changes: readonly QuotaChange[]): Promise<void> {
    await quotas.alterClientQuotas(this.parts, entity, changes);
  }

  async listGroups(): Promise<GroupListing[]> {
    return await groups.listGroups(this.parts);
  }

  /** A group that does not exist is Dead. */
  async describeGroup(groupId: string): Promise<GroupDescription> {
    return await groups.describeGroup(this.parts, groupId);
  }

  /** Committed offsets by topicPartitionKey: of these partitions, or all there are. */
  async listGroupOffsets(groupId: string, of?: readonly TopicPartition[]): Promise<Map<string, CommittedOffset>> {
    return await groups.listGroupOffsets(this.parts, groupId, of);
  }

  /** Commits for a group without members. */
  async alterGroupOffsets(
    groupId: string,
    offsets: readonly (TopicPartition & { readonly offset: number })[],
  ): Promise<void> {
    await groups.alterGroupOffsets(this.parts, groupId, offsets);
  }

  async deleteGroup(groupId: string): Promise<void> {
    await groups.deleteGroup(this.parts, groupId);
  }

  /** @returns by topicPartitionKey the error code of each partition, 0 where its offset is gone */
  async deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return await groups.deleteGroupOffsets(this.parts, groupId, partitions);
  }

  async findCoordinator(groupId: string): Promise<Node> {
    return await groups.findCoordinator(this.parts, groupId);
  }

  /** @returns what came of each, by topicPartitionKey: null where a leader was elected */
  async electLeaders(
    type: 'preferred' | 'unclean',
    of?: readonly TopicPartition[],
  ): Promise<Map<string, Error | null>> {
    return await partitions.electLeaders(this.parts, type, of);
  }

  /** @returns the errors of those refused, by topicPartitionKey */
  async alterPartitionReassignments(reassignments: readonly Reassignment[]): Promise<Map<string, Error>> {
    return await partitions.alterPartitionReassignments(this.parts, reassignments);
  }

  /** By topicPartitionKey. */
  async listPartitionReassignments(): Promise<Map<string, OngoingReassignment>> {
    return await partitions.listPartitionReassignments(this.parts);
  }

  /** @returns log start offsets by topicPartitionKey */
  async deleteRecords(before: readonly (TopicPartition & { readonly offset: number })[]): Promise<Map<string, number>> {
    return await partitions.deleteRecords(this.parts, before);
  }

  /** The log dirs of a broker and what lies in each. */
  async describeLogDirs(brokerId: number): Promise<LogDirInfo[]> {
    return await logDirs.describeLogDirs(this.parts, brokerId);
  }

  /**
   * Moves replicas to other log dirs of their brokers.
   *
   * @returns what came of each move, in their order: null where it has begun
   */
  async alterReplicaLogDirs(moves: readonly ReplicaMove[]): Promise<(Error | null)[]> {
    return await logDirs.alterReplicaLogDirs(this.parts, moves);
  }

  /** Closes the connections; calls under way fail. */
  close(): void {
    this.parts.client.close();
  }
}
