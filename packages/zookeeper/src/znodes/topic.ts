import type { TopicPartition } from '@klassic/common';

import type { LeaderIsrAndControllerEpoch, ReplicaAssignment, TopicIdReplicaAssignment } from '../leader-and-isr.ts';
import type { Stat } from '../stat.ts';
import { hashMapText, intOf, intsOf, jsonBytes, objectOf, parseObject } from './json.ts';
import type { JsonObject } from './json.ts';

/** `/brokers/topics`: its children are the topics. */
export const TopicsZNode = { path: '/brokers/topics' };

/** `/brokers/topics/<topic>`: where its replicas live. Created by whoever creates the topic, then the controller's. */
export const TopicZNode = {
  path: (topic: string): string => `${TopicsZNode.path}/${topic}`,

  encode(topicId: string | null, assignment: ReadonlyMap<number, ReplicaAssignment>): Buffer {
    const replicas: Record<string, readonly number[]> = {};
    const adding: Record<string, readonly number[]> = {};
    const removing: Record<string, readonly number[]> = {};
    for (const [partition, { replicas: all, addingReplicas, removingReplicas }] of assignment) {
      replicas[partition] = all;
      if (addingReplicas.length > 0) adding[partition] = addingReplicas;
      if (removingReplicas.length > 0) removing[partition] = removingReplicas;
    }
    const members = [
      `"partitions":${hashMapText(replicas)}`,
      ...(topicId === null ? [] : [`"topic_id":${JSON.stringify(topicId)}`]),
      `"adding_replicas":${hashMapText(adding)}`,
      `"removing_replicas":${hashMapText(removing)}`,
      '"version":3',
    ];
    return Buffer.from(`{${members.join(',')}}`, 'utf8');
  },

  /** Versions 1 (partitions alone), 2 (adding and removing replicas) and 3 (topic id). @throws ZNodeFormatError */
  decode(topic: string, bytes: Buffer | null): TopicIdReplicaAssignment {
    const path = this.path(topic);
    const object = parseObject(path, bytes) ?? {};
    const partitions = objectOf(path, object, 'partitions') ?? {};
    const adding = objectOf(path, object, 'adding_replicas');
    const removing = objectOf(path, object, 'removing_replicas');
    const assignment = new Map<number, ReplicaAssignment>();
    for (const partition of Object.keys(partitions).sort((a, b) => Number(a) - Number(b))) {
      assignment.set(Number(partition), {
        replicas: intsOf(path, partitions, partition),
        addingReplicas: intsIfAny(path, adding, partition),
        removingReplicas: intsIfAny(path, removing, partition),
      });
    }
    return { topic, topicId: typeof object['topic_id'] === 'string' ? object['topic_id'] : null, assignment };
  },
};

/** `/brokers/topics/<topic>/partitions`: empty. Written by the controller, as all below it. */
export const TopicPartitionsZNode = { path: (topic: string): string => `${TopicZNode.path(topic)}/partitions` };

/** `/brokers/topics/<topic>/partitions/<partition>`: empty. */
export const TopicPartitionZNode = {
  path: ({ topic, partition }: TopicPartition): string => `${TopicPartitionsZNode.path(topic)}/${partition}`,
};

/**
 * `…/partitions/<partition>/state`: leader, leader epoch and ISR. Created and elected by the controller; before
 * inter.broker.protocol.version 2.7 the leader itself changes the ISR, by dataVersion.
 */
export const TopicPartitionStateZNode = {
  path: (partition: TopicPartition): string => `${TopicPartitionZNode.path(partition)}/state`,

  encode: ({ leaderAndIsr, controllerEpoch }: LeaderIsrAndControllerEpoch): Buffer =>
    jsonBytes({
      controller_epoch: controllerEpoch,
      leader: leaderAndIsr.leader,
      version: 1,
      leader_epoch: leaderAndIsr.leaderEpoch,
      isr: leaderAndIsr.isr,
    }),

  /** @returns undefined when it cannot be read. @throws ZNodeFormatError */
  decode(partition: TopicPartition, bytes: Buffer | null, stat: Stat): LeaderIsrAndControllerEpoch | undefined {
    const path = this.path(partition);
    const object = parseObject(path, bytes);
    if (object === undefined) return undefined;
    return {
      leaderAndIsr: {
        leader: intOf(path, object, 'leader'),
        leaderEpoch: intOf(path, object, 'leader_epoch'),
        isr: intsOf(path, object, 'isr'),
        zkVersion: stat.version,
      },
      controllerEpoch: intOf(path, object, 'controller_epoch'),
    };
  },
};

function intsIfAny(path: string, object: JsonObject | undefined, key: string): number[] {
  return object?.[key] === undefined ? [] : intsOf(path, object, key);
}
