import { DefaultRecordBatch } from './default-record-batch.ts';
import { RECORD_OVERHEAD_V0 } from './legacy-record.ts';
import { LegacyRecordBatch } from './legacy-record-batch.ts';
import { HEADER_SIZE_UP_TO_MAGIC, LOG_OVERHEAD, MAGIC_OFFSET, SIZE_OFFSET } from './record-batch.ts';
import type { RecordBatch } from './record-batch.ts';
import { CorruptRecordError } from './record-errors.ts';

/**
 * The size of the batch that starts at `position`, undefined when the buffer ends before its magic. The batch itself
 * may reach beyond the buffer (ByteBufferLogInputStream.nextBatchSize).
 *
 * @throws CorruptRecordError for a size below the least or an unknown magic
 */
export function batchSizeAt(buffer: Buffer, position: number): number | undefined {
  const remaining = buffer.length - position;
  if (remaining < LOG_OVERHEAD) return undefined;
  const size = buffer.readInt32BE(position + SIZE_OFFSET);
  if (size < RECORD_OVERHEAD_V0) {
    throw new CorruptRecordError(
      `Record size ${size} is less than the minimum record overhead (${RECORD_OVERHEAD_V0})`,
    );
  }
  if (remaining < HEADER_SIZE_UP_TO_MAGIC) return undefined;
  const magic = buffer.readInt8(position + MAGIC_OFFSET);
  if (magic < 0 || magic > 2) throw new CorruptRecordError(`Invalid magic found in record: ${magic}`);
  return size + LOG_OVERHEAD;
}

/**
 * A view on the batch whose header starts at `position`. The buffer must hold the header; the records only when they
 * are asked for.
 *
 * @throws CorruptRecordError when the size is too small for the header of its magic
 */
export function batchAt(buffer: Buffer, position: number): RecordBatch {
  return buffer[position + MAGIC_OFFSET] === 2
    ? new DefaultRecordBatch(buffer, position)
    : new LegacyRecordBatch(buffer, position);
}

/**
 * The whole batches of a record set, as views; an incomplete one at the end is left out.
 *
 * @throws CorruptRecordError while iterating, where lengths or magic make no sense
 */
export function* batchesOf(buffer: Buffer, start = 0): Generator<RecordBatch, void, undefined> {
  let position = start;
  for (;;) {
    const size = batchSizeAt(buffer, position);
    if (size === undefined || size > buffer.length - position) return;
    yield batchAt(buffer, position);
    position += size;
  }
}
