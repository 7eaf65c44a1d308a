import type { BufferSource, FetchDataInfo, FetchIsolation, Log, TimestampAndOffset } from '@klassic/log';
import { legacyOffsetsBefore, offsetOnly, recordMagicOf } from '@klassic/log';
import { Errors, KafkaError } from '@klassic/protocol';
import { emptyRecords } from './messages.ts';
import type { FetchRequestPartition } from './messages.ts';
import type { Partition } from './partition.ts';

const latestTimestamp = -1;
const earliestTimestamp = -2;
const unknown = -1;

/** What a read of one partition found, with the log's offsets at that moment. Counterpart of `kafka.server.LogReadInfo`. */
export interface LogReadInfo {
  readonly fetched: FetchDataInfo;
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly lastStableOffset: number;
}

/**
 * Reads from the local log after the epoch checks. A fetcher that tells the epoch of its last record and has parted
 * from this log gets no records but the place where it did (KIP-595).
 *
 * @throws KafkaError FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER, OFFSET_OUT_OF_RANGE
 */
export function readRecords(
  partition: Partition,
  request: FetchRequestPartition,
  maxBytes: number,
  isolation: FetchIsolation,
  requireLeader: boolean,
  minOneMessage: boolean,
  buffers?: BufferSource,
): LogReadInfo {
  const log = partition.localLogWithEpochOrException(request.currentLeaderEpoch, requireLeader);
  const { highWatermark, logStartOffset, logEndOffset, lastStableOffset } = log;
  const offsets = { highWatermark, logStartOffset, logEndOffset, lastStableOffset };
  const divergingEpoch = divergence(partition, request);
  if (divergingEpoch !== null) return { fetched: nothingAt(request.fetchOffset), divergingEpoch, ...offsets };
  const fetched = log.read(request.fetchOffset, maxBytes, isolation, minOneMessage, buffers);
  return { fetched, divergingEpoch: null, ...offsets };
}

/** Where the fetcher's log parts from the local one; null when it does not, or does not tell. */
export function divergence(
  partition: Partition,
  request: FetchRequestPartition,
): { epoch: number; endOffset: number } | null {
  const fetchEpoch = request.lastFetchedEpoch ?? unknown;
  if (fetchEpoch < 0) return null;
  const end = lastOffsetForLeaderEpoch(partition, request.currentLeaderEpoch, fetchEpoch, false);
  if (end.errorCode !== Errors.NONE.code) {
    throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, `No end offset of epoch ${fetchEpoch} in ${partition.key}`);
  }
  const { logStartOffset } = partition.localLogOrException();
  if (end.endOffset === unknown || end.leaderEpoch === unknown || request.fetchOffset < logStartOffset) {
    throw new KafkaError(
      Errors.OFFSET_OUT_OF_RANGE,
      `Could not determine the end offset of the last fetched epoch ${fetchEpoch} from the request`,
    );
  }
  const parted = end.leaderEpoch < fetchEpoch || end.endOffset < request.fetchOffset;
  return parted ? { epoch: end.leaderEpoch, endOffset: end.endOffset } : null;
}

function nothingAt(offset: number): FetchDataInfo {
  return {
    fetchOffsetMetadata: offsetOnly(offset),
    records: emptyRecords,
    firstEntryIncomplete: false,
    abortedTransactions: null,
  };
}

/** End of a leader epoch in the local log. */
export interface EpochEndOffset {
  readonly errorCode: number;
  /** The largest epoch not above the one asked for; -1 when unknown. */
  readonly leaderEpoch: number;
  /** Where the next epoch starts, exclusive end of this one; -1 when unknown. */
  readonly endOffset: number;
}

/** Answers OffsetForLeaderEpoch for one partition (KIP-101, KIP-279). */
export function lastOffsetForLeaderEpoch(
  partition: Partition,
  currentLeaderEpoch: number,
  leaderEpoch: number,
  requireLeader: boolean,
): EpochEndOffset {
  const log = partition.getLocalLog(currentLeaderEpoch, requireLeader);
  if ('code' in log) return { errorCode: log.code, leaderEpoch: unknown, endOffset: unknown };
  const end = log.endOffsetForEpoch(leaderEpoch);
  return {
    errorCode: Errors.NONE.code,
    leaderEpoch: end?.leaderEpoch ?? unknown,
    endOffset: end?.offset ?? unknown,
  };
}

/**
 * Answers ListOffsets for one partition. A consumer sees nothing past the high watermark (or the last stable offset);
 * a leader whose high watermark has not yet reached the start of its epoch cannot know the latest offset (KIP-207).
 *
 * @param timestamp ms, or -1 for the latest and -2 for the earliest offset
 * @param isolation undefined for a follower, which sees the log's end
 * @returns null when no record is as young as `timestamp`
 * @throws KafkaError the epoch errors, NOT_LEADER_OR_FOLLOWER, OFFSET_NOT_AVAILABLE, and
 *   UNSUPPORTED_FOR_MESSAGE_FORMAT for a time in a log whose records bear none
 */
export function fetchOffsetForTimestamp(
  partition: Partition,
  timestamp: number,
  isolation: 'read_uncommitted' | 'read_committed' | undefined,
  currentLeaderEpoch: number,
  requireLeader: boolean,
): TimestampAndOffset | null {
  const log = partition.localLogWithEpochOrException(currentLeaderEpoch, requireLeader);
  if (timestamp !== earliestTimestamp && timestamp !== latestTimestamp) checkHasTimestamps(log);
  if (timestamp === earliestTimestamp) return log.fetchOffsetByTimestamp(timestamp);
  const consumerEnd = isolation === 'read_committed' ? log.lastStableOffset : log.highWatermark;
  const lastFetchableOffset = isolation === undefined ? log.logEndOffset : consumerEnd;
  const epochStart = partition.leaderEpochStartOffset;
  const tooEarly = isolation !== undefined && epochStart !== undefined && epochStart > log.highWatermark;
  if (timestamp !== latestTimestamp) {
    const found = log.fetchOffsetByTimestamp(timestamp);
    if (found !== null && found.offset < lastFetchableOffset) return found;
  }
  if (tooEarly) {
    throw new KafkaError(
      Errors.OFFSET_NOT_AVAILABLE,
      `Failed to fetch offsets for partition ${partition.key} with leader epoch ${partition.leaderEpoch} as this ` +
        `partition's high watermark (${log.highWatermark}) is lagging behind the start offset from the beginning of ` +
        `this epoch (${epochStart}).`,
    );
  }
  if (timestamp !== latestTimestamp) return null;
  return { timestamp: unknown, offset: lastFetchableOffset, leaderEpoch: partition.leaderEpoch };
}

function checkHasTimestamps(log: Log): void {
  const { messageFormatVersion } = log.config;
  if (recordMagicOf(messageFormatVersion) > 0) return;
  throw new KafkaError(
    Errors.UNSUPPORTED_FOR_MESSAGE_FORMAT,
    `Cannot search offsets based on timestamp because message format version for partition is ${messageFormatVersion} ` +
      `which is earlier than the minimum required version 0.10.0-IV0`,
  );
}

/**
 * Answers ListOffsets version 0 for one partition: segment boundaries, newest first; for a consumer none past the high
 * watermark, which stands in for those.
 *
 * @throws KafkaError NOT_LEADER_OR_FOLLOWER
 */
export function legacyFetchOffsetsForTimestamp(
  partition: Partition,
  timestamp: number,
  maxNumOffsets: number,
  isFromConsumer: boolean,
  requireLeader: boolean,
): number[] {
  const log = partition.localLogWithEpochOrException(unknown, requireLeader);
  const offsets = legacyOffsetsBefore(log, timestamp, maxNumOffsets);
  const { highWatermark } = log;
  if (!isFromConsumer || !offsets.some((offset) => offset > highWatermark)) return offsets;
  return [highWatermark, ...offsets.filter((offset) => offset <= highWatermark)].slice(0, maxNumOffsets);
}
