import { topicPartitionKey } from '@klassic/common';
import type { Time, TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry, RequestOf, ResponseInit } from '@klassic/protocol';
import type { GroupCoordinator, OffsetAndMetadata } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** Producers before this version of TxnOffsetCommit did not know what to make of COORDINATOR_LOAD_IN_PROGRESS. */
const loadInProgressVersion = 2;

/**
 * TxnOffsetCommit: a group's offsets as part of a producer's transaction. They count once the transaction's commit marker
 * is in the group's partition of `__consumer_offsets` (KIP-98); from version 3 on the coordinator also checks that the
 * committer is a member of the group's generation (KIP-447).
 */
export function txnOffsetCommitHandler(
  coordinator: GroupCoordinator,
  metadataCache: MetadataCache,
  time: Time,
): ApiHandler<'TxnOffsetCommit'> {
  return {
    api: 'TxnOffsetCommit',
    minVersion: 0,
    maxVersion: 3,
    async handle({ body, header: { apiVersion } }) {
      const commitTimestamp = time.milliseconds();
      const results = new Map<string, ErrorEntry>();
      const offsets = new Map<string, { target: TopicPartition; offset: OffsetAndMetadata }>();
      for (const { name: topic, partitions } of body.topics) {
        for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } of partitions) {
          const key = topicPartitionKey(topic, partitionIndex);
          if (!metadataCache.contains(topic, partitionIndex)) {
            results.set(key, Errors.UNKNOWN_TOPIC_OR_PARTITION);
            continue;
          }
          offsets.set(key, {
            target: { topic, partition: partitionIndex },
            offset: {
              offset: committedOffset,
              leaderEpoch: committedLeaderEpoch,
              metadata: committedMetadata ?? '',
              commitTimestamp,
              expireTimestamp: undefined,
            },
          });
        }
      }
      if (offsets.size > 0) {
        const committed = await coordinator.handleTxnCommitOffsets(body.groupId, body, body, offsets);
        for (const [key, error] of committed) results.set(key, error);
      }
      return response(body, (key) => errorFor(apiVersion, results.get(key)!));
    },
    failure: ({ body }, error) => response(body, () => error),
  };
}

function errorFor(apiVersion: number, error: ErrorEntry): ErrorEntry {
  const isTooNew = apiVersion < loadInProgressVersion && error === Errors.COORDINATOR_LOAD_IN_PROGRESS;
  return isTooNew ? Errors.COORDINATOR_NOT_AVAILABLE : error;
}

function response(
  { topics }: RequestOf<'TxnOffsetCommit'>,
  errorOf: (key: string) => ErrorEntry,
): ResponseInit<'TxnOffsetCommit'> {
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errorOf(topicPartitionKey(name, partitionIndex)).code,
      })),
    })),
  };
}
