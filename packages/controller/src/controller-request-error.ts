/** A request to the controller failed; `error` names the Kafka error for the answer. */
export class ControllerRequestError extends Error {
  override readonly name = 'ControllerRequestError';
  /** A name of Kafka's table of errors. */
  readonly error: 'NOT_CONTROLLER' | 'STALE_BROKER_EPOCH' | 'BROKER_NOT_AVAILABLE' | 'UNKNOWN_SERVER_ERROR';

  constructor(error: ControllerRequestError['error'], message: string) {
    super(message);
    this.error = error;
  }
}
