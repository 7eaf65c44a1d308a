import { topicPartitionKey } from '@klassic/common';
import type { Logger, Time, TopicPartition } from '@klassic/common';
import {
  batchAt,
  batchesOf,
  batchSizeAt,
  Errors,
  KafkaError,
  validateMessagesAndAssignOffsets,
} from '@klassic/protocol';
import type { RecordBatch } from '@klassic/protocol';
import type { LeaderEpochFileCache } from './leader-epoch-file-cache.ts';
import { recordMagicOf } from './log-config.ts';
import type { LogConfig } from './log-config.ts';
import type { LogOffsets } from './log-offsets.ts';
import type { LogOffsetMetadata } from './log-offset-metadata.ts';
import type { LogSegment } from './log-segment.ts';
import type { AppendOrigin, LogAppendInfo } from './log-types.ts';
import type { CompletedTxn, ProducerAppendInfo } from './producer-append-info.ts';
import type { BatchMetadata } from './producer-state-entry.ts';
import { firstOffset } from './producer-state-entry.ts';
import type { ProducerStateManager } from './producer-state-manager.ts';
import { analyzeRecords } from './record-analysis.ts';
import type { RecordAnalysis } from './record-analysis.ts';

const MAX_RELATIVE_OFFSET = 0x7fffffff;

/** A follower was sent batches that lie before its end (`UnexpectedAppendOffsetException`): the caller may truncate and try again. */
export class UnexpectedAppendOffsetError extends Error {
  override readonly name = 'UnexpectedAppendOffsetError';
  readonly firstOffset: number;
  readonly lastOffset: number;

  constructor(message: string, firstOffset: number, lastOffset: number) {
    super(message);
    this.firstOffset = firstOffset;
    this.lastOffset = lastOffset;
  }
}

/** What an append needs of its log. */
export interface AppendTarget {
  readonly topicPartition: TopicPartition;
  readonly config: LogConfig;
  readonly time: Time;
  readonly logger: Logger;
  readonly offsets: LogOffsets;
  readonly producerStateManager: ProducerStateManager;
  readonly leaderEpochCache: LeaderEpochFileCache | null;
  readonly activeSegment: LogSegment;
  maxSegmentMs(): number;
  roll(expectedNextOffset: number): LogSegment;
}

interface ProducerChanges {
  readonly updated: Map<number, ProducerAppendInfo>;
  readonly completedTxns: CompletedTxn[];
  readonly duplicate: BatchMetadata | undefined;
}

/** Puts record sets at the end of a log: checks, offsets, epochs, producers, one write. Counterpart of `Log.append`. */
export class LogAppender {
  private readonly target: AppendTarget;
  private readonly partitionName: string;

  constructor(target: AppendTarget) {
    this.target = target;
    const { topic, partition } = target.topicPartition;
    this.partitionName = topicPartitionKey(topic, partition);
  }

  /**
   * Appends what a producer or a coordinator sent: offsets and leader epoch are stamped into `records` in place.
   *
   * @throws KafkaError, RecordsError
   */
  asLeader(records: Buffer, leaderEpoch: number, origin: AppendOrigin): LogAppendInfo {
    const all = batches(records);
    const analysis = this.analyze(all, origin, false);
    const { info } = analysis;
    if (info.shallowCount === 0) return info;
    const trimmed = trim(records, info);
    const valid = this.assignOffsets(trimmed, analysis, leaderEpoch, origin);
    // Batches are views: stamped in place, they show what was stamped.
    return this.append(valid, valid === trimmed ? all : batches(valid), info, origin);
  }

  /**
   * Appends what the leader sent, as it is.
   *
   * @throws KafkaError, UnexpectedAppendOffsetError
   */
  asFollower(records: Buffer): LogAppendInfo {
    const all = batches(records);
    const { info } = this.analyze(all, 'Replication', true);
    if (info.shallowCount === 0) return info;
    this.checkOffsets(all, info);
    return this.append(trim(records, info), all, info, 'Replication');
  }

  private analyze(all: readonly RecordBatch[], origin: AppendOrigin, ignoreRecordSize: boolean): RecordAnalysis {
    const { config, offsets } = this.target;
    const { logStartOffset } = offsets;
    return analyzeRecords(all, { partitionName: this.partitionName, origin, config, logStartOffset, ignoreRecordSize });
  }

  private assignOffsets(records: Buffer, analysis: RecordAnalysis, leaderEpoch: number, origin: AppendOrigin): Buffer {
    const { config, offsets, time } = this.target;
    const { info } = analysis;
    const startOffset = offsets.logEndOffset;
    const now = time.milliseconds();
    const result = validateMessagesAndAssignOffsets(records, {
      topicPartition: this.partitionName,
      startOffset,
      now,
      sourceCodec: analysis.sourceCodec,
      targetCodec: analysis.targetCodec,
      compactedTopic: config.cleanupPolicy.includes('compact'),
      targetMagic: recordMagicOf(config.messageFormatVersion),
      timestampType: config.messageTimestampType,
      timestampDiffMaxMs: config.messageTimestampDifferenceMaxMs,
      partitionLeaderEpoch: leaderEpoch,
      origin,
    });
    info.firstOffset = { messageOffset: startOffset, segmentBaseOffset: -1, relativePositionInSegment: -1 };
    info.lastOffset = result.nextOffset - 1;
    info.maxTimestamp = result.maxTimestamp;
    info.offsetOfMaxTimestamp = result.offsetOfMaxTimestamp;
    if (config.messageTimestampType === 'LogAppendTime') info.logAppendTime = now;
    if (result.messageSizeMaybeChanged) this.checkSizes(result.records);
    return result.records;
  }

  private checkSizes(records: Buffer): void {
    const { maxMessageBytes } = this.target.config;
    for (const batch of batchesOf(records)) {
      if (batch.sizeInBytes <= maxMessageBytes) continue;
      throw new KafkaError(
        Errors.MESSAGE_TOO_LARGE,
        `Message batch size is ${batch.sizeInBytes} bytes in append to partition ${this.partitionName} which exceeds ` +
          `the maximum configured size of ${maxMessageBytes}.`,
      );
    }
  }

  private checkOffsets(all: readonly RecordBatch[], info: LogAppendInfo): void {
    const { logEndOffset, logStartOffset } = this.target.offsets;
    if (!info.offsetsMonotonic) {
      throw new KafkaError(
        Errors.UNKNOWN_SERVER_ERROR,
        `Out of order offsets found in append to ${this.partitionName}`,
      );
    }
    const first = info.firstOffset?.messageOffset ?? info.lastOffsetOfFirstBatch;
    if (first >= logEndOffset) return;
    const which = info.firstOffset === null ? 'Last offset of the first batch' : 'First offset';
    throw new UnexpectedAppendOffsetError(
      `Unexpected offset in append to ${this.partitionName}. ${which} ${first} is less than the next offset ` +
        `${logEndOffset}. Last offset in append: ${info.lastOffset}. Log start offset = ${logStartOffset}`,
      info.firstOffset?.messageOffset ?? all[0]!.baseOffset,
      info.lastOffset,
    );
  }

  private append(
    records: Buffer,
    all: readonly RecordBatch[],
    info: LogAppendInfo,
    origin: AppendOrigin,
  ): LogAppendInfo {
    const { offsets, producerStateManager } = this.target;
    this.noteEpochs(all);
    this.checkSegmentSize(records);
    const segment = this.maybeRoll(records.length, info);
    const place: LogOffsetMetadata = {
      messageOffset: info.firstOffset?.messageOffset ?? info.lastOffsetOfFirstBatch,
      segmentBaseOffset: segment.baseOffset,
      relativePositionInSegment: segment.size,
    };
    const changes = this.checkProducers(all, place, origin);
    if (changes?.duplicate !== undefined) return this.asDuplicate(info, changes.duplicate);
    if (info.firstOffset !== null) info.firstOffset = place;
    segment.append(info.lastOffset, info.maxTimestamp, info.offsetOfMaxTimestamp, records);
    const nextOffset = info.lastOffset + 1;
    offsets.updateLogEndOffset({
      messageOffset: nextOffset,
      segmentBaseOffset: segment.baseOffset,
      relativePositionInSegment: segment.size,
    });
    if (changes !== undefined) this.applyProducerChanges(changes, segment);
    producerStateManager.updateMapEndOffset(nextOffset);
    if (changes !== undefined) offsets.refreshFirstUnstableOffset();
    return info;
  }

  private noteEpochs(all: readonly RecordBatch[]): void {
    const { leaderEpochCache, logger, offsets } = this.target;
    if (leaderEpochCache === null) return;
    const isLogEmpty = offsets.logStartOffset === offsets.logEndOffset;
    for (const batch of all) {
      if (batch.magic >= 2) {
        if (batch.partitionLeaderEpoch >= 0) {
          leaderEpochCache.assign(batch.partitionLeaderEpoch, batch.baseOffset, isLogEmpty);
        }
      } else if (leaderEpochCache.latestEpoch !== null) {
        // Old batches bear no epoch: truncation has to go by the high watermark again.
        logger.warn(`Clearing leader epoch cache after unexpected append with message format v${batch.magic}`);
        leaderEpochCache.clearAndFlush();
      }
    }
  }

  private checkSegmentSize(records: Buffer): void {
    const { segmentBytes } = this.target.config;
    if (records.length <= segmentBytes) return;
    throw new KafkaError(
      Errors.RECORD_LIST_TOO_LARGE,
      `Message batch size is ${records.length} bytes in append to partition ${this.partitionName}, which exceeds the ` +
        `maximum configured segment size of ${segmentBytes}.`,
    );
  }

  private maybeRoll(messagesSize: number, info: LogAppendInfo): LogSegment {
    const { activeSegment, config, time } = this.target;
    const shouldRoll = activeSegment.shouldRoll({
      maxSegmentMs: this.target.maxSegmentMs(),
      maxSegmentBytes: config.segmentBytes,
      maxTimestampInMessages: info.maxTimestamp,
      maxOffsetInMessages: info.lastOffset,
      messagesSize,
      nowMs: time.milliseconds(),
    });
    if (!shouldRoll) return activeSegment;
    // Where the first offset is unknown, the lowest base from which the last one can still be told is taken.
    return this.target.roll(info.firstOffset?.messageOffset ?? info.lastOffset - MAX_RELATIVE_OFFSET);
  }

  /** Undefined when no batch has a producer id. */
  private checkProducers(
    all: readonly RecordBatch[],
    place: LogOffsetMetadata,
    origin: AppendOrigin,
  ): ProducerChanges | undefined {
    const { producerStateManager } = this.target;
    let changes: ProducerChanges | undefined;
    let { relativePositionInSegment } = place;
    for (const batch of all) {
      if (batch.hasProducerId) {
        const duplicate =
          origin === 'Client' ? producerStateManager.lastEntry(batch.producerId)?.findDuplicateBatch(batch) : undefined;
        changes ??= { updated: new Map(), completedTxns: [], duplicate };
        if (duplicate !== undefined) return { ...changes, duplicate };
        const begins = { ...place, messageOffset: batch.baseOffset, relativePositionInSegment };
        const completed = this.producerOf(batch, changes, origin).append(batch, batch.isTransactional ? begins : null);
        if (completed !== null) changes.completedTxns.push(completed);
      }
      relativePositionInSegment += batch.sizeInBytes;
    }
    return changes;
  }

  private producerOf(batch: RecordBatch, changes: ProducerChanges, origin: AppendOrigin): ProducerAppendInfo {
    const known = changes.updated.get(batch.producerId);
    if (known !== undefined) return known;
    const appendInfo = this.target.producerStateManager.prepareUpdate(batch.producerId, origin);
    changes.updated.set(batch.producerId, appendInfo);
    return appendInfo;
  }

  private applyProducerChanges(changes: ProducerChanges, segment: LogSegment): void {
    const { producerStateManager } = this.target;
    for (const appendInfo of changes.updated.values()) producerStateManager.update(appendInfo);
    for (const completed of changes.completedTxns) {
      segment.updateTxnIndex(completed, producerStateManager.lastStableOffset(completed));
      producerStateManager.completeTxn(completed);
    }
  }

  private asDuplicate(info: LogAppendInfo, duplicate: BatchMetadata): LogAppendInfo {
    const messageOffset = firstOffset(duplicate);
    info.firstOffset = { messageOffset, segmentBaseOffset: -1, relativePositionInSegment: -1 };
    info.lastOffset = duplicate.lastOffset;
    info.logAppendTime = duplicate.timestamp;
    info.logStartOffset = this.target.offsets.logStartOffset;
    info.duplicate = true;
    return info;
  }
}

/** As `batchesOf`, without a generator: this is done for every append. */
function batches(records: Buffer): RecordBatch[] {
  const found: RecordBatch[] = [];
  for (let position = 0; ;) {
    const size = batchSizeAt(records, position);
    if (size === undefined || size > records.length - position) return found;
    found.push(batchAt(records, position));
    position += size;
  }
}

/** Cuts off an incomplete batch at the end. */
function trim(records: Buffer, info: LogAppendInfo): Buffer {
  return info.validBytes === records.length ? records : records.subarray(0, info.validBytes);
}
