import type { AbortedTransaction, AppendOrigin, BufferSource, FetchIsolation } from '@klassic/log';

export type { FetchIsolation } from '@klassic/log';

/** Answer to one partition of a Produce request (`ProduceResponse.PartitionResponse`). */
export interface PartitionResponse {
  errorCode: number;
  /** Offset of the first record; -1 when nothing was appended. */
  readonly baseOffset: number;
  /** ms when the topic stamps with LogAppendTime, else -1. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  readonly recordErrors: readonly { batchIndex: number; batchIndexErrorMessage: string | null }[];
  readonly errorMessage: string | null;
}

/** Records for one partition. */
export interface AppendEntry {
  readonly topic: string;
  readonly partition: number;
  readonly records: Buffer;
}

export interface AppendRecordsOptions {
  /** How long acks=all may take, ms (`request.timeout.ms` of the producer). */
  readonly timeoutMs: number;
  /** 0 and 1: answer when the leader has written; -1: when the ISR has. Anything else is INVALID_REQUIRED_ACKS. */
  readonly requiredAcks: number;
  /** Whether `__consumer_offsets` and `__transaction_state` may be written to: for the coordinators only. */
  readonly internalTopicsAllowed: boolean;
  readonly origin: AppendOrigin;
  /** By `topicPartitionKey`. */
  readonly entries: ReadonlyMap<string, AppendEntry>;
}

/** What a fetch asks of one partition. */
export interface FetchRequestPartition {
  readonly topic: string;
  readonly partition: number;
  readonly fetchOffset: number;
  /** A follower's own log start offset; -1 from a consumer. */
  readonly logStartOffset: number;
  readonly maxBytes: number;
  /** -1 when the fetcher does not know it. */
  readonly currentLeaderEpoch: number;
  /** Epoch of the last record the fetcher has, from Fetch version 12 on; -1 when it does not tell (KIP-595). */
  readonly lastFetchedEpoch?: number;
}

/** The client's side of a fetch, for the choice of a preferred read replica (KIP-392). */
export interface ClientMetadata {
  readonly rackId: string;
  readonly clientId: string;
  readonly listenerName: string;
}

export interface FetchMessagesOptions {
  /** Broker id of a follower; -1 for a consumer. */
  readonly replicaId: number;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** Bytes of all partitions together; the first batch is returned even when it is larger. */
  readonly maxBytes: number;
  /** True before Fetch version 3: `maxBytes` counts for the first batch too. */
  readonly hardMaxBytesLimit: boolean;
  readonly isolation: 'read_uncommitted' | 'read_committed';
  readonly clientMetadata?: ClientMetadata;
  /** Gives the buffers that records are read into; default: new ones. */
  readonly buffers?: BufferSource;
  readonly partitions: readonly FetchRequestPartition[];
}

/** What a fetch brought from one partition. Counterpart of `kafka.server.FetchPartitionData`. */
export interface FetchPartitionData {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1 with an error. */
  readonly highWatermark: number;
  /** -1 with an error. */
  readonly lastStableOffset: number;
  /** -1 with an error. */
  readonly logStartOffset: number;
  /** Null unless the fetch is read_committed. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
  /** Where the fetcher's log parts from the leader's; set only when `lastFetchedEpoch` was told and diverges. */
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number } | null;
  /** Broker id of a nearer replica; -1 when there is none. */
  readonly preferredReadReplica: number;
  readonly records: Buffer;
}

/** How far a fetcher sees: followers to the end, consumers to the high watermark or the last stable offset. */
export function fetchIsolationOf(replicaId: number, isolation: FetchMessagesOptions['isolation']): FetchIsolation {
  if (replicaId >= 0) return 'log_end';
  return isolation === 'read_committed' ? 'txn_committed' : 'high_watermark';
}

export const emptyRecords: Buffer = Buffer.alloc(0);
