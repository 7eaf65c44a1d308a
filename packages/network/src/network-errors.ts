/** The socket server cannot do its work: one clear line for the operator. */
export class SocketServerError extends Error {
  override readonly name = 'SocketServerError';
}

/** The peer is not there, or not there any more: requests in flight may or may not have been carried out. */
export class DisconnectError extends Error {
  override readonly name: string = 'DisconnectError';
}

/** No answer in time. The connection is closed with it, since answers come in order (as Kafka's NetworkClient does). */
export class RequestTimeoutError extends DisconnectError {
  override readonly name = 'RequestTimeoutError';
}

/** The peer sent something that is no frame: too large, too short, or not the answer that was due. */
export class InvalidReceiveError extends Error {
  override readonly name = 'InvalidReceiveError';
}
