import { Errors, KafkaError } from '@klassic/protocol';
import { batchesOf } from '@klassic/protocol';
import type { BufferSource } from './log-file.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type { LogOffsets } from './log-offsets.ts';
import type { LogSegment, SegmentRead } from './log-segment.ts';
import type { LogSegments } from './log-segments.ts';
import type { AbortedTransaction, FetchDataInfo, FetchIsolation, TimestampAndOffset } from './log-types.ts';
import type { AbortedTxn } from './transaction-index.ts';

const EMPTY = Buffer.alloc(0);

/** Finds and reads batches across the segments of a log. */
export class LogReader {
  private readonly partitionName: string;
  private readonly segments: LogSegments;
  private readonly offsets: () => LogOffsets;

  constructor(partitionName: string, segments: LogSegments, offsets: () => LogOffsets) {
    this.partitionName = partitionName;
    this.segments = segments;
    this.offsets = offsets;
  }

  /** See `Log.read`. */
  read(
    startOffset: number,
    maxLength: number,
    isolation: FetchIsolation,
    minOneMessage: boolean,
    source?: BufferSource,
  ): FetchDataInfo {
    const withAborted = isolation === 'txn_committed';
    let segment = this.segmentOf(startOffset);
    const limit = this.limitOf(isolation);
    if (startOffset === limit.messageOffset) return emptyRead(limit, withAborted);
    if (startOffset > limit.messageOffset) return emptyRead(this.locate(startOffset), withAborted);
    while (segment !== undefined) {
      const maxPosition =
        limit.segmentBaseOffset === segment.baseOffset ? limit.relativePositionInSegment : segment.size;
      const found = segment.read(startOffset, maxLength, maxPosition, minOneMessage, source);
      if (found !== null) {
        const abortedTransactions = withAborted ? this.abortedTransactions(startOffset, segment, found) : null;
        return { ...found, abortedTransactions };
      }
      segment = this.segments.higher(segment.baseOffset);
    }
    // Compaction may have removed everything from the start offset on.
    return emptyRead(this.offsets().logEndOffsetMetadata, withAborted);
  }

  /** The place of an offset. @throws KafkaError OFFSET_OUT_OF_RANGE */
  locate(offset: number): LogOffsetMetadata {
    let segment = this.segmentOf(offset);
    const end = this.offsets().logEndOffsetMetadata;
    if (offset === end.messageOffset) return end;
    while (segment !== undefined) {
      const found = segment.positionOf(offset);
      if (found !== null) return found;
      segment = this.segments.higher(segment.baseOffset);
    }
    return end;
  }

  /** The first record at or after `timestamp` (ms); null when there is none. */
  findByTimestamp(timestamp: number): TimestampAndOffset | null {
    const { logStartOffset } = this.offsets();
    for (const segment of this.segments.toArray()) {
      // An empty segment has no timestamp but its file's, which says nothing of records.
      if (segment.size > 0 && segment.largestTimestamp >= timestamp)
        return findInSegment(segment, timestamp, logStartOffset);
    }
    return null;
  }

  /** Aborted transactions that touch offsets from `startOffset` to below `upperBoundOffset`. */
  collectAbortedTransactions(startOffset: number, upperBoundOffset: number): AbortedTxn[] {
    const collected: AbortedTxn[] = [];
    let segment = this.segments.floor(startOffset);
    while (segment !== undefined) {
      const { txns, isComplete } = segment.txnIndex.collectAbortedTxns(startOffset, upperBoundOffset);
      collected.push(...txns);
      if (isComplete) break;
      segment = this.segments.higher(segment.baseOffset);
    }
    return collected;
  }

  private segmentOf(offset: number): LogSegment | undefined {
    const { logStartOffset, logEndOffset } = this.offsets();
    const segment = this.segments.floor(offset);
    if (offset > logEndOffset || segment === undefined || offset < logStartOffset) {
      throw new KafkaError(
        Errors.OFFSET_OUT_OF_RANGE,
        `Received request for offset ${offset} for partition ${this.partitionName}, but we only have log segments in ` +
          `the range ${logStartOffset} to ${logEndOffset}.`,
      );
    }
    return segment;
  }

  private limitOf(isolation: FetchIsolation): LogOffsetMetadata {
    const offsets = this.offsets();
    switch (isolation) {
      case 'log_end':
        return offsets.logEndOffsetMetadata;
      case 'high_watermark':
        return offsets.highWatermarkMetadata;
      case 'txn_committed':
        return offsets.lastStableOffsetMetadata;
    }
  }

  private abortedTransactions(startOffset: number, segment: LogSegment, found: SegmentRead): AbortedTransaction[] {
    const position = found.fetchOffsetMetadata.relativePositionInSegment;
    const upperBound =
      segment.fetchUpperBoundOffset(position, found.records.length) ??
      this.segments.higher(segment.baseOffset)?.baseOffset ??
      this.offsets().logEndOffset;
    return this.collectAbortedTransactions(startOffset, upperBound).map(({ producerId, firstOffset }) => ({
      producerId,
      firstOffset,
    }));
  }
}

function emptyRead(fetchOffsetMetadata: LogOffsetMetadata, withAborted: boolean): FetchDataInfo {
  return {
    fetchOffsetMetadata,
    records: EMPTY,
    firstEntryIncomplete: false,
    abortedTransactions: withAborted ? [] : null,
  };
}

function findInSegment(segment: LogSegment, timestamp: number, startOffset: number): TimestampAndOffset | null {
  const indexed = segment.timeIndex.lookup(timestamp);
  const { position } = segment.offsetIndex.lookup(Math.max(indexed.offset, startOffset));
  for (const chunk of segment.log.chunks(position)) {
    for (const batch of batchesOf(chunk.bytes)) {
      if (batch.maxTimestamp < timestamp) continue;
      for (const record of batch.records()) {
        if (record.timestamp < timestamp || record.offset < startOffset) continue;
        const epoch = batch.partitionLeaderEpoch;
        return { timestamp: record.timestamp, offset: record.offset, leaderEpoch: epoch >= 0 ? epoch : null };
      }
    }
  }
  return null;
}
