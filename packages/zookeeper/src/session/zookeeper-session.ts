import type { Logger, LoggerFactory, Random, Time } from '@klassic/common';
import { prefixed } from '@klassic/common';

import type { Acl } from '../acl.ts';
import { ZooKeeperClientClosedError, ZooKeeperClientTimeoutError, ZooKeeperError } from '../errors.ts';
import { ensureOk } from '../requests.ts';
import type { MultiOp, MultiResult, ZooKeeperRequest, ZooKeeperResponse } from '../requests.ts';
import type { Stat } from '../stat.ts';
import { parseConnectString } from './connect-string.ts';
import { ZNodeHandlers } from './handlers.ts';
import type { StateChangeHandler, ZNodeChangeHandler, ZNodeChildChangeHandler } from './handlers.ts';
import { pathOf } from './library-requests.ts';
import { SessionClient } from './session-client.ts';

/**
 * `CONNECTING` also while a lost connection is made again; `EXPIRED` from the server's word until the new session is
 * begun; `CLOSED` after `close`.
 */
export type SessionState = 'CONNECTING' | 'CONNECTED' | 'EXPIRED' | 'AUTH_FAILED' | 'CLOSED';

export interface ZooKeeperSessionOptions {
  /** `host:port[,host:port…][/chroot]`. */
  readonly connectString: string;
  /** What is asked for; the server may grant another. */
  readonly sessionTimeoutMs: number;
  /** How long the first connection may take. */
  readonly connectionTimeoutMs: number;
  readonly time: Time;
  readonly random: Random;
  readonly loggers: LoggerFactory;
  /** Requests sent and not yet answered; `zookeeper.max.in.flight.requests`, default 10. */
  readonly maxInFlightRequests?: number;
  /** For the log, as Kafka's `[ZooKeeperClient Kafka server] `. */
  readonly name?: string;
  /** Credentials, for ACLs of scheme `auth` or `digest`. */
  readonly auth?: readonly { readonly scheme: string; readonly auth: Buffer }[];
}

interface WaitingRequest {
  readonly request: ZooKeeperRequest;
  readonly resolve: (response: ZooKeeperResponse) => void;
  readonly reject: (error: unknown) => void;
}

interface ConnectionWaiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const authRetryBackoffMs = 1000;

/**
 * A connection to ZooKeeper that outlives its sessions: it reconnects while the session lives, and begins a new one when
 * the server says that it has expired. Requests are answered in the order in which they were made, and watch events are
 * told in their place between the replies. Counterpart of `kafka.zookeeper.ZooKeeperClient`.
 */
export class ZooKeeperSession {
  private readonly options: ZooKeeperSessionOptions;
  private readonly log: Logger;
  private readonly handlers: ZNodeHandlers;
  private readonly maxInFlightRequests: number;
  private client: SessionClient;
  private currentState: SessionState = 'CONNECTING';
  private everConnected = false;
  private inFlightRequests = 0;
  private outbox: WaitingRequest[] = [];
  private waiters: ConnectionWaiter[] = [];

  private constructor(options: ZooKeeperSessionOptions) {
    this.options = options;
    this.log = prefixed(
      options.loggers('kafka.zookeeper.ZooKeeperClient'),
      options.name === undefined ? '[ZooKeeperClient] ' : `[ZooKeeperClient ${options.name}] `,
    );
    this.handlers = new ZNodeHandlers(this.log);
    this.maxInFlightRequests = options.maxInFlightRequests ?? 10;
    this.client = this.begin();
  }

  /**
   * Begins a session and waits until it is connected.
   *
   * @throws InvalidConnectStringError when `connectString` cannot be read
   * @throws ZooKeeperClientTimeoutError when no server answers within `connectionTimeoutMs`
   * @throws ZooKeeperError AUTH_FAILED when the server refuses the credentials
   */
  static async connect(options: ZooKeeperSessionOptions): Promise<ZooKeeperSession> {
    parseConnectString(options.connectString);
    const session = new ZooKeeperSession(options);
    const { connectString, connectionTimeoutMs } = options;
    session.log.info('Waiting until connected.');
    const cancel = options.time.schedule(connectionTimeoutMs, () => {
      session.failWaiters(
        new ZooKeeperClientTimeoutError(
          `Timed out waiting for connection to ZooKeeper at ${connectString}: none within ${connectionTimeoutMs} ms`,
        ),
      );
    });
    try {
      await session.waitUntilConnected();
    } catch (error) {
      await session.close();
      throw error;
    } finally {
      cancel();
    }
    session.log.info('Connected.');
    return session;
  }

  get state(): SessionState {
    return this.currentState;
  }

  /** Id of the current session as ZooKeeper's logs print it, for example `0x100003d5a9e0000`. */
  get sessionId(): string {
    return this.client.sessionId;
  }

  /** The session timeout that the server granted, ms. */
  get sessionTimeoutMs(): number {
    return this.client.sessionTimeoutMs;
  }

  /**
   * Makes a request; without connection it waits for one. A read sets a watch iff a handler is registered for its path
   * at the moment of sending. Resolves whatever the result code: `CONNECTION_LOSS` means that nobody knows whether it
   * was carried out, `SESSION_EXPIRED` that it was not.
   *
   * @throws ZooKeeperClientClosedError after `close`
   */
  handleRequest(request: ZooKeeperRequest): Promise<ZooKeeperResponse> {
    if (this.currentState === 'CLOSED') return Promise.reject(closedError());
    if (this.currentState === 'EXPIRED') return Promise.resolve({ code: 'SESSION_EXPIRED', path: pathOf(request) });
    return new Promise((resolve, reject) => {
      this.outbox.push({ request, resolve, reject });
      this.sendWaiting();
    });
  }

  /** Makes requests one after another without waiting for replies (pipelining); responses in the order of requests. */
  handleRequests(requests: readonly ZooKeeperRequest[]): Promise<ZooKeeperResponse[]> {
    return Promise.all(requests.map((request) => this.handleRequest(request)));
  }

  /**
   * Resolves as soon as there is a connection, however long that takes.
   *
   * @throws ZooKeeperError SESSION_EXPIRED or AUTH_FAILED when that comes first
   * @throws ZooKeeperClientClosedError after `close`
   */
  waitUntilConnected(): Promise<void> {
    switch (this.currentState) {
      case 'CONNECTED':
        return Promise.resolve();
      case 'EXPIRED':
        return Promise.reject(new ZooKeeperError('SESSION_EXPIRED'));
      case 'AUTH_FAILED':
        return Promise.reject(new ZooKeeperError('AUTH_FAILED'));
      case 'CLOSED':
        return Promise.reject(closedError());
      case 'CONNECTING':
        return new Promise((resolve, reject) => {
          this.waiters.push({ resolve, reject });
        });
    }
  }

  /** @returns the path created, with its number when `sequential`. @throws ZooKeeperError */
  async create(
    path: string,
    data: Buffer | null,
    options: { ephemeral?: boolean; sequential?: boolean; acl?: readonly Acl[] } = {},
  ): Promise<string> {
    return (await this.ask({ op: 'create', path, data, ...options })).path;
  }

  /** @throws ZooKeeperError, NO_NODE among them */
  async getData(path: string): Promise<{ data: Buffer | null; stat: Stat }> {
    const { data, stat } = await this.ask({ op: 'getData', path });
    return { data: data ?? null, stat: stat! };
  }

  /** Writes if the znode's dataVersion is `expectedVersion` (`matchAnyVersion`: whatever it is). @throws ZooKeeperError */
  async setData(path: string, data: Buffer | null, expectedVersion: number): Promise<Stat> {
    return (await this.ask({ op: 'setData', path, data, version: expectedVersion })).stat!;
  }

  /** @throws ZooKeeperError */
  async delete(path: string, expectedVersion: number): Promise<void> {
    await this.ask({ op: 'delete', path, version: expectedVersion });
  }

  /** @returns undefined where there is no znode. @throws ZooKeeperError */
  async exists(path: string): Promise<Stat | undefined> {
    const response = await this.handleRequest({ op: 'exists', path });
    if (response.code === 'NO_NODE') return undefined;
    ensureOk(response);
    return response.stat;
  }

  /** @throws ZooKeeperError, NO_NODE among them */
  async getChildren(path: string): Promise<string[]> {
    return [...(await this.ask({ op: 'getChildren', path })).children!];
  }

  /** All of `ops` or none. @throws ZooKeeperError with the code of the step that was refused */
  async multi(ops: readonly MultiOp[]): Promise<MultiResult[]> {
    return [...(await this.ask({ op: 'multi', ops })).results!];
  }

  /** Local only: the next exists or getData of the handler's path sets the watch (exists also where there is no znode). */
  registerZNodeChangeHandler(handler: ZNodeChangeHandler): void {
    this.handlers.change.set(handler.path, handler);
  }

  unregisterZNodeChangeHandler(path: string): void {
    this.handlers.change.delete(path);
  }

  /** Local only: the next getChildren of the handler's path sets the watch. */
  registerZNodeChildChangeHandler(handler: ZNodeChildChangeHandler): void {
    this.handlers.childChange.set(handler.path, handler);
  }

  unregisterZNodeChildChangeHandler(path: string): void {
    this.handlers.childChange.delete(path);
  }

  registerStateChangeHandler(handler: StateChangeHandler): void {
    this.handlers.state.set(handler.name, handler);
  }

  unregisterStateChangeHandler(name: string): void {
    this.handlers.state.delete(name);
  }

  /** Ends the session, so that its ephemerals vanish at once, and refuses what has not been sent. */
  async close(): Promise<void> {
    if (this.currentState === 'CLOSED') return;
    this.log.info('Closing.');
    this.currentState = 'CLOSED';
    this.handlers.clear();
    for (const { reject } of this.outbox.splice(0)) reject(closedError());
    this.failWaiters(closedError());
    await this.client.close();
    this.log.info('Closed.');
  }

  private begin(): SessionClient {
    const { connectString, sessionTimeoutMs, time, random, auth } = this.options;
    this.log.info(`Initializing a new session to ${connectString}.`);
    const log = this.options.loggers('org.apache.zookeeper.ClientCnxn');
    const client: SessionClient = new SessionClient(
      { connectString, sessionTimeoutMs, time, random, log, ...(auth === undefined ? {} : { auth }) },
      {
        connected: () => this.onConnected(),
        disconnected: () => this.onDisconnected(),
        expired: () => this.onExpired(),
        authFailed: () => this.onAuthFailed(),
        watchEvent: (event) => this.handlers.dispatch(event),
      },
    );
    client.start();
    return client;
  }

  private onConnected(): void {
    if (this.currentState !== 'CONNECTING') return;
    this.log.debug('Received event: SyncConnected');
    this.currentState = 'CONNECTED';
    this.everConnected = true;
    for (const { resolve } of this.waiters.splice(0)) resolve();
    this.handlers.forEachState((handler) => handler.onConnected?.());
    this.sendWaiting();
  }

  private onDisconnected(): void {
    if (this.currentState !== 'CONNECTED') return;
    this.log.debug('Received event: Disconnected');
    this.currentState = 'CONNECTING';
    this.handlers.forEachState((handler) => handler.onDisconnected?.());
  }

  private onExpired(): void {
    if (this.currentState === 'CLOSED') return;
    this.currentState = 'EXPIRED';
    this.failWaiting('SESSION_EXPIRED');
    this.options.time.soon(() => void this.reinitialize('Session expired.'));
  }

  private onAuthFailed(): void {
    if (this.currentState === 'CLOSED') return;
    this.log.error('Auth failed.');
    this.currentState = 'AUTH_FAILED';
    this.failWaiting('AUTH_FAILED');
    this.handlers.forEachState((handler) => handler.onAuthFailure?.());
    if (this.everConnected) {
      this.options.time.schedule(
        authRetryBackoffMs,
        () => void this.reinitialize('Reinitializing due to auth failure.'),
      );
    }
  }

  /**
   * `beforeInitializingSession` of everybody, a new session, `afterInitializingSession` of everybody. What these ask of
   * ZooKeeper before fails with SESSION_EXPIRED, and after waits for the new connection.
   */
  private async reinitialize(reason: string): Promise<void> {
    if (this.currentState === 'CLOSED') return;
    this.log.info(reason);
    await this.handlers.forEachStateInTurn((handler) => handler.beforeInitializingSession?.());
    // `close` may have been called meanwhile.
    if (this.state === 'CLOSED') return;
    this.currentState = 'CONNECTING';
    this.client = this.begin();
    await this.handlers.forEachStateInTurn((handler) => handler.afterInitializingSession?.());
  }

  private sendWaiting(): void {
    while (
      this.currentState === 'CONNECTED' &&
      this.client.isConnected &&
      this.inFlightRequests < this.maxInFlightRequests
    ) {
      const next = this.outbox.shift();
      if (next === undefined) return;
      this.inFlightRequests += 1;
      this.client
        .send(next.request, this.shouldWatch(next.request))
        .finally(() => {
          this.inFlightRequests -= 1;
        })
        .then(next.resolve, next.reject)
        .finally(() => this.sendWaiting());
    }
  }

  private shouldWatch(request: ZooKeeperRequest): boolean {
    if (request.op === 'exists' || request.op === 'getData') return this.handlers.change.has(request.path);
    if (request.op !== 'getChildren') return false;
    return (request.registerWatch ?? true) && this.handlers.childChange.has(request.path);
  }

  private failWaiting(code: 'SESSION_EXPIRED' | 'AUTH_FAILED'): void {
    for (const { request, resolve } of this.outbox.splice(0)) resolve({ code, path: pathOf(request) });
    this.failWaiters(new ZooKeeperError(code));
  }

  private failWaiters(error: unknown): void {
    for (const { reject } of this.waiters.splice(0)) reject(error);
  }

  private async ask(request: ZooKeeperRequest): Promise<ZooKeeperResponse> {
    const response = await this.handleRequest(request);
    ensureOk(response);
    return response;
  }
}

function closedError(): ZooKeeperClientClosedError {
  return new ZooKeeperClientClosedError('The ZooKeeper session is closed');
}
