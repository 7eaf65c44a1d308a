import type { Time } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';
import type { GroupCoordinator } from '../group/index.ts';
import type { MetadataCache } from '../metadata/index.ts';
import type { ApiHandler } from './api-handler.ts';
import { committedTopics, partitionsToCommit } from './committed-partitions.ts';

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
      const { offsets, results } = partitionsToCommit(body.topics, metadataCache, (partition) => ({
        offset: partition.committedOffset,
        leaderEpoch: partition.committedLeaderEpoch,
        metadata: partition.committedMetadata ?? '',
        commitTimestamp,
        expireTimestamp: undefined,
      }));
      if (offsets.size > 0) {
        const committed = await coordinator.handleTxnCommitOffsets(body.groupId, body, body, offsets);
        for (const [key, error] of committed) results.set(key, error);
      }
      return { topics: committedTopics(body.topics, (key) => errorFor(apiVersion, results.get(key)!)) };
    },
    failure: ({ body }, error) => ({ topics: committedTopics(body.topics, () => error) }),
  };
}

function errorFor(apiVersion: number, error: ErrorEntry): ErrorEntry {
  const isTooNew = apiVersion < loadInProgressVersion && error === Errors.COORDINATOR_LOAD_IN_PROGRESS;
  return isTooNew ? Errors.COORDINATOR_NOT_AVAILABLE : error;
}
