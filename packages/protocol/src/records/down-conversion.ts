import { invariant } from '@klassic/common';
import { batchesOf } from './memory-records.ts';
import { MemoryRecordsBuilder } from './memory-records-builder.ts';
import type { RecordBatch } from './record-batch.ts';
import { UnsupportedCompressionTypeError } from './record-errors.ts';
import { NO_TIMESTAMP } from './types.ts';
import type { KafkaRecord } from './types.ts';

/**
 * Rewrites a record set for a consumer that asked with an old Fetch version (RecordsUtil.downConvert). Control batches
 * and headers are dropped, and of uncompressed batches the records before `firstOffset`: an old consumer would take
 * them for what it asked for. A batch that is old enough already is kept as it is, an incomplete one at the end is left
 * out.
 *
 * @param toMagic 0 for Fetch v0 and v1, 1 for v2 and v3
 * @param firstOffset the offset that was asked for
 * @throws UnsupportedCompressionTypeError for a batch in zstd
 * @throws RecordsError when a batch cannot be read
 */
export function downConvert(records: Buffer, toMagic: 0 | 1, firstOffset: number): Buffer {
  const parts: Buffer[] = [];
  for (const batch of batchesOf(records)) {
    if (batch.isControlBatch) continue;
    if (batch.compression === 'zstd') {
      throw new UnsupportedCompressionTypeError('Down-conversion of zstandard-compressed batches is not supported');
    }
    if (batch.magic <= toMagic) {
      parts.push(batch.bytes);
    } else {
      const kept = Iterator.from(batch.records()).filter(
        (record) => batch.isCompressed || record.offset >= firstOffset,
      );
      parts.push(convertBatch(batch, kept.toArray(), toMagic));
    }
  }
  return Buffer.concat(parts);
}

function convertBatch(batch: RecordBatch, records: readonly KafkaRecord[], toMagic: 0 | 1): Buffer {
  const first = records[0];
  if (first === undefined) return Buffer.alloc(0);
  const { timestampType } = batch;
  invariant(timestampType !== 'NoTimestampType', 'nothing is older than magic 0');
  const builder = new MemoryRecordsBuilder({
    magic: toMagic,
    compression: batch.compression,
    timestampType,
    logAppendTime: timestampType === 'LogAppendTime' ? batch.maxTimestamp : NO_TIMESTAMP,
    baseOffset: first.offset,
  });
  for (const { offset, timestamp, key, value } of records) {
    builder.appendWithOffset(offset, { timestamp, key, value });
  }
  return builder.build();
}
