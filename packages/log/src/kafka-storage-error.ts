import { Errors, KafkaError } from '@klassic/protocol';

/**
 * The disk refused (ENOSPC, EIO, …): the whole log dir is to be taken offline; clients see KAFKA_STORAGE_ERROR.
 * Kafka's `KafkaStorageException`.
 */
export class KafkaStorageError extends KafkaError {
  /** The log dir (one of `log.dirs`) that failed, not the partition's folder. */
  readonly logDir: string;

  constructor(logDir: string, message: string, cause?: unknown) {
    super(Errors.KAFKA_STORAGE_ERROR, message, { cause });
    this.name = 'KafkaStorageError';
    this.logDir = logDir;
  }
}
