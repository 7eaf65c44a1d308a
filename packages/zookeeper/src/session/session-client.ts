import type { Client } from 'node-zookeeper-client';
import type { Socket } from 'node:net';
import { nextInt } from '@klassic/common';
import type { Cancel, Logger, Random, Time } from '@klassic/common';

import type { ZooKeeperRequest, ZooKeeperResponse } from '../requests.ts';
import { sessionIdText } from '../stat.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { isKnownCode, managerStates, newLibraryClient } from './library.ts';
import type { ConnectionManager, WatcherEvent } from './library.ts';
import { pathOf, sendByLibrary } from './library-requests.ts';

/** What a `SessionClient` tells its owner, in the order in which it came from ZooKeeper. */
export interface SessionClientListener {
  connected(): void;
  disconnected(): void;
  /** The server says so: the session is gone for good, with its ephemerals and watches. */
  expired(): void;
  authFailed(): void;
  watchEvent(event: WatcherEvent): void;
}

export interface SessionClientOptions {
  /** Validated by `parseConnectString`. */
  readonly connectString: string;
  readonly sessionTimeoutMs: number;
  readonly time: Time;
  readonly random: Random;
  readonly log: Logger;
  readonly auth?: readonly { readonly scheme: string; readonly auth: Buffer }[];
}

const notificationXid = -1;
const largestXid = 0x7fffffff;
/** int32 size, xid -2, type 11. */
const pingFrame = Buffer.from([0, 0, 0, 8, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]);
const maxReconnectDelayMs = 1000;

/**
 * One ZooKeeper session: a client of node-zookeeper-client, with the library's weaknesses covered from outside. Each
 * method of the connection manager that is replaced in the constructor says which weakness it covers. It reconnects
 * by itself until the server says that the session has expired; it is never used for a second session.
 */
export class SessionClient {
  private readonly client: Client;
  private readonly manager: ConnectionManager;
  private readonly options: SessionClientOptions;
  private readonly listener: SessionClientListener;
  /** What tells each caller that the connection was lost. */
  private readonly inFlight = new Set<() => void>();
  private splitter = new FrameSplitter();
  private inbox: Buffer[] = [];
  private turnScheduled = false;
  private lastHeardMs = 0;
  private lastSentMs = 0;
  private socketOpenedMs = 0;
  private cancelWatchdog: Cancel = () => undefined;
  private cancelReconnect: Cancel = () => undefined;
  private ended = false;
  private resolveClosed: () => void = () => undefined;
  private readonly closed = new Promise<void>((resolve) => {
    this.resolveClosed = resolve;
  });

  constructor(options: SessionClientOptions, listener: SessionClientListener) {
    this.options = options;
    this.listener = listener;
    const { client, manager } = newLibraryClient(options.connectString, options.sessionTimeoutMs);
    this.client = client;
    this.manager = manager;
    for (const { scheme, auth } of options.auth ?? []) client.addAuthInfo(scheme, auth);
    this.coverWeaknesses(manager);
    manager.on('state', (state) => this.onState(state));
  }

  /** Starts connecting, and keeps on until `close`, `terminate` or expiry. */
  start(): void {
    this.cancelWatchdog = this.options.time.scheduleEvery(
      Math.max(10, Math.floor(this.options.sessionTimeoutMs / 20)),
      () => this.watch(),
    );
    this.client.connect();
  }

  get isConnected(): boolean {
    return !this.ended && this.manager.state === managerStates.CONNECTED;
  }

  /** As ZooKeeper's logs print it; `0x0` before the first connection. */
  get sessionId(): string {
    return sessionIdText(this.client.getSessionId());
  }

  /** What the server granted, ms. */
  get sessionTimeoutMs(): number {
    return this.manager.sessionTimeout;
  }

  /**
   * Sends `request` now. Resolves with whatever comes of it; `CONNECTION_LOSS` means that nobody knows.
   *
   * @throws AssertionError for a path or data that cannot be sent at all
   */
  send(request: ZooKeeperRequest, watch: boolean): Promise<ZooKeeperResponse> {
    // The library never lets xids wrap around, and fails when one no longer fits into an int32.
    if (this.manager.xid >= largestXid) this.manager.xid = 1;
    this.lastSentMs = this.now();
    this.joinWrites();
    return new Promise((resolve, reject) => {
      const lose = (): void => resolve({ code: 'CONNECTION_LOSS', path: pathOf(request) });
      this.inFlight.add(lose);
      void sendByLibrary(this.client, request, watch)
        .then(resolve, reject)
        .finally(() => this.inFlight.delete(lose));
    });
  }

  /** What is asked for in one turn of the event loop goes out in one write: the library writes request by request. */
  private joinWrites(): void {
    const { socket } = this.manager;
    if (socket === undefined || socket.destroyed || socket.writableCorked > 0) return;
    socket.cork();
    process.nextTick(() => {
      socket.uncork();
    });
  }

  /** Ends the session at the server, so that its ephemerals vanish at once; where there is no connection, just stops. */
  async close(): Promise<void> {
    if (this.isConnected) {
      const limit = this.options.time.schedule(this.manager.sessionTimeout, () => this.terminate());
      this.client.close();
      await this.closed;
      limit();
    }
    this.terminate();
  }

  /** Drops the connection and never connects again. The session lives on at the server until its time is over. */
  terminate(): void {
    if (this.ended) return;
    this.ended = true;
    this.cancelWatchdog();
    this.cancelReconnect();
    if (this.manager.connectTimeoutHandler !== null) clearTimeout(this.manager.connectTimeoutHandler);
    this.manager.state = managerStates.CLOSED;
    this.manager.socket?.destroy();
    this.failInFlight();
    this.resolveClosed();
  }

  private coverWeaknesses(manager: ConnectionManager): void {
    const { random } = this.options;
    const library = {
      cleanupPendingQueue: manager.cleanupPendingQueue.bind(manager),
      onSocketConnected: manager.onSocketConnected.bind(manager),
      onSocketData: manager.onSocketData.bind(manager),
      onSocketClosed: manager.onSocketClosed.bind(manager),
      emitWatch: manager.watcherManager.emit.bind(manager.watcherManager),
    };

    // Its shuffle and its delay take chance and timers from the process, and the delay cannot be cancelled.
    manager.servers.sort((a, b) => `${a.host}:${a.port}`.localeCompare(`${b.host}:${b.port}`));
    for (let last = manager.servers.length - 1; last > 0; last -= 1) {
      const other = nextInt(random, last + 1);
      [manager.servers[last], manager.servers[other]] = [manager.servers[other]!, manager.servers[last]!];
    }
    manager.findNextServer = (callback) => this.findNextServer(callback);

    // It waits forever for the answer to its connect request: a paused server's kernel still accepts connections.
    manager.onSocketConnected = () => {
      this.socketOpenedMs = this.now();
      this.lastHeardMs = this.socketOpenedMs;
      this.splitter = new FrameSplitter();
      this.inbox = [];
      library.onSocketConnected();
    };

    // It carries half a reply over into the next connection, and handles many replies by deep recursion.
    manager.onSocketData = (chunk) => this.onBytes(chunk);
    this.handleFrame = (frame) => library.onSocketData(frame);

    // It pings only while the socket is idle in both directions, and never asks whether an answer came: see `watch`.
    manager.onSocketTimeout = () => undefined;

    // It forgets the requests it had queued but not yet written: their callers would wait forever.
    manager.cleanupPendingQueue = (errorCode) => {
      library.cleanupPendingQueue(errorCode);
      for (let packet = manager.packetQueue.shift(); packet !== undefined; packet = manager.packetQueue.shift()) {
        this.options.log.trace('Dropped a request that had not been written');
      }
    };

    manager.onSocketClosed = (hasError) => {
      if (manager.connectTimeoutHandler !== null) clearTimeout(manager.connectTimeoutHandler);
      this.drainInbox();
      // Unlike the library we want callers to know of the loss before the owner does.
      if (manager.state === managerStates.CLOSED) {
        this.failInFlight();
        return;
      }
      library.onSocketClosed(hasError);
      this.failInFlight();
    };

    // It calls a watcher twice that an exists before and one after the creation have registered: the owner gets each
    // event of the wire once, from here. The library's own list serves SetWatches after a reconnect.
    manager.watcherManager.emit = (event) => {
      library.emitWatch(event);
      this.listener.watchEvent({ type: event.type, path: event.path });
    };
  }

  private handleFrame: (frame: Buffer) => void = () => undefined;

  /** Every server once without delay, then a pause of up to a second, as ZooKeeper's own client does. */
  private findNextServer(callback: (server: ConnectionManager['servers'][number]) => void): void {
    const { manager } = this;
    const triedAll = manager.serverAttempts >= manager.servers.length;
    const delayMs = triedAll ? this.options.random.next() * maxReconnectDelayMs : 0;
    manager.serverAttempts = triedAll ? 1 : manager.serverAttempts + 1;
    this.cancelReconnect = this.options.time.schedule(delayMs, () => {
      if (this.ended) return;
      manager.nextServerIndex %= manager.servers.length;
      const server = manager.servers[manager.nextServerIndex]!;
      manager.nextServerIndex += 1;
      this.options.log.trace(`Opening socket connection to server ${server.host}:${server.port}`);
      callback(server);
    });
  }

  private onBytes(chunk: Buffer): void {
    this.lastHeardMs = this.now();
    try {
      this.inbox.push(...this.splitter.push(chunk));
    } catch (error) {
      this.options.log.error('Unreadable bytes from ZooKeeper, closing socket connection', error);
      this.manager.socket?.destroy();
      return;
    }
    if (!this.turnScheduled) this.takeTurn();
  }

  /**
   * Handles what has arrived. Between a reply and a watch event the event loop gets a turn, so that whoever awaits the
   * reply has gone on before the event is told, and the other way round: ZooKeeper promises that order.
   */
  private takeTurn(): void {
    this.turnScheduled = false;
    for (let frame = this.inbox.shift(); frame !== undefined; frame = this.inbox.shift()) {
      this.onFrame(frame);
      const next = this.inbox[0];
      if (next !== undefined && isNotification(next) !== isNotification(frame)) {
        this.turnScheduled = true;
        this.options.time.soon(() => {
          if (this.turnScheduled) this.takeTurn();
        });
        return;
      }
    }
  }

  private drainInbox(): void {
    this.turnScheduled = false;
    for (const frame of this.inbox.splice(0)) this.onFrame(frame);
  }

  private onFrame(frame: Buffer): void {
    if (this.manager.state !== managerStates.CONNECTING && frame.length >= 20) {
      // The library throws on codes newer than itself.
      const code = frame.readInt32BE(16);
      if (!isNotification(frame) && !isKnownCode(code)) {
        this.options.log.warn(`ZooKeeper answered with code ${code}, which is unknown here`);
        frame.writeInt32BE(-1, 16);
      }
    }
    try {
      this.handleFrame(frame);
    } catch (error) {
      this.options.log.error('Unreadable answer from ZooKeeper, closing socket connection', error);
      this.manager.socket?.destroy();
    }
    // It leaves it to the server to hang up after the last answer, which a relay in between may not pass on.
    const { state, pendingQueue, packetQueue } = this.manager;
    const isAnswered = pendingQueue.length === 0 && packetQueue.queue.length === 0;
    if (state === managerStates.CLOSING && isAnswered) this.manager.socket?.destroy();
  }

  /** Notices a silent server and keeps the session alive. Limits as in ZooKeeper's own client (`ClientCnxn`). */
  private watch(): void {
    const { manager } = this;
    const { socket } = manager;
    if (socket === undefined || socket.destroyed || socket.connecting) return;
    const nowMs = this.now();
    const silentMs = nowMs - this.lastHeardMs;
    if (manager.state === managerStates.CONNECTING) {
      if (nowMs - this.socketOpenedMs > manager.connectTimeout) {
        this.options.log.warn(
          `No answer from ZooKeeper within ${manager.connectTimeout} ms, closing socket connection`,
        );
        socket.destroy();
      }
      return;
    }
    if (manager.state !== managerStates.CONNECTED) return;
    if (silentMs > (manager.sessionTimeout * 2) / 3) {
      // This process may have been the sleeper: whatever waits in the socket is read first.
      this.options.time.soon(() => this.dropIfSilent(socket));
    } else if (nowMs - this.lastSentMs >= manager.sessionTimeout / 4) {
      this.lastSentMs = nowMs;
      socket.write(pingFrame);
    }
  }

  private dropIfSilent(socket: Socket): void {
    const silentMs = this.now() - this.lastHeardMs;
    if (socket.destroyed || silentMs <= (this.manager.sessionTimeout * 2) / 3) return;
    this.options.log.warn(
      `Client session timed out, have not heard from server in ${Math.round(silentMs)}ms for session id ` +
        `${this.sessionId}, closing socket connection and attempting reconnect`,
    );
    socket.destroy();
  }

  private onState(state: number): void {
    if (this.ended) return;
    switch (state) {
      case managerStates.CONNECTED:
        this.lastSentMs = this.now();
        this.listener.connected();
        break;
      case managerStates.DISCONNECTED:
        this.failInFlight();
        this.listener.disconnected();
        break;
      case managerStates.SESSION_EXPIRED:
        this.options.log.warn(`Unable to reconnect to ZooKeeper service, session ${this.sessionId} has expired`);
        this.terminate();
        this.listener.expired();
        break;
      case managerStates.AUTHENTICATION_FAILED:
        this.terminate();
        this.listener.authFailed();
        break;
      case managerStates.CLOSED:
        this.terminate();
        break;
      default:
        break;
    }
  }

  private failInFlight(): void {
    for (const lose of this.inFlight) lose();
    this.inFlight.clear();
  }

  private now(): number {
    return this.options.time.hiResMs();
  }
}

function isNotification(frame: Buffer): boolean {
  return frame.length >= 8 && frame.readInt32BE(4) === notificationXid;
}
