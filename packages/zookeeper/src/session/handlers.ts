/** What to do when the znode at `path` comes, goes or changes. Counterpart of `kafka.zookeeper.ZNodeChangeHandler`. */
export interface ZNodeChangeHandler {
  readonly path: string;
  handleCreation?(): void;
  handleDeletion?(): void;
  handleDataChange?(): void;
}

/** What to do when the children of `path` come or go. Counterpart of `kafka.zookeeper.ZNodeChildChangeHandler`. */
export interface ZNodeChildChangeHandler {
  readonly path: string;
  handleChildChange(): void;
}

/**
 * What to do as the session goes through its life. Counterpart of `kafka.zookeeper.StateChangeHandler`.
 * On expiry: `beforeInitializingSession` of all (awaited), a new session, `afterInitializingSession` of all.
 */
export interface StateChangeHandler {
  readonly name: string;
  onConnected?(): void;
  onDisconnected?(): void;
  beforeInitializingSession?(): void | Promise<void>;
  afterInitializingSession?(): void | Promise<void>;
  onAuthFailure?(): void;
}
