import type { TopicPartition } from '@klassic/common';

import { inOrder, partitionsOf } from './notification.ts';
import { intOf, intsOf, jsonBytes, objectsOf, requireObject, stringOf } from './json.ts';

export const AdminZNode = { path: '/admin' };

/** `/admin/delete_topics`: the controller watches its children. */
export const DeleteTopicsZNode = { path: '/admin/delete_topics' };

/** `/admin/delete_topics/<topic>`: empty; asks the controller to delete the topic. */
export const DeleteTopicsTopicZNode = { path: (topic: string): string => `${DeleteTopicsZNode.path}/${topic}` };

/** What a plan asks for: a partition and its target replicas. Nothing says that there is such a partition. */
export interface PlannedReassignment extends TopicPartition {
  readonly replicas: readonly number[];
}

/** `/admin/reassign_partitions`: a plan that the controller carries out and takes away (before KIP-455, by a tool). */
export const ReassignPartitionsZNode = {
  path: '/admin/reassign_partitions',

  encode: (plan: readonly PlannedReassignment[]): Buffer =>
    jsonBytes({
      version: 1,
      partitions: plan.map(({ topic, partition, replicas }) => ({ topic, partition, replicas })),
    }),

  /** @throws ZNodeFormatError, also on bytes that are no JSON */
  decode(bytes: Buffer | null): PlannedReassignment[] {
    const object = requireObject(this.path, bytes);
    return objectsOf(this.path, object, 'partitions').map((entry) => ({
      topic: stringOf(this.path, entry, 'topic'),
      partition: intOf(this.path, entry, 'partition'),
      replicas: intsOf(this.path, entry, 'replicas'),
    }));
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
