import { parseTopicPartition, topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';

import { inOrder, partitionsOf } from './notification.ts';
import { intOf, intsOf, jsonBytes, objectsOf, requireObject, stringOf } from './json.ts';

export const AdminZNode = { path: '/admin' };

/** `/admin/delete_topics`: the controller watches its children. */
export const DeleteTopicsZNode = { path: '/admin/delete_topics' };

/** `/admin/delete_topics/<topic>`: empty; asks the controller to delete the topic. */
export const DeleteTopicsTopicZNode = { path: (topic: string): string => `${DeleteTopicsZNode.path}/${topic}` };

/** `/admin/reassign_partitions`: a plan that the controller carries out and takes away (before KIP-455, by a tool). */
export const ReassignPartitionsZNode = {
  path: '/admin/reassign_partitions',

  /** @param reassignment target replicas by `topicPartitionKey` */
  encode: (reassignment: ReadonlyMap<string, readonly number[]>): Buffer =>
    jsonBytes({
      version: 1,
      partitions: [...reassignment].map(([key, replicas]) => ({ ...parseTopicPartition(key)!, replicas })),
    }),

  /** @returns target replicas by `topicPartitionKey`. @throws ZNodeFormatError, also on bytes that are no JSON */
  decode(bytes: Buffer | null): Map<string, number[]> {
    const object = requireObject(this.path, bytes);
    return new Map(
      objectsOf(this.path, object, 'partitions').map((entry) => [
        topicPartitionKey(stringOf(this.path, entry, 'topic'), intOf(this.path, entry, 'partition')),
        intsOf(this.path, entry, 'replicas'),
      ]),
    );
  },
};

/** `/admin/preferred_replica_election`: partitions whose preferred replica shall lead; the controller takes it away. */
export const PreferredReplicaElectionZNode = {
  path: '/admin/preferred_replica_election',
  encode: (partitions: readonly TopicPartition[]): Buffer => jsonBytes({ version: 1, partitions: inOrder(partitions) }),
  /** @throws ZNodeFormatError */
  decode(bytes: Buffer | null): TopicPartition[] {
    return partitionsOf(this.path, bytes);
  },
};
