import type { KafkaRecord, RecordBatch } from '@klassic/protocol';
import type { RecordFilter } from './batch-filter.ts';
import type { CleanedTransactions } from './cleaned-transactions.ts';
import type { CleanerStats } from './cleaner-stats.ts';
import type { LastRecord } from './compactable-log.ts';
import type { OffsetMap } from './offset-map.ts';

export interface RetentionRules {
  readonly map: OffsetMap;
  readonly transactions: CleanedTransactions;
  /** Of active producers, by producer id. */
  readonly lastRecords: ReadonlyMap<number, LastRecord>;
  /** Whether tombstones and markers are too young to go. */
  readonly retainDeletes: boolean;
  readonly stats: CleanerStats;
}

/**
 * What compaction keeps: of each key the latest record, tombstones until consumers had time to see them, nothing of
 * aborted transactions, markers as long as batches of their transaction are there, and of each active producer the
 * last batch, if need be without records, because it has the last sequence (KIP-98).
 */
export function retentionFilter(rules: RetentionRules): RecordFilter {
  const { map, transactions, lastRecords, retainDeletes, stats } = rules;
  let isDiscarded = false;
  return {
    retentionOf: (batch) => {
      isDiscarded = batch.isControlBatch
        ? transactions.onControlBatch(batch) && !retainDeletes
        : transactions.onDataBatch(batch);
      if (batch.hasProducerId && isLastOfProducer(batch, lastRecords.get(batch.producerId))) return 'retain_empty';
      return isDiscarded ? 'delete' : 'delete_empty';
    },
    retains: (batch, record) => {
      if (isDiscarded) return false;
      if (batch.isControlBatch || record.offset > map.latestOffset) return true;
      if (record.key === null) {
        stats.invalidMessagesRead += 1;
        return false;
      }
      return isLatest(record, record.key, map) && (record.value !== null || retainDeletes);
    },
  };
}

function isLatest(record: KafkaRecord, key: Buffer, map: OffsetMap): boolean {
  return record.offset >= map.get(key);
}

function isLastOfProducer(batch: RecordBatch, last: LastRecord | undefined): boolean {
  if (last === undefined) return false;
  if (last.lastDataOffset !== null) return batch.lastOffset === last.lastDataOffset;
  return batch.isControlBatch && batch.producerEpoch === last.producerEpoch;
}
