import type { Time } from '@klassic/common';
import type { RequestOf } from '@klassic/protocol';
import type { GroupCoordinator, OffsetAndMetadata } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';
import type { ApiHandler } from './api-handler.ts';
import { committedTopics, partitionsToCommit } from './committed-partitions.ts';
import type { OffsetsInZooKeeper } from './offsets-in-zookeeper.ts';

const unset = -1;

/**
 * OffsetCommit: offsets of topics that exist go to the coordinator, or with version 0 into ZooKeeper.
 *
 * An expiry of its own has a commit of versions 2 to 4 only (`retention.time.ms`; KIP-211 did away with it).
 */
export function offsetCommitHandler(
  coordinator: GroupCoordinator,
  metadataCache: MetadataCache,
  offsetsInZooKeeper: OffsetsInZooKeeper,
  time: Time,
): ApiHandler<'OffsetCommit'> {
  return {
    api: 'OffsetCommit',
    minVersion: 0,
    maxVersion: 8,
    async handle({ body, header: { apiVersion } }) {
      const nowMs = time.milliseconds();
      const { offsets, results } = partitionsToCommit(body.topics, metadataCache, (partition) =>
        offsetOf(partition, body.retentionTimeMs, nowMs),
      );
      if (apiVersion === 0) {
        for (const [key, { target, offset }] of offsets) {
          results.set(key, await offsetsInZooKeeper.commit(body.groupId, target, offset));
        }
      } else if (offsets.size > 0) {
        const committed = await coordinator.handleCommitOffsets(body.groupId, body, offsets);
        for (const [key, error] of committed) results.set(key, error);
      }
      return { topics: committedTopics(body.topics, (key) => results.get(key)!) };
    },
    failure: ({ body }, error) => ({ topics: committedTopics(body.topics, () => error) }),
  };
}

type CommittedPartition = RequestOf<'OffsetCommit'>['topics'][number]['partitions'][number];

function offsetOf(partition: CommittedPartition, retentionTimeMs: number, nowMs: number): OffsetAndMetadata {
  const { committedOffset, committedLeaderEpoch, committedMetadata, commitTimestamp } = partition;
  return {
    offset: committedOffset,
    leaderEpoch: committedLeaderEpoch,
    metadata: committedMetadata ?? '',
    commitTimestamp: commitTimestamp === unset ? nowMs : commitTimestamp,
    expireTimestamp: retentionTimeMs === unset ? undefined : nowMs + retentionTimeMs,
  };
}
