/** A row of the error table. */
export interface ErrorEntry {
  /** The int16 on the wire. */
  readonly code: number;
  readonly name: string;
  /** What Kafka prints where nothing more precise is known. */
  readonly message: string;
  /** The Java exception's simple name; null for NONE. */
  readonly exception: string | null;
  /** The same request may succeed later. */
  readonly retriable: boolean;
  /** The client should ask for metadata first. */
  readonly invalidMetadata: boolean;
}

/** An operating error on its way to a response, or out of one. */
export class KafkaError extends Error {
  readonly error: ErrorEntry;

  /** @param message in place of the table's own */
  constructor(error: ErrorEntry, message?: string, options?: ErrorOptions) {
    super(message ?? error.message, options);
    this.name = 'KafkaError';
    this.error = error;
  }
}
