/** A request cannot be fulfilled; `error` names the Kafka error that its answer bears, `message` stands beside it. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** A name of Kafka's table of errors, `NOT_CONTROLLER` for example. */
  readonly error: RequestErrorName;

  constructor(error: RequestErrorName, message: string) {
    super(message);
    this.error = error;
  }
}

export type RequestErrorName =
  | 'BROKER_NOT_AVAILABLE'
  | 'INVALID_PARTITIONS'
  | 'INVALID_REPLICA_ASSIGNMENT'
  | 'INVALID_REPLICATION_FACTOR'
  | 'INVALID_TOPIC_EXCEPTION'
  | 'NOT_CONTROLLER'
  | 'REASSIGNMENT_IN_PROGRESS'
  | 'STALE_BROKER_EPOCH'
  | 'TOPIC_ALREADY_EXISTS'
  | 'UNKNOWN_SERVER_ERROR'
  | 'UNKNOWN_TOPIC_OR_PARTITION';
