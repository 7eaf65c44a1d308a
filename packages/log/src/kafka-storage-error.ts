/** The disk refused (ENOSPC, EIO, …): the whole log dir is to be taken offline. Kafka's `KafkaStorageException`. */
export class KafkaStorageError extends Error {
  override readonly name: string = 'KafkaStorageError';
  /** The log dir (one of `log.dirs`) that failed, not the partition's folder. */
  readonly logDir: string;

  constructor(logDir: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.logDir = logDir;
  }
}
