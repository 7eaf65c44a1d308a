import type { TopicPartition } from '@klassic/common';
import { topicPartitionKey } from '@klassic/common';
import { throwIfError } from '../client-errors.ts';
import { groupByTopic } from '../list-offsets.ts';
import { retrying } from '../retrying.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import type { GroupMembership } from './group-membership.ts';

/** An offset to commit: that of the next record to read. */
export interface OffsetToCommit extends TopicPartition {
  readonly offset: number;
  /** Of the record before it, so that whoever goes on from here notices if that was lost (KIP-320). */
  readonly leaderEpoch?: number;
  readonly metadata?: string;
}

/** A committed offset: that of the next record to read. */
export interface OffsetAndMetadata {
  readonly offset: number;
  /** -1 where none was committed with it. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/**
 * Commits for a member of a group, or for a consumer that assigns its partitions itself.
 *
 * @throws KafkaError when the member is no longer one (ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS)
 * @throws TimeoutError
 */
export async function commitOffsets(
  membership: GroupMembership,
  config: ConsumerConfig,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  timeoutMs?: number,
): Promise<void> {
  if (offsets.length === 0) return;
  const options = { what: 'committing offsets', ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  await retrying(config, options, async () => {
    await membership.atCoordinator(async (send) => {
      const answer = await send('OffsetCommit', {
        groupId,
        ...membership.current,
        groupInstanceId: config.groupInstanceId,
        topics: groupByTopic(offsets).map(([name, partitions]) => ({
          name,
          partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }) => ({
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: leaderEpoch ?? -1,
            committedMetadata: metadata ?? '',
          })),
        })),
      });
      for (const { partitions } of answer.topics) for (const { errorCode } of partitions) throwIfError(errorCode);
    });
  });
}

/**
 * Asks for committed offsets.
 *
 * @returns by topicPartitionKey; what has none is missing
 * @throws KafkaError, TimeoutError
 */
export async function fetchCommittedOffsets(
  membership: GroupMembership,
  config: ConsumerConfig,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<Map<string, OffsetAndMetadata>> {
  const found = new Map<string, OffsetAndMetadata>();
  if (partitions.length === 0) return found;
  await retrying(config, { what: 'fetching committed offsets' }, async () => {
    await membership.atCoordinator(async (send) => {
      const answer = await send('OffsetFetch', {
        groupId,
        topics: groupByTopic(partitions).map(([name, list]) => ({
          name,
          partitionIndexes: list.map(({ partition }) => partition),
        })),
      });
      throwIfError(answer.errorCode);
      for (const topic of answer.topics) {
        for (const answered of topic.partitions) {
          throwIfError(answered.errorCode);
          if (answered.committedOffset < 0) continue;
          found.set(topicPartitionKey(topic.name, answered.partitionIndex), {
            offset: answered.committedOffset,
            leaderEpoch: answered.committedLeaderEpoch,
            metadata: answered.metadata ?? '',
          });
        }
      }
    });
  });
  return found;
}
