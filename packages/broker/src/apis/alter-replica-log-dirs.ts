import { topicPartitionKey } from '@klassic/common';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import { Errors } from '@klassic/protocol';
import type { LogDirMove, ReplicaManager } from '../replica/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** AlterReplicaLogDirs: moves replicas of this broker to other log dirs of it (KIP-113). */
export function alterReplicaLogDirsHandler(replicaManager: ReplicaManager): ApiHandler<'AlterReplicaLogDirs'> {
  return {
    api: 'AlterReplicaLogDirs',
    minVersion: 0,
    maxVersion: 2,
    async handle({ body }) {
      const moves = movesOf(body);
      const errors = await replicaManager.alterReplicaLogDirs(moves.values());
      return response(moves.values(), (key) => errors.get(key) ?? Errors.NONE);
    },
    failure: ({ body }, error) => response(movesOf(body).values(), () => error),
  };
}

/** By partition: of two log dirs for one, the later counts. */
function movesOf({ dirs }: RequestOf<'AlterReplicaLogDirs'>): Map<string, LogDirMove> {
  const moves = new Map<string, LogDirMove>();
  for (const { path: logDir, topics } of dirs) {
    for (const { name: topic, partitions } of topics) {
      for (const partition of partitions) moves.set(topicPartitionKey(topic, partition), { topic, partition, logDir });
    }
  }
  return moves;
}

function response(
  moves: Iterable<LogDirMove>,
  errorOf: (key: string) => ErrorEntry,
): ResponseInit<'AlterReplicaLogDirs'> {
  const topics = new Map<string, { topicName: string; partitions: { partitionIndex: number; errorCode: number }[] }>();
  for (const { topic, partition } of moves) {
    const result = topics.get(topic) ?? { topicName: topic, partitions: [] };
    topics.set(topic, result);
    const { code } = errorOf(topicPartitionKey(topic, partition));
    result.partitions.push({ partitionIndex: partition, errorCode: code });
  }
  return { results: [...topics.values()] };
}
