import type { RecordHeader } from '@klassic/protocol';

/** Where a record went. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 with acks=0, and where the broker recognised a batch it had already and no longer knows its place. */
  readonly offset: number;
  /** Milliseconds since 1970: the record's own time, or the broker's under LogAppendTime. */
  readonly timestamp: number;
}

export interface PendingRecord {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  readonly resolve: (metadata: RecordMetadata) => void;
  readonly reject: (error: Error) => void;
}

/** Bytes of a v2 batch before its first record. */
const BATCH_OVERHEAD = 61;
/** At most: length, attributes, two deltas, and the lengths of key, value and headers as varints. */
const RECORD_OVERHEAD = 21;

/** An upper bound of the bytes a record takes in a batch by itself, uncompressed. */
export function estimatedSize(record: Pick<PendingRecord, 'key' | 'value' | 'headers'>): number {
  let size = RECORD_OVERHEAD + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const { key, value } of record.headers) size += 10 + Buffer.byteLength(key) + (value?.length ?? 0);
  return size;
}

/** Records for one partition that go out, succeed or fail together. */
export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly createdHiResMs: number;
  readonly records: PendingRecord[] = [];
  /** Estimated, uncompressed. */
  sizeInBytes = BATCH_OVERHEAD;
  /** No more records are taken. */
  isClosed = false;
  attempts = 0;
  /** Not to be sent before (`Time.hiResMs`). */
  retryAtHiResMs = 0;
  /** -1 until it is first sent by an idempotent producer. */
  baseSequence = -1;

  constructor(topic: string, partition: number, createdHiResMs: number) {
    this.topic = topic;
    this.partition = partition;
    this.createdHiResMs = createdHiResMs;
  }

  add(record: PendingRecord, size: number): void {
    this.records.push(record);
    this.sizeInBytes += size;
  }

  /** @param logAppendTimeMs -1 under CreateTime */
  complete(baseOffset: number, logAppendTimeMs: number): void {
    const { topic, partition } = this;
    this.records.forEach((record, index) => {
      record.resolve({
        topic,
        partition,
        offset: baseOffset < 0 ? -1 : baseOffset + index,
        timestamp: logAppendTimeMs < 0 ? record.timestamp : logAppendTimeMs,
      });
    });
  }

  fail(error: Error): void {
    for (const record of this.records) record.reject(error);
  }

  /** Two halves with consecutive sequences, for a broker that finds the whole too large. */
  split(): [ProducerBatch, ProducerBatch] {
    const middle = this.records.length >> 1;
    const halves = [this.records.slice(0, middle), this.records.slice(middle)].map((records, index) => {
      const half = new ProducerBatch(this.topic, this.partition, this.createdHiResMs);
      for (const record of records) half.add(record, estimatedSize(record));
      half.isClosed = true;
      half.attempts = this.attempts;
      if (this.baseSequence >= 0) half.baseSequence = this.baseSequence + index * middle;
      return half;
    });
    return [halves[0]!, halves[1]!];
  }
}
