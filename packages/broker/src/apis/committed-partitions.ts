import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { OffsetAndMetadata } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';

/** Offsets to commit, by `topicPartitionKey`. */
export type CommittedOffsets = Map<string, { readonly target: TopicPartition; readonly offset: OffsetAndMetadata }>;

/** The topics of an OffsetCommit or TxnOffsetCommit request. */
interface CommittedTopic<P> {
  readonly name: string;
  readonly partitions: readonly P[];
}

/**
 * Parts what a request commits: offsets of partitions that the cluster has, and UNKNOWN_TOPIC_OR_PARTITION for the others,
 * both by `topicPartitionKey`.
 */
export function partitionsToCommit<P extends { readonly partitionIndex: number }>(
  topics: readonly CommittedTopic<P>[],
  metadataCache: MetadataCache,
  offsetOf: (partition: P) => OffsetAndMetadata,
): { offsets: CommittedOffsets; results: Map<string, ErrorEntry> } {
  const offsets: CommittedOffsets = new Map();
  const results = new Map<string, ErrorEntry>();
  for (const { name: topic, partitions } of topics) {
    for (const each of partitions) {
      const target = { topic, partition: each.partitionIndex };
      const key = topicPartitionKey(topic, target.partition);
      if (metadataCache.contains(topic, target.partition)) offsets.set(key, { target, offset: offsetOf(each) });
      else results.set(key, Errors.UNKNOWN_TOPIC_OR_PARTITION);
    }
  }
  return { offsets, results };
}

/** The answer's topics, in the order of the request. */
export function committedTopics(
  topics: readonly CommittedTopic<{ readonly partitionIndex: number }>[],
  errorOf: (key: string) => ErrorEntry,
): { name: string; partitions: { partitionIndex: number; errorCode: number }[] }[] {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: errorOf(topicPartitionKey(name, partitionIndex)).code,
    })),
  }));
}
