import { InvariantViolation } from '@klassic/common';
import type { Logger } from '@klassic/common';

import type { WatcherEvent } from './library.ts';

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

/** Event types of ZooKeeper's protocol (`Watcher.Event.EventType`). */
const eventTypes = new Map([
  [1, 'NodeCreated'],
  [2, 'NodeDeleted'],
  [3, 'NodeDataChanged'],
  [4, 'NodeChildrenChanged'],
] as const);

/** The handlers of a session, one per path (per name, for its state), and the calling of them. */
export class ZNodeHandlers {
  readonly change = new Map<string, ZNodeChangeHandler>();
  readonly childChange = new Map<string, ZNodeChildChangeHandler>();
  readonly state = new Map<string, StateChangeHandler>();
  private readonly log: Logger;

  constructor(log: Logger) {
    this.log = log;
  }

  clear(): void {
    this.change.clear();
    this.childChange.clear();
    this.state.clear();
  }

  /** Tells the handler of the event's path, if there still is one. Who wants to hear again must read again. */
  dispatch({ type, path }: WatcherEvent): void {
    const name = eventTypes.get(type as 1 | 2 | 3 | 4);
    if (this.log.isEnabled('DEBUG')) this.log.debug(`Received event: ${name} path:${path}`);
    this.guard(`of ${path}`, () => {
      switch (name) {
        case 'NodeCreated':
          return this.change.get(path)?.handleCreation?.();
        case 'NodeDeleted':
          return this.change.get(path)?.handleDeletion?.();
        case 'NodeDataChanged':
          return this.change.get(path)?.handleDataChange?.();
        case 'NodeChildrenChanged':
          return this.childChange.get(path)?.handleChildChange();
        case undefined:
          return this.log.warn(`Unknown watch event ${type} of ${path}`);
      }
    });
  }

  forEachState(call: (handler: StateChangeHandler) => void): void {
    for (const handler of [...this.state.values()]) this.guard(handler.name, () => call(handler));
  }

  /** One after the other, each awaited. */
  async forEachStateInTurn(call: (handler: StateChangeHandler) => void | Promise<void>): Promise<void> {
    for (const handler of [...this.state.values()]) {
      try {
        await call(handler);
      } catch (error) {
        if (error instanceof InvariantViolation) throw error;
        this.log.error(`Uncaught error in handler ${handler.name}`, error);
      }
    }
  }

  /** A handler's failure must not keep the others from hearing. */
  private guard(name: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      if (error instanceof InvariantViolation) {
        // Past the library's own catching, to the process's last handler.
        queueMicrotask(() => {
          throw error;
        });
      }
      this.log.error(`Uncaught error in handler ${name}`, error);
    }
  }
}
