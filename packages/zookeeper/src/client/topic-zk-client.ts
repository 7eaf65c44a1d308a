import { parseTopicPartition, topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';

import { ControllerMovedError, ZooKeeperError } from '../errors.ts';
import type {
  LeaderAndIsr,
  LeaderIsrAndControllerEpoch,
  PartitionResponse,
  ReplicaAssignment,
  TopicIdReplicaAssignment,
  UpdateLeaderAndIsrResult,
} from '../leader-and-isr.ts';
import { ensureOk, matchAnyVersion } from '../requests.ts';
import type { CreateOp, ZooKeeperRequest, ZooKeeperResponse } from '../requests.ts';
import {
  TopicPartitionStateZNode,
  TopicPartitionsZNode,
  TopicPartitionZNode,
  TopicsZNode,
  TopicZNode,
} from '../znodes/topic.ts';
import { ClusterZkClient } from './cluster-zk-client.ts';

type States = ReadonlyMap<string, LeaderIsrAndControllerEpoch>;

/** Topics, where their replicas live, and the state of each partition. Maps are keyed by `topicPartitionKey`. */
export abstract class TopicZkClient extends ClusterZkClient {
  /** @param registerWatch sets the watch of a child change handler of `/brokers/topics` */
  getAllTopicsInCluster(registerWatch = false): Promise<string[]> {
    return this.getChildren(TopicsZNode.path, registerWatch);
  }

  topicExists(topic: string): Promise<boolean> {
    return this.pathExists(TopicZNode.path(topic));
  }

  /**
   * What stands in the znodes of `topics`; an empty assignment where there is none. Pipelined. Sets the watches of
   * handlers of these paths.
   *
   * @throws ZNodeFormatError
   */
  async getReplicaAssignmentAndTopicIdForTopics(topics: Iterable<string>): Promise<TopicIdReplicaAssignment[]> {
    const names = [...topics];
    const responses = await this.requests(names.map((topic) => ({ op: 'getData', path: TopicZNode.path(topic) })));
    return responses.map((response, position) => {
      const topic = names[position]!;
      if (response.code === 'NO_NODE')
        return { topic, topicId: null, assignment: new Map<number, ReplicaAssignment>() };
      ensureOk(response);
      return TopicZNode.decode(topic, response.data ?? null);
    });
  }

  /** Replicas of every partition of `topics`, with those being added and removed. */
  async getFullReplicaAssignmentForTopics(topics: Iterable<string>): Promise<Map<string, ReplicaAssignment>> {
    const assignments = new Map<string, ReplicaAssignment>();
    for (const { topic, assignment } of await this.getReplicaAssignmentAndTopicIdForTopics(topics)) {
      for (const [partition, replicas] of assignment) assignments.set(topicPartitionKey(topic, partition), replicas);
    }
    return assignments;
  }

  /** Replicas of every partition of `topics`. */
  async getReplicaAssignmentForTopics(topics: Iterable<string>): Promise<Map<string, number[]>> {
    const full = await this.getFullReplicaAssignmentForTopics(topics);
    return new Map([...full].map(([key, { replicas }]) => [key, [...replicas]]));
  }

  /** Partition indexes of `topics`, ascending; a topic that is not there is left out. */
  async getPartitionsForTopics(topics: Iterable<string>): Promise<Map<string, number[]>> {
    const assignments = await this.getReplicaAssignmentAndTopicIdForTopics(topics);
    return new Map(
      assignments
        .filter(({ assignment }) => assignment.size > 0)
        .map(({ topic, assignment }) => [topic, [...assignment.keys()]]),
    );
  }

  /** @returns undefined where there is no such topic */
  async getTopicPartitionCount(topic: string): Promise<number | undefined> {
    return (await this.getPartitionsForTopics([topic])).get(topic)?.length;
  }

  /** Creates a topic's znode: this is what creates the topic. @throws ZooKeeperError NODE_EXISTS */
  createTopicAssignment(
    topic: string,
    topicId: string | null,
    assignment: ReadonlyMap<number, readonly number[]>,
  ): Promise<void> {
    const full = new Map<number, ReplicaAssignment>();
    for (const [partition, replicas] of assignment) {
      full.set(partition, { replicas, addingReplicas: [], removingReplicas: [] });
    }
    return this.createRecursive(TopicZNode.path(topic), TopicZNode.encode(topicId, full));
  }

  /** Writes a topic's whole assignment anew. @throws ZooKeeperError, ControllerMovedError */
  async setTopicAssignment(
    topic: string,
    topicId: string | null,
    assignment: ReadonlyMap<number, ReplicaAssignment>,
    epochZkVersion = matchAnyVersion,
  ): Promise<void> {
    ensureOk(await this.setTopicAssignmentRaw(topic, topicId, assignment, epochZkVersion));
  }

  /** As `setTopicAssignment`; the caller looks at the result code. @throws ControllerMovedError */
  setTopicAssignmentRaw(
    topic: string,
    topicId: string | null,
    assignment: ReadonlyMap<number, ReplicaAssignment>,
    epochZkVersion: number,
  ): Promise<ZooKeeperResponse> {
    const data = TopicZNode.encode(topicId, assignment);
    return this.request(
      { op: 'setData', path: TopicZNode.path(topic), data, version: matchAnyVersion },
      epochZkVersion,
    );
  }

  /** Deletes a topic's znode with all below it. @throws ControllerMovedError */
  async deleteTopicZNode(topic: string, epochZkVersion: number): Promise<void> {
    await this.deleteRecursive(TopicZNode.path(topic), epochZkVersion);
  }

  /** Pipelined reads of partition states; the caller looks at the result codes. */
  async getTopicPartitionStatesRaw(
    partitions: readonly TopicPartition[],
  ): Promise<PartitionResponse<ZooKeeperResponse>[]> {
    return this.perPartition(
      partitions,
      (partition) => ({ op: 'getData', path: TopicPartitionStateZNode.path(partition) }),
      matchAnyVersion,
    );
  }

  /** States of those `partitions` that have one. @throws ZNodeFormatError */
  async getTopicPartitionStates(
    partitions: readonly TopicPartition[],
  ): Promise<Map<string, LeaderIsrAndControllerEpoch>> {
    const states = new Map<string, LeaderIsrAndControllerEpoch>();
    for (const { partition, response } of await this.getTopicPartitionStatesRaw(partitions)) {
      if (response.code === 'NO_NODE') continue;
      ensureOk(response);
      const state = TopicPartitionStateZNode.decode(partition, response.data ?? null, response.stat!);
      if (state !== undefined) states.set(topicPartitionKey(partition.topic, partition.partition), state);
    }
    return states;
  }

  /** @returns undefined where there is none */
  async getTopicPartitionState(partition: TopicPartition): Promise<LeaderIsrAndControllerEpoch | undefined> {
    return (await this.getTopicPartitionStates([partition])).values().next().value;
  }

  /**
   * Makes the znodes of new partitions: `partitions` of each topic, each partition, then each state. Each batch is
   * pipelined.
   *
   * @returns the creation of each state
   * @throws ControllerMovedError
   */
  async createTopicPartitionStatesRaw(
    states: States,
    epochZkVersion: number,
  ): Promise<PartitionResponse<ZooKeeperResponse>[]> {
    const partitions = partitionsOf(states);
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const create = (path: string, data: Buffer | null = null): CreateOp => ({
      op: 'create',
      path,
      data,
      acl: this.defaultAcl(path),
    });
    await this.requests(
      topics.map((topic) => create(TopicPartitionsZNode.path(topic))),
      epochZkVersion,
    );
    await this.requests(
      partitions.map((partition) => create(TopicPartitionZNode.path(partition))),
      epochZkVersion,
    );
    return this.perPartition(
      partitions,
      (partition, key) =>
        create(TopicPartitionStateZNode.path(partition), TopicPartitionStateZNode.encode(states.get(key)!)),
      epochZkVersion,
    );
  }

  /** Pipelined conditional writes of partition states, each by its zkVersion. @throws ControllerMovedError */
  setTopicPartitionStatesRaw(states: States, epochZkVersion: number): Promise<PartitionResponse<ZooKeeperResponse>[]> {
    return this.perPartition(
      partitionsOf(states),
      (partition, key) => ({
        op: 'setData',
        path: TopicPartitionStateZNode.path(partition),
        data: TopicPartitionStateZNode.encode(states.get(key)!),
        version: states.get(key)!.leaderAndIsr.zkVersion,
      }),
      epochZkVersion,
    );
  }

  /**
   * Writes leaders and ISRs as controller, each conditional on its zkVersion.
   *
   * @returns what was written with its new zkVersion, what failed, and what must be read and decided again
   * @throws ControllerMovedError
   */
  async updateLeaderAndIsr(
    leaderAndIsrs: ReadonlyMap<string, LeaderAndIsr>,
    controllerEpoch: number,
    epochZkVersion: number,
  ): Promise<UpdateLeaderAndIsrResult> {
    const finished = new Map<string, LeaderAndIsr | Error>();
    const partitionsToRetry: string[] = [];
    const states = new Map<string, LeaderIsrAndControllerEpoch>();
    for (const [key, leaderAndIsr] of leaderAndIsrs) states.set(key, { leaderAndIsr, controllerEpoch });
    let responses: PartitionResponse<ZooKeeperResponse>[];
    try {
      responses = await this.setTopicPartitionStatesRaw(states, epochZkVersion);
    } catch (error) {
      if (error instanceof ControllerMovedError || !(error instanceof ZooKeeperError)) throw error;
      for (const key of leaderAndIsrs.keys()) finished.set(key, error);
      return { finished, partitionsToRetry };
    }
    for (const { partition, response } of responses) {
      const key = topicPartitionKey(partition.topic, partition.partition);
      if (response.code === 'OK') finished.set(key, { ...leaderAndIsrs.get(key)!, zkVersion: response.stat!.version });
      else if (response.code === 'BAD_VERSION') partitionsToRetry.push(key);
      else finished.set(key, new ZooKeeperError(response.code, TopicPartitionStateZNode.path(partition)));
    }
    return { finished, partitionsToRetry };
  }

  private async perPartition(
    partitions: readonly TopicPartition[],
    ask: (partition: TopicPartition, key: string) => ZooKeeperRequest,
    epochZkVersion: number,
  ): Promise<PartitionResponse<ZooKeeperResponse>[]> {
    const requests = partitions.map((partition) =>
      ask(partition, topicPartitionKey(partition.topic, partition.partition)),
    );
    const responses = await this.requests(requests, epochZkVersion);
    return partitions.map((partition, position) => ({ partition, response: responses[position]! }));
  }
}

function partitionsOf(states: States): TopicPartition[] {
  return [...states.keys()].map((key) => parseTopicPartition(key)!);
}
