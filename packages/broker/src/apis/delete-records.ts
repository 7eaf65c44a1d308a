import { topicPartitionKey } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { RequestOf, ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { DeleteRecordsResult, ReplicaManager } from '../replica/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** DeleteRecords: moves the start of logs led here, and answers when the replicas have followed (KIP-107). */
export function deleteRecordsHandler(
  replicaManager: ReplicaManager,
  metadataCache: MetadataCache,
): ApiHandler<'DeleteRecords'> {
  return {
    api: 'DeleteRecords',
    minVersion: 0,
    maxVersion: 2,
    async handle({ body }) {
      // Where a partition stands twice, its last offset counts.
      const asked = new Map(
        body.topics.flatMap(({ name: topic, partitions: each }) =>
          each.map(({ partitionIndex: partition, offset }) => [
            topicPartitionKey(topic, partition),
            { topic, partition, offset },
          ]),
        ),
      );
      const partitions = [...asked.values()].filter(({ topic, partition }) => metadataCache.contains(topic, partition));
      const results = await replicaManager.deleteRecords({ timeoutMs: body.timeoutMs, partitions });
      const unknown = { errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION.code, lowWatermark: -1 };
      return response(body, (key) => results.get(key) ?? unknown);
    },
    failure: ({ body }, error) => response(body, () => ({ errorCode: error.code, lowWatermark: -1 })),
  };
}

/** One result for each partition that was asked for; topics without one are left out. */
function response(
  body: RequestOf<'DeleteRecords'>,
  resultOf: (key: string) => DeleteRecordsResult,
): ResponseInit<'DeleteRecords'> {
  const byTopic = new Map<string, Set<number>>();
  for (const { name, partitions } of body.topics) {
    for (const { partitionIndex } of partitions) {
      byTopic.set(name, (byTopic.get(name) ?? new Set()).add(partitionIndex));
    }
  }
  return {
    topics: [...byTopic].map(([name, indexes]) => ({
      name,
      partitions: [...indexes].map((partitionIndex) => {
        const { errorCode, lowWatermark } = resultOf(topicPartitionKey(name, partitionIndex));
        return { partitionIndex, errorCode, lowWatermark };
      }),
    })),
  };
}
