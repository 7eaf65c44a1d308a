import type { LogOffsetMetadata } from './log-offset-metadata.ts';

/** How far a read may see (`kafka.server.FetchIsolation`): a follower, a consumer, a consumer with read_committed. */
export type FetchIsolation = 'log_end' | 'high_watermark' | 'txn_committed';

/** Who appends: a producer, a coordinator writing its own topic, or a follower copying its leader. */
export type AppendOrigin = 'Client' | 'Coordinator' | 'Replication';

/** Why a log start offset moves up (`kafka.log.LogStartOffsetIncrementReason`). */
export type LogStartOffsetIncrementReason =
  'client delete records request' | 'leader offset increment' | 'segment deletion' | 'snapshot generated';

/** What an append made of a record set. Counterpart of `kafka.log.LogAppendInfo`. */
export interface LogAppendInfo {
  /** Where the first batch begins; null when nothing was appended, or for a follower's magic 0/1 compressed set. */
  firstOffset: LogOffsetMetadata | null;
  /** Last offset of the set, inclusive; -1 when empty. */
  lastOffset: number;
  /** Partition leader epoch of the last batch; null when there is none. */
  lastLeaderEpoch: number | null;
  /** Greatest timestamp, ms; -1 when there is none. */
  maxTimestamp: number;
  offsetOfMaxTimestamp: number;
  /** ms when the topic stamps with LogAppendTime, else -1. */
  logAppendTime: number;
  logStartOffset: number;
  /** Number of batches. */
  shallowCount: number;
  /** Bytes of whole, valid batches. */
  validBytes: number;
  offsetsMonotonic: boolean;
  /** Last offset of the first batch, inclusive; -1 when empty. */
  lastOffsetOfFirstBatch: number;
  /** True when the batches were appended before by the same producer id: nothing was written. */
  duplicate: boolean;
  recordErrors: readonly { batchIndex: number; message: string }[];
  errorMessage: string | null;
}

/** A transaction that ended in an abort, as a fetch reports it. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

/** What a read found. Counterpart of `kafka.server.FetchDataInfo`. */
export interface FetchDataInfo {
  readonly fetchOffsetMetadata: LogOffsetMetadata;
  /** Bytes from the batch that holds the fetch offset on; the last batch may be cut off by the length limit, as in Kafka. */
  readonly records: Buffer;
  /** Whether not even the first batch fitted in the limit. */
  readonly firstEntryIncomplete: boolean;
  /** Set for `txn_committed` only. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
}

/** The four offsets of a log at one moment. */
export interface LogOffsetSnapshot {
  readonly logStartOffset: number;
  readonly logEndOffset: LogOffsetMetadata;
  readonly highWatermark: LogOffsetMetadata;
  readonly lastStableOffset: LogOffsetMetadata;
}

/** A record found by time, for ListOffsets. */
export interface TimestampAndOffset {
  /** ms; -1 where the question was for the earliest or latest offset. */
  readonly timestamp: number;
  readonly offset: number;
  /** Leader epoch of the batch; null when unknown. */
  readonly leaderEpoch: number | null;
}

/** What a producer id has done lately in this partition (`DescribeProducers`). */
export interface ActiveProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  /** First offset of the open transaction; -1 when there is none. */
  readonly currentTxnStartOffset: number;
}
