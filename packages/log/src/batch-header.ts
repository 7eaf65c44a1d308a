/**
 * The few fields of a batch's header that the log needs to walk a file without reading the batches themselves.
 * The layout of magic 0 and 1 (one message) and of magic 2 (a record batch) agree up to the magic byte.
 */
export const LOG_OVERHEAD = 12;
/** Bytes up to and with the magic byte. */
export const HEADER_SIZE_UP_TO_MAGIC = 17;
/** Bytes that tell the last offset and the greatest timestamp of any magic. */
export const HEADER_SIZE_TO_SCAN = 43;

const MIN_RECORD_SIZE = 14;
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const TIMESTAMP_V1_AT = 18;
const LAST_OFFSET_DELTA_AT = 23;
const MAX_TIMESTAMP_AT = 35;
const NO_TIMESTAMP = -1;
const TWO_TO_32 = 2 ** 32;

/** A batch in a file. */
export interface BatchLocation {
  readonly position: number;
  readonly sizeInBytes: number;
  readonly magic: number;
  /** Magic 2: the first offset; before: the offset of the (wrapper) message. */
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  /** ms; -1 without one. */
  readonly maxTimestamp: number;
}

/** A length field that cannot be: the file is corrupt from here on (`CorruptRecordException`). */
export class CorruptBatchError extends Error {
  override readonly name = 'CorruptBatchError';
}

/** int64 as a number: exact within ±2^53. */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * TWO_TO_32 + buffer.readUInt32BE(at + 4);
}

/** Bytes of the batch whose header begins at `at`. @throws CorruptBatchError */
export function batchSizeAt(buffer: Buffer, at: number): number {
  const length = buffer.readInt32BE(at + LENGTH_AT);
  if (length < MIN_RECORD_SIZE) {
    throw new CorruptBatchError(
      `Found record size ${length} smaller than minimum record overhead (${MIN_RECORD_SIZE}).`,
    );
  }
  return LOG_OVERHEAD + length;
}

/**
 * Reads a header.
 *
 * @param at where the header begins in `buffer`, with HEADER_SIZE_TO_SCAN bytes there, or fewer at the end of a small batch
 * @param position where the batch begins in its file
 */
export function locateBatch(buffer: Buffer, at: number, position: number): BatchLocation {
  const sizeInBytes = batchSizeAt(buffer, at);
  const magic = buffer[at + MAGIC_AT]!;
  const baseOffset = readInt64(buffer, at);
  if (magic >= 2) {
    return {
      position,
      sizeInBytes,
      magic,
      baseOffset,
      lastOffset: baseOffset + buffer.readInt32BE(at + LAST_OFFSET_DELTA_AT),
      maxTimestamp: readInt64(buffer, at + MAX_TIMESTAMP_AT),
    };
  }
  const maxTimestamp = magic === 1 ? readInt64(buffer, at + TIMESTAMP_V1_AT) : NO_TIMESTAMP;
  return { position, sizeInBytes, magic, baseOffset, lastOffset: baseOffset, maxTimestamp };
}
