/** The codecs of Kafka 2.8 by the names of `compression.type`. */
export type CompressionType = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Who sets the timestamp: the producer, or the broker on append (`message.timestamp.type`). */
export type TimestampType = 'CreateTime' | 'LogAppendTime';

/** What a batch says about its timestamps: magic 0 has none. */
export type BatchTimestampType = TimestampType | 'NoTimestampType';

/** The three message formats: 0 (before 0.10), 1 (0.10: timestamps, relative offsets), 2 (0.11: batches, KIP-98). */
export type Magic = 0 | 1 | 2;

/** Where an append comes from; it decides how much is checked (kafka.log.AppendOrigin). */
export type AppendOrigin = 'Client' | 'Coordinator' | 'Replication' | 'RaftLeader';

/** A record header: names may repeat, order is kept. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** One record as a reader gets it. Key, value and header values are slices of the batch's bytes. */
export interface KafkaRecord {
  readonly offset: number;
  /** Milliseconds since 1970; -1 for none. Under LogAppendTime the time of the append. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** The producer's sequence of this record, -1 where the batch has none. */
  readonly sequence: number;
}

/** A record to be written. */
export interface SimpleRecord {
  /** Milliseconds since 1970; -1 for none. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly RecordHeader[];
}

export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
export const NO_PARTITION_LEADER_EPOCH = -1;
