import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { GroupCoordinator } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** OffsetDelete: a group forgets offsets of topics that its members do not read (KIP-496). */
export function offsetDeleteHandler(
  coordinator: GroupCoordinator,
  metadataCache: MetadataCache,
): ApiHandler<'OffsetDelete'> {
  return {
    api: 'OffsetDelete',
    minVersion: 0,
    maxVersion: 0,
    async handle({ body: { groupId, topics } }) {
      const existing: TopicPartition[] = [];
      for (const { name: topic, partitions } of topics) {
        for (const { partitionIndex: partition } of partitions) {
          if (metadataCache.contains(topic, partition)) existing.push({ topic, partition });
        }
      }
      const { error, partitions: results } = await coordinator.handleDeleteOffsets(groupId, existing);
      if (error !== Errors.NONE) return { errorCode: error.code };
      return {
        errorCode: Errors.NONE.code,
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => {
            const result = results.get(topicPartitionKey(name, partitionIndex)) ?? Errors.UNKNOWN_TOPIC_OR_PARTITION;
            return { partitionIndex, errorCode: result.code };
          }),
        })),
      };
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}
