/** The codes ZooKeeper answers with (`KeeperException.Code`), by name. */
export type ZooKeeperErrorCode =
  | 'SYSTEM_ERROR'
  | 'RUNTIME_INCONSISTENCY'
  | 'DATA_INCONSISTENCY'
  | 'CONNECTION_LOSS'
  | 'MARSHALLING_ERROR'
  | 'UNIMPLEMENTED'
  | 'OPERATION_TIMEOUT'
  | 'BAD_ARGUMENTS'
  | 'API_ERROR'
  | 'NO_NODE'
  | 'NO_AUTH'
  | 'BAD_VERSION'
  | 'NO_CHILDREN_FOR_EPHEMERALS'
  | 'NODE_EXISTS'
  | 'NOT_EMPTY'
  | 'SESSION_EXPIRED'
  | 'INVALID_CALLBACK'
  | 'INVALID_ACL'
  | 'AUTH_FAILED'
  | 'UNKNOWN';

/** How a request ended: `OK`, or the name of what ZooKeeper refused it with. */
export type ResultCode = 'OK' | ZooKeeperErrorCode;

/** ZooKeeper refused an operation, or the connection was lost while it was under way. Counterpart of `KeeperException`. */
export class ZooKeeperError extends Error {
  override readonly name = 'ZooKeeperError';
  readonly code: ZooKeeperErrorCode;
  /** The znode the operation was about; for a `multi` its first path. */
  readonly path: string | undefined;

  constructor(code: ZooKeeperErrorCode, path?: string, message?: string) {
    super(message ?? `KeeperErrorCode = ${code}${path === undefined ? '' : ` for ${path}`}`);
    this.code = code;
    this.path = path;
  }
}

/** No server of the connect string could be reached in time. The message is one line fit for a user. */
export class ZooKeeperClientTimeoutError extends Error {
  override readonly name = 'ZooKeeperClientTimeoutError';
}

/** The session has been closed for good: nothing can be sent any more. */
export class ZooKeeperClientClosedError extends Error {
  override readonly name = 'ZooKeeperClientClosedError';
}

/** The controller epoch znode has moved on: another broker is the controller. Counterpart of `ControllerMovedException`. */
export class ControllerMovedError extends Error {
  override readonly name = 'ControllerMovedError';
}

/** A znode holds what nobody of this catalogue can read. */
export class ZNodeFormatError extends Error {
  override readonly name = 'ZNodeFormatError';
}

/** `zookeeper.connect` cannot be read. The message is one line fit for a user. */
export class InvalidConnectStringError extends Error {
  override readonly name = 'InvalidConnectStringError';
}
