import { batchesOf, Errors, RecordsError } from '@klassic/protocol';
import type { ErrorEntry, RecordBatch } from '@klassic/protocol';

/** Why a record set is refused. */
export interface RefusedRecords {
  readonly error: ErrorEntry;
  /** Null where the reference has none. */
  readonly message: string | null;
}

const notOneBatch: RefusedRecords = { error: Errors.INVALID_RECORD, message: null };

/** From this Produce version on a record set is one batch of magic 2 (KIP-98). */
const oneBatchVersion = 3;
/** From this Produce version on zstd may be used (KIP-110). */
const zstdVersion = 7;

/**
 * Whether a record set is of the form that the version of its request asks for; older versions are not held to any, for
 * there are clients that send them wrong. Counterpart of `ProduceRequest.validateRecords`.
 *
 * @returns why it is refused, or undefined
 */
export function checkRecords(apiVersion: number, records: Buffer): RefusedRecords | undefined {
  if (apiVersion < oneBatchVersion) return undefined;
  let batch: RecordBatch | undefined;
  try {
    for (const each of batchesOf(records)) {
      if (batch !== undefined || each.magic !== 2) return notOneBatch;
      if (apiVersion < zstdVersion && each.compression === 'zstd') {
        return { error: Errors.UNSUPPORTED_COMPRESSION_TYPE, message: null };
      }
      batch = each;
    }
  } catch (error) {
    if (error instanceof RecordsError) return { error: Errors[error.errorName], message: error.message };
    throw error;
  }
  return batch === undefined ? notOneBatch : undefined;
}
