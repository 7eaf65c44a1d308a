import type { Logger } from '@klassic/common';
import type { ResponseOf } from '@klassic/protocol';
import type { OffsetTruncationState, PartitionFetchState } from './fetch-state.ts';
import type { Partition } from './partition.ts';

/** What a leader answers to a follower's fetch of one partition. */
export type FetchedPartition = ResponseOf<'Fetch'>['responses'][number]['partitionResponses'][number];

/**
 * Appends what the leader sent and takes over its high watermark and log start offset.
 *
 * @returns the state after it
 * @throws whatever the log throws, and Error when the log is not where the fetch began
 */
export function appendFetched(
  partition: Partition,
  state: PartitionFetchState,
  fetched: FetchedPartition,
): PartitionFetchState {
  const log = partition.localLogOrException();
  if (state.fetchOffset !== log.logEndOffset) {
    throw new Error(
      `Offset mismatch for partition ${partition.key}: fetched offset = ${state.fetchOffset}, ` +
        `log end offset = ${log.logEndOffset}.`,
    );
  }
  const records = fetched.recordSet;
  const info = records !== null && records.length > 0 ? partition.appendRecordsToFollower(records) : undefined;
  partition.updateFollowerHighWatermark(fetched.highWatermark);
  log.maybeIncrementLogStartOffset(fetched.logStartOffset, 'leader offset increment');
  const fetchOffset = info === undefined || info.validBytes === 0 ? state.fetchOffset : info.lastOffset + 1;
  return { ...state, fetchOffset, lag: Math.max(0, fetched.highWatermark - fetchOffset) };
}

/** Truncates the log to where it agrees with the leader's. Returns the state after it: fetching, or asking once more. */
export function truncateFollower(
  partition: Partition,
  state: PartitionFetchState,
  { offset, truncationCompleted }: OffsetTruncationState,
  logger: Logger,
): PartitionFetchState {
  const { highWatermark } = partition.localLogOrException();
  partition.truncateTo(offset);
  if (offset < highWatermark) {
    logger.warn(`Truncating ${partition.key} to offset ${offset} below high watermark ${highWatermark}`);
  }
  return { ...state, fetchOffset: offset, state: truncationCompleted ? 'Fetching' : 'Truncating' };
}

/**
 * Goes on where the leader's log has something to fetch, after an OFFSET_OUT_OF_RANGE.
 *
 * @param leaderStart undefined when the leader's log ends before the local one
 */
export function resetFetchOffset(
  partition: Partition,
  state: PartitionFetchState,
  leaderEnd: number,
  leaderStart: number | undefined,
  logger: Logger,
): PartitionFetchState {
  const replicaEnd = partition.localLogOrException().logEndOffset;
  const reset = `Reset fetch offset for partition ${partition.key} from ${replicaEnd} to current leader's`;
  let fetchOffset = leaderEnd;
  if (leaderStart === undefined) {
    logger.warn(`${reset} latest offset ${leaderEnd}`);
    partition.truncateTo(leaderEnd);
  } else {
    logger.warn(`${reset} start offset ${leaderStart}`);
    if (leaderStart > replicaEnd) partition.truncateFullyAndStartAt(leaderStart);
    fetchOffset = Math.max(leaderStart, replicaEnd);
  }
  logger.info(
    `Current offset ${state.fetchOffset} for partition ${partition.key} is out of range, which typically implies a ` +
      `leader change. Reset fetch offset to ${fetchOffset}`,
  );
  return { ...state, fetchOffset, lag: leaderEnd - fetchOffset };
}
