import { emptyBatch, MemoryRecordsBuilder, NO_TIMESTAMP } from '@klassic/protocol';
import type { KafkaRecord, RecordBatch } from '@klassic/protocol';

const FIRST_MAGIC_WITH_BATCHES = 2;

/** What becomes of a batch: gone unread, kept even without records, or gone when no record is left. */
export type BatchRetention = 'delete' | 'retain_empty' | 'delete_empty';

/** Which batches and records stay. Counterpart of `MemoryRecords.RecordFilter`. */
export interface RecordFilter {
  /** Asked once for each batch, before its records. */
  retentionOf(batch: RecordBatch): BatchRetention;
  retains(batch: RecordBatch, record: KafkaRecord): boolean;
}

/** What a filter left of a batch. */
export interface FilteredBatch {
  /** Null when nothing is left. */
  readonly bytes: Buffer | null;
  readonly messagesRead: number;
  readonly messagesRetained: number;
  /** Of what is left, inclusive; -1 for nothing. */
  readonly maxOffset: number;
  /** ms; -1 for none. */
  readonly maxTimestamp: number;
  readonly offsetOfMaxTimestamp: number;
}

/**
 * Applies a filter to one batch. A batch that keeps all its records stays byte for byte what it was; another is built
 * anew with its base offset, last offset, producer and sequence, so that the sequence of its producer goes on
 * (KIP-98). Counterpart of `MemoryRecords.filterTo`.
 *
 * @throws RecordsError when the batch cannot be read
 */
export function filterBatch(batch: RecordBatch, filter: RecordFilter): FilteredBatch {
  const retention = filter.retentionOf(batch);
  if (retention === 'delete') return nothing(0);
  const retained: KafkaRecord[] = [];
  let messagesRead = 0;
  for (const record of batch.records()) {
    messagesRead += 1;
    if (filter.retains(batch, record)) retained.push(record);
  }
  if (retained.length === 0) {
    return retention === 'retain_empty' ? whole(batch, emptied(batch), messagesRead, 0) : nothing(messagesRead);
  }
  if (retained.length === messagesRead) return whole(batch, batch.bytes, messagesRead, messagesRead);
  return rebuilt(batch, retained, messagesRead);
}

function nothing(messagesRead: number): FilteredBatch {
  return {
    bytes: null,
    messagesRead,
    messagesRetained: 0,
    maxOffset: -1,
    maxTimestamp: NO_TIMESTAMP,
    offsetOfMaxTimestamp: -1,
  };
}

function whole(batch: RecordBatch, bytes: Buffer, messagesRead: number, messagesRetained: number): FilteredBatch {
  const { lastOffset, maxTimestamp } = batch;
  return {
    bytes,
    messagesRead,
    messagesRetained,
    maxOffset: lastOffset,
    maxTimestamp,
    offsetOfMaxTimestamp: lastOffset,
  };
}

function emptied(batch: RecordBatch): Buffer {
  return emptyBatch({
    baseOffset: batch.baseOffset,
    lastOffsetDelta: batch.lastOffset - batch.baseOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    timestampType: batch.timestampType === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControlBatch: batch.isControlBatch,
  });
}

function rebuilt(batch: RecordBatch, retained: readonly KafkaRecord[], messagesRead: number): FilteredBatch {
  const { magic, timestampType } = batch;
  const builder = new MemoryRecordsBuilder({
    magic,
    compression: batch.compression,
    timestampType,
    logAppendTime: timestampType === 'LogAppendTime' ? batch.maxTimestamp : NO_TIMESTAMP,
    baseOffset: magic >= FIRST_MAGIC_WITH_BATCHES ? batch.baseOffset : retained[0]!.offset,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControlBatch: batch.isControlBatch,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
  });
  for (const { offset, timestamp, key, value, headers } of retained) {
    builder.appendWithOffset(offset, { timestamp, key, value, headers });
  }
  if (magic >= FIRST_MAGIC_WITH_BATCHES) builder.overrideLastOffset(batch.lastOffset);
  return {
    bytes: builder.build(),
    messagesRead,
    messagesRetained: retained.length,
    maxOffset: retained[retained.length - 1]!.offset,
    ...builder.info(),
  };
}
