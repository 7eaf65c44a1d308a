import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ClientConfig } from './client-config.ts';
import { kafkaError, throwIfError } from './client-errors.ts';
import type { Node } from './metadata/cluster.ts';
import type { Metadata } from './metadata/metadata.ts';
import type { NetworkClient } from './network-client.ts';
import { retrying } from './retrying.ts';

export type IsolationLevel = 'read_uncommitted' | 'read_committed';

/** Instead of a timestamp: the end of the log (high watermark, or last stable offset under read_committed). */
export const LATEST_TIMESTAMP = -1;
/** Instead of a timestamp: the log start offset. */
export const EARLIEST_TIMESTAMP = -2;

export interface OffsetQuery extends TopicPartition {
  /** Milliseconds since 1970 (the first record not older), or one of the two constants. */
  readonly timestamp: number;
}

export interface ListedOffset {
  /** -1 when no record is as new as asked. */
  readonly offset: number;
  /** Of the found record; -1 for the ends of the log. */
  readonly timestamp: number;
  /** Of the found record's batch; -1 where the broker tells none. */
  readonly leaderEpoch: number;
}

/** The parts a look-up needs. */
export interface ClientParts {
  readonly client: NetworkClient;
  readonly metadata: Metadata;
  readonly config: ClientConfig;
}

/** The wire's number for an isolation level. */
export function isolationLevelId(level: IsolationLevel): number {
  return level === 'read_committed' ? 1 : 0;
}

/**
 * Asks leaders for offsets by time, again where leadership has moved.
 *
 * @returns by topicPartitionKey
 * @throws TimeoutError, or KafkaError for what retrying cannot mend
 */
export async function listOffsets(
  parts: ClientParts,
  queries: readonly OffsetQuery[],
  isolation: IsolationLevel = 'read_uncommitted',
): Promise<Map<string, ListedOffset>> {
  const { client, metadata, config } = parts;
  const found = new Map<string, ListedOffset>();
  metadata.add(queries.map(({ topic }) => topic));
  const what = 'listing offsets';
  const beforeRetry = (): void => {
    metadata.requestUpdate();
  };
  await retrying(config, { what, beforeRetry }, async () => {
    if (metadata.needsUpdate) await metadata.refresh();
    const missing = queries.filter(({ topic, partition }) => !found.has(topicPartitionKey(topic, partition)));
    const byLeader = new Map<Node, OffsetQuery[]>();
    for (const query of missing) {
      const leader = leaderOf(metadata, query);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), query]);
    }
    await Promise.all(
      [...byLeader].map(async ([leader, asked]) => {
        const answer = await client.send(leader, 'ListOffsets', {
          replicaId: -1,
          isolationLevel: isolationLevelId(isolation),
          topics: groupByTopic(asked).map(([name, partitions]) => ({
            name,
            partitions: partitions.map(({ partition, timestamp }) => ({
              partitionIndex: partition,
              currentLeaderEpoch: metadata.currentLeader({ topic: name, partition }).epoch,
              timestamp,
            })),
          })),
        });
        for (const { name, partitions } of answer.topics) {
          for (const { partitionIndex, errorCode, offset, timestamp, leaderEpoch } of partitions) {
            throwIfError(errorCode);
            metadata.updateLastSeenEpochIfNewer({ topic: name, partition: partitionIndex }, leaderEpoch);
            found.set(topicPartitionKey(name, partitionIndex), { offset, timestamp, leaderEpoch });
          }
        }
      }),
    );
  });
  return found;
}

/** Puts partitions together by topic, in order. */
export function groupByTopic<T extends TopicPartition>(partitions: Iterable<T>): [string, T[]][] {
  const byTopic = new Map<string, T[]>();
  for (const partition of partitions) {
    const list = byTopic.get(partition.topic);
    if (list === undefined) byTopic.set(partition.topic, [partition]);
    else list.push(partition);
  }
  return [...byTopic];
}

function leaderOf(metadata: Metadata, { topic, partition }: TopicPartition): Node {
  const info = metadata.cluster.topics.get(topic);
  if (info === undefined || info.partitions[partition] === undefined) {
    throw kafkaError(info?.errorCode || Errors.UNKNOWN_TOPIC_OR_PARTITION.code);
  }
  const { leader } = metadata.currentLeader({ topic, partition });
  if (leader === undefined) throw kafkaError(Errors.LEADER_NOT_AVAILABLE.code);
  return leader;
}
