import type { TopicPartition } from '@klassic/common';

import { ZNodeFormatError, ZooKeeperError } from '../errors.ts';
import { ensureOk, matchAnyVersion } from '../requests.ts';
import type { DeleteOp } from '../requests.ts';
import {
  DeleteTopicsTopicZNode,
  DeleteTopicsZNode,
  PreferredReplicaElectionZNode,
  ReassignPartitionsZNode,
} from '../znodes/admin.ts';
import type { PlannedReassignment } from '../znodes/admin.ts';
import {
  ConfigEntityChangeNotificationSequenceZNode,
  ConfigEntityChangeNotificationZNode,
  ConfigEntityTypeZNode,
  ConfigEntityZNode,
} from '../znodes/config.ts';
import { TopicZkClient } from './topic-zk-client.ts';

/** What administrators ask for: configs, deletion of topics, reassignment and preferred leaders. */
export abstract class AdminRequestZkClient extends TopicZkClient {
  /** @returns {} where nothing is set. @throws ZNodeFormatError */
  async getEntityConfigs(entityType: string, sanitizedName: string): Promise<Record<string, string>> {
    const found = await this.getDataAndStat(ConfigEntityZNode.path(entityType, sanitizedName));
    return found === undefined ? {} : ConfigEntityZNode.decode(found.data);
  }

  /** Configs of many entities by name, {} where nothing is set. Pipelined. @throws ZNodeFormatError */
  async getEntitiesConfigs(
    entityType: string,
    sanitizedNames: Iterable<string>,
  ): Promise<Map<string, Record<string, string>>> {
    const names = [...sanitizedNames];
    const responses = await this.requests(
      names.map((name) => ({ op: 'getData', path: ConfigEntityZNode.path(entityType, name) })),
    );
    return new Map(
      responses.map((response, position) => {
        if (response.code === 'NO_NODE') return [names[position]!, {}];
        ensureOk(response);
        return [names[position]!, ConfigEntityZNode.decode(response.data ?? null)];
      }),
    );
  }

  /** Names of the entities of a type that have configs. */
  getAllEntitiesWithConfig(entityType: string): Promise<string[]> {
    return this.getChildren(ConfigEntityTypeZNode.path(entityType));
  }

  /** Writes all configs of an entity; the last writer wins. @throws ZooKeeperError */
  async setOrCreateEntityConfigs(
    entityType: string,
    sanitizedName: string,
    config: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.setOrCreate(ConfigEntityZNode.path(entityType, sanitizedName), ConfigEntityZNode.encode(config));
  }

  /** Tells every broker to read an entity's configs again, for example `topics/orders`. @throws ZooKeeperError */
  async createConfigChangeNotification(sanitizedEntityPath: string): Promise<void> {
    await this.makeSurePersistentPathExists(ConfigEntityChangeNotificationZNode.path);
    const path = ConfigEntityChangeNotificationSequenceZNode.createPath;
    const data = ConfigEntityChangeNotificationSequenceZNode.encode(sanitizedEntityPath);
    await this.createSequential(path, data);
  }

  /** @throws ControllerMovedError */
  async deleteTopicConfigs(topics: readonly string[], epochZkVersion: number): Promise<void> {
    await this.deleteAll(
      topics.map((topic) => ConfigEntityZNode.path('topics', topic)),
      epochZkVersion,
    );
  }

  /** Topics that shall be deleted. Sets the watch of a child change handler of `/admin/delete_topics`. */
  getTopicDeletions(): Promise<string[]> {
    return this.getChildren(DeleteTopicsZNode.path);
  }

  /** Asks the controller to delete a topic. @throws ZooKeeperError NODE_EXISTS when that was asked before */
  createDeleteTopicPath(topic: string): Promise<void> {
    return this.createRecursive(DeleteTopicsTopicZNode.path(topic));
  }

  isTopicMarkedForDeletion(topic: string): Promise<boolean> {
    return this.pathExists(DeleteTopicsTopicZNode.path(topic));
  }

  /** @throws ControllerMovedError */
  async deleteTopicDeletions(topics: readonly string[], epochZkVersion: number): Promise<void> {
    await this.deleteAll(topics.map(DeleteTopicsTopicZNode.path), epochZkVersion);
  }

  /** The plan of `/admin/reassign_partitions`, target replicas by partition; none where it cannot be read. */
  async getPartitionReassignment(): Promise<PlannedReassignment[]> {
    const found = await this.getDataAndStat(ReassignPartitionsZNode.path);
    if (found === undefined) return [];
    try {
      return ReassignPartitionsZNode.decode(found.data);
    } catch (error) {
      if (!(error instanceof ZNodeFormatError)) throw error;
      this.log.warn(`Ignoring partition reassignment due to invalid json: ${error.message}`);
      return [];
    }
  }

  /** @throws ZooKeeperError, ControllerMovedError */
  async setOrCreatePartitionReassignment(plan: readonly PlannedReassignment[], epochZkVersion: number): Promise<void> {
    await this.setOrCreate(ReassignPartitionsZNode.path, ReassignPartitionsZNode.encode(plan), epochZkVersion);
  }

  /** @throws ZooKeeperError NODE_EXISTS while another plan is under way */
  createPartitionReassignment(plan: readonly PlannedReassignment[]): Promise<void> {
    return this.createRecursive(ReassignPartitionsZNode.path, ReassignPartitionsZNode.encode(plan));
  }

  /** @throws ControllerMovedError */
  deletePartitionReassignment(epochZkVersion: number): Promise<void> {
    return this.deletePath(ReassignPartitionsZNode.path, epochZkVersion);
  }

  reassignPartitionsInProgress(): Promise<boolean> {
    return this.pathExists(ReassignPartitionsZNode.path);
  }

  /** Partitions whose preferred replica shall lead. Sets the watch of a handler of that path. @throws ZNodeFormatError */
  async getPreferredReplicaElection(): Promise<TopicPartition[]> {
    const found = await this.getDataAndStat(PreferredReplicaElectionZNode.path);
    return found === undefined ? [] : PreferredReplicaElectionZNode.decode(found.data);
  }

  /** @throws ZooKeeperError NODE_EXISTS while another is under way */
  createPreferredReplicaElection(partitions: readonly TopicPartition[]): Promise<void> {
    return this.createRecursive(PreferredReplicaElectionZNode.path, PreferredReplicaElectionZNode.encode(partitions));
  }

  /** Takes it away, if it is there. @throws ControllerMovedError */
  async deletePreferredReplicaElection(epochZkVersion: number): Promise<void> {
    await this.deleteAll([PreferredReplicaElectionZNode.path], epochZkVersion);
  }

  /** Pipelined; what is not there is fine. */
  protected async deleteAll(paths: readonly string[], epochZkVersion = matchAnyVersion): Promise<void> {
    const deletes = paths.map((path): DeleteOp => ({ op: 'delete', path, version: matchAnyVersion }));
    for (const response of await this.requests(deletes, epochZkVersion)) {
      if (response.code !== 'NO_NODE') ensureOk(response);
    }
  }

  /** @returns the path with its number */
  protected async createSequential(path: string, data: Buffer): Promise<string> {
    const response = await this.request({ op: 'create', path, data, sequential: true, acl: this.defaultAcl(path) });
    ensureOk(response);
    return response.path;
  }

  protected async setOrCreate(path: string, data: Buffer, epochZkVersion = matchAnyVersion): Promise<void> {
    const set = (): ReturnType<typeof this.request> =>
      this.request({ op: 'setData', path, data, version: matchAnyVersion }, epochZkVersion);
    let response = await set();
    if (response.code === 'NO_NODE' && epochZkVersion === matchAnyVersion) {
      try {
        await this.createRecursive(path, data);
        return;
      } catch (error) {
        // Somebody was faster.
        if (!(error instanceof ZooKeeperError) || error.code !== 'NODE_EXISTS') throw error;
        response = await set();
      }
    } else if (response.code === 'NO_NODE') {
      response = await this.request({ op: 'create', path, data, acl: this.defaultAcl(path) }, epochZkVersion);
    }
    ensureOk(response);
  }
}
