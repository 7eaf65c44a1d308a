/** The names, in Kafka's error table, of the errors this room can end in. */
export type RecordsErrorName =
  | 'CORRUPT_MESSAGE'
  | 'INVALID_RECORD'
  | 'INVALID_TIMESTAMP'
  | 'UNKNOWN_SERVER_ERROR'
  | 'UNSUPPORTED_COMPRESSION_TYPE'
  | 'UNSUPPORTED_FOR_MESSAGE_FORMAT';

/** What is wrong with the bytes of a record set. `errorName` is the Kafka error that a client is answered with. */
export abstract class RecordsError extends Error {
  abstract readonly errorName: RecordsErrorName;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Lengths that cannot be, an unknown magic, a CRC that does not match (CorruptRecordException). */
export class CorruptRecordError extends RecordsError {
  readonly errorName = 'CORRUPT_MESSAGE';
}

/** A well-formed batch whose contents break a rule (InvalidRecordException). */
export class InvalidRecordError extends RecordsError {
  readonly errorName = 'INVALID_RECORD';
}

/** A timestamp beyond ±2^53, where a `number` would no longer be exact. */
export class InvalidTimestampError extends RecordsError {
  readonly errorName = 'INVALID_TIMESTAMP';
}

/** A codec that the message format or the inter-broker protocol does not know (UnsupportedCompressionTypeException). */
export class UnsupportedCompressionTypeError extends RecordsError {
  readonly errorName = 'UNSUPPORTED_COMPRESSION_TYPE';
}

/** Producer ids or transactions where the topic keeps an older format (UnsupportedForMessageFormatException). */
export class UnsupportedForMessageFormatError extends RecordsError {
  readonly errorName = 'UNSUPPORTED_FOR_MESSAGE_FORMAT';
}

/** What Kafka meets with a Java runtime exception instead of an error of its own; clients see UNKNOWN_SERVER_ERROR. */
export class IllegalRecordsError extends RecordsError {
  readonly errorName = 'UNKNOWN_SERVER_ERROR';
}

/** One refused record of a produced batch (KIP-467). */
export interface RecordError {
  /** The record's index in its batch, from 0. */
  readonly batchIndex: number;
  readonly message: string;
}

/** Some records of a produced batch are refused, and with them the whole batch (kafka.common.RecordValidationException). */
export class RecordValidationError extends RecordsError {
  readonly errorName: 'INVALID_RECORD' | 'INVALID_TIMESTAMP';
  readonly recordErrors: readonly RecordError[];

  constructor(errorName: 'INVALID_RECORD' | 'INVALID_TIMESTAMP', recordErrors: readonly RecordError[]) {
    super(
      errorName === 'INVALID_TIMESTAMP'
        ? 'One or more records have been rejected due to invalid timestamp'
        : 'One or more records have been rejected',
    );
    this.errorName = errorName;
    this.recordErrors = recordErrors;
  }
}
