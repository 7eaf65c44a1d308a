import type { Socket } from 'node:net';
import { invariant } from '@klassic/common';
import type { Cancel, Logger, LoggerFactory, Time } from '@klassic/common';
import { Acceptor } from './acceptor.ts';
import { ConnectionQuotas } from './connection-quotas.ts';
import type { RequestCompletion, RequestHandler } from './network-request.ts';
import { RequestChannel } from './request-channel.ts';
import { ServerConnection } from './server-connection.ts';
import { defaultSocketServerConfig } from './socket-server-config.ts';
import type { ConnectionLimits, ListenerEndPoint, SocketServerConfig } from './socket-server-config.ts';

export interface SocketServerOptions {
  readonly endPoints: readonly ListenerEndPoint[];
  /** What is left out has Kafka's default. */
  readonly config?: Partial<SocketServerConfig>;
  readonly time: Time;
  readonly loggers: LoggerFactory;
  readonly handler: RequestHandler;
  /** For the request log and metrics. It costs a callback for each answer: leave it out where nobody listens. */
  readonly onComplete?: RequestCompletion;
}

interface AcceptedSocket {
  readonly socket: Socket;
  readonly endPoint: ListenerEndPoint;
  /** Before this it is not served, by `Time.hiResMs`. */
  readonly notBeforeHiResMs: number;
}

/** Connections accepted beyond `max.connections` that wait here for room; more are refused. */
const MAX_WAITING_CONNECTIONS = 50;

/** Connections above the rate of their address that are held until it is below again; more are closed at once. */
const MAX_HELD_CONNECTIONS = 1000;

/** How often idle connections are looked for, at most, in milliseconds. */
const IDLE_CHECK_MS = 10_000;

/**
 * Accepts connections on every listener and hands their requests to the handler. Counterpart of
 * `kafka.network.SocketServer` with its acceptors and processors; all share the one thread of Node.js.
 */
export class SocketServer {
  private readonly options: SocketServerOptions;
  private readonly channel: RequestChannel;
  private config: SocketServerConfig;
  private readonly logger: Logger;
  private readonly acceptors: Acceptor[];
  private readonly quotas: ConnectionQuotas;
  private readonly connections = new Set<ServerConnection>();
  private readonly held = new Map<Socket, Cancel>();
  private waiting: AcceptedSocket[] = [];
  private readonly counts: ReadonlyMap<string, { open: number; created: number }>;
  private state: 'bound' | 'processing' | 'stopped' = 'bound';
  private nextConnectionIndex = 0;
  private cancelIdleCheck: Cancel | undefined;

  constructor(options: SocketServerOptions) {
    this.options = options;
    this.config = { ...defaultSocketServerConfig, ...options.config };
    this.logger = options.loggers('kafka.network.SocketServer');
    const { quotaWindowNum, quotaWindowSizeSeconds, queuedMaxRequests } = this.config;
    this.quotas = new ConnectionQuotas(this.config, {
      samples: quotaWindowNum,
      windowMs: quotaWindowSizeSeconds * 1000,
    });
    this.channel = new RequestChannel({
      maxQueuedRequests: queuedMaxRequests,
      time: options.time,
      handler: options.handler,
    });
    this.counts = new Map(options.endPoints.map(({ listenerName }) => [listenerName, { open: 0, created: 0 }]));
    this.acceptors = options.endPoints.map(
      (endPoint) =>
        new Acceptor(endPoint, (socket) => {
          this.accept(socket, endPoint);
        }),
    );
  }

  /** Connections by listener: open and served, and accepted since the start. */
  get connectionCounts(): ReadonlyMap<string, { readonly open: number; readonly created: number }> {
    return this.counts;
  }

  /** Requests that wait for the handler. */
  get requestQueueSize(): number {
    return this.channel.requestQueueSize;
  }

  /** Milliseconds spent in the handler since the start. */
  get handlerBusyMs(): number {
    return this.channel.handlerBusyMs;
  }

  /** Connections that are open and served. */
  get connectionCount(): number {
    return this.connections.size;
  }

  /**
   * Binds every listener. Clients may connect from now on, but wait until `startProcessingRequests`.
   *
   * @throws SocketServerError, one clear line, when a port is taken; nothing is left bound then
   */
  async start(): Promise<void> {
    try {
      for (const acceptor of this.acceptors) {
        await acceptor.bind();
        const { host, listenerName } = acceptor.endPoint;
        this.logger.info(`Awaiting socket connections on ${host === '' ? '0.0.0.0' : host}:${acceptor.port}.`);
        this.logger.info(
          `[SocketServer listener=${listenerName}] Created data-plane acceptor for endpoint : ${listenerName}`,
        );
      }
    } catch (error) {
      await this.shutdown();
      throw error;
    }
  }

  /**
   * The port a listener is bound to, after `start`.
   *
   * @throws InvariantViolation when there is no such listener
   */
  boundPort(listenerName: string): number {
    const acceptor = this.acceptors.find(({ endPoint }) => endPoint.listenerName === listenerName);
    invariant(acceptor !== undefined, `no listener ${listenerName}`);
    return acceptor.port;
  }

  /** Begins to serve, first those that connected meanwhile. */
  startProcessingRequests(): void {
    invariant(this.state === 'bound', 'requests are processed once');
    this.state = 'processing';
    const maxIdleMs = this.config.connectionsMaxIdleMs;
    if (maxIdleMs >= 0) {
      this.cancelIdleCheck = this.options.time.scheduleEvery(Math.min(maxIdleMs, IDLE_CHECK_MS), () => {
        this.closeIdle(maxIdleMs);
        this.quotas.forgetIdleRates(this.options.time.milliseconds());
      });
    }
    this.logger.info('Started socket server acceptors and processors');
    this.admitWaiting();
  }

  /** Takes over other limits of connections; those that are open stay, those that wait are looked at again. */
  reconfigure(limits: Partial<ConnectionLimits>): void {
    this.config = { ...this.config, ...limits };
    this.quotas.reconfigure(this.config);
    this.admitWaiting();
  }

  /**
   * Sets `connection_creation_rate` of `/config/ips` (KIP-612).
   *
   * @param ip null for the default
   * @param rate connections per second; undefined where none is set any more
   */
  updateIpConnectionRate(ip: string | null, rate: number | undefined): void {
    this.quotas.updateIpConnectionRate(ip, rate);
  }

  /** Accepts nothing more and ends every connection; answers still to come are dropped. */
  stopProcessingRequests(): void {
    if (this.state === 'stopped') return;
    this.logger.info('Stopping socket server request processors');
    this.state = 'stopped';
    this.cancelIdleCheck?.();
    for (const acceptor of this.acceptors) acceptor.close();
    this.channel.close();
    for (const { socket } of this.waiting.splice(0)) socket.destroy();
    for (const [socket, cancel] of this.held) {
      cancel();
      socket.destroy();
    }
    this.held.clear();
    for (const connection of [...this.connections]) connection.close();
    this.logger.info('Stopped socket server request processors');
  }

  /** Stops, if that was not done before. */
  shutdown(): Promise<void> {
    this.logger.info('Shutting down socket server');
    this.stopProcessingRequests();
    this.logger.info('Shutdown completed');
    return Promise.resolve();
  }

  private accept(socket: Socket, endPoint: ListenerEndPoint): void {
    const address = plainAddress(socket.remoteAddress);
    if (this.state === 'stopped' || address === undefined) {
      socket.destroy();
      return;
    }
    const { time } = this.options;
    const admission = this.quotas.arrive(address, endPoint.listenerName, time.milliseconds());
    if (admission.kind === 'refuse') {
      this.logger.info(`Rejected connection from /${address}, ${admission.reason}`);
      this.closeAfter(socket, admission.delayMs);
      return;
    }
    const delayMs = admission.kind === 'wait' ? admission.delayMs : 0;
    const accepted = { socket, endPoint, notBeforeHiResMs: time.hiResMs() + delayMs };
    if (delayMs === 0 && this.state === 'processing' && this.quotas.hasRoom(endPoint.listenerName)) {
      this.serve(accepted, address);
    } else if (this.waiting.length < MAX_WAITING_CONNECTIONS) {
      // One that gives up while it waits is found out when its turn comes.
      socket.on('error', () => undefined);
      this.waiting.push(accepted);
      if (delayMs > 0) time.schedule(delayMs, () => this.admitWaiting());
    } else {
      this.logger.info(`Rejected connection from /${address}, ${MAX_WAITING_CONNECTIONS} connections wait already.`);
      socket.destroy();
    }
  }

  /** Holds a refused connection, unread, so that its client does not come again at once. */
  private closeAfter(socket: Socket, delayMs: number): void {
    if (delayMs === 0 || this.held.size >= MAX_HELD_CONNECTIONS) {
      socket.destroy();
      return;
    }
    const cancel = this.options.time.schedule(delayMs, () => {
      this.held.delete(socket);
      socket.destroy();
    });
    this.held.set(socket, cancel);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.held.delete(socket);
      cancel();
    });
  }

  private admitWaiting(): void {
    if (this.state !== 'processing') return;
    const nowHiResMs = this.options.time.hiResMs();
    const waiting = this.waiting;
    this.waiting = [];
    for (const accepted of waiting) {
      const { socket, endPoint, notBeforeHiResMs } = accepted;
      const address = plainAddress(socket.remoteAddress);
      if (address === undefined) socket.destroy();
      // A timer may fire within the millisecond before it is due.
      else if (notBeforeHiResMs - 1 > nowHiResMs || !this.quotas.hasRoom(endPoint.listenerName))
        this.waiting.push(accepted);
      else this.serve(accepted, address);
    }
  }

  private serve({ socket, endPoint }: AcceptedSocket, address: string): void {
    const counts = this.counts.get(endPoint.listenerName)!;
    const local = `${plainAddress(socket.localAddress) ?? endPoint.host}:${socket.localPort}`;
    const connection = new ServerConnection({
      socket,
      connectionId: `${local}-${address}:${socket.remotePort}-${this.takeConnectionIndex()}`,
      clientAddress: address,
      listenerName: endPoint.listenerName,
      securityProtocol: endPoint.securityProtocol,
      maxRequestBytes: this.config.maxRequestBytes,
      time: this.options.time,
      logger: this.logger,
      channel: this.channel,
      onComplete: this.options.onComplete,
      onClosed: (closed) => {
        this.connections.delete(closed);
        counts.open -= 1;
        this.quotas.remove(closed.clientAddress, endPoint.listenerName);
        this.admitWaiting();
      },
    });
    this.quotas.add(address, endPoint.listenerName);
    counts.open += 1;
    counts.created += 1;
    this.connections.add(connection);
    connection.start();
    if (this.quotas.isExceeded) this.closeLongestIdle();
  }

  private takeConnectionIndex(): number {
    const index = this.nextConnectionIndex;
    this.nextConnectionIndex = index === 0x7fffffff ? 0 : index + 1;
    return index;
  }

  /** Makes room for a connection of the inter-broker listener. */
  private closeLongestIdle(): void {
    let longest: ServerConnection | undefined;
    for (const connection of this.connections) {
      if (this.quotas.isProtected(connection.listenerName)) continue;
      if (longest === undefined || connection.idleMs() > longest.idleMs()) longest = connection;
    }
    if (longest === undefined) return;
    this.logger.info(`Closing the connection ${longest.connectionId}: max.connections is exceeded`);
    longest.close();
  }

  private closeIdle(maxIdleMs: number): void {
    for (const connection of [...this.connections]) {
      const idleMs = connection.idleMs();
      if (idleMs <= maxIdleMs) continue;
      this.logger.debug(
        `About to close the idle connection from ${connection.connectionId} due to being idle for ${Math.floor(idleMs)} millis`,
      );
      connection.close();
    }
  }
}

/** An IPv4 address without the prefix it bears on a socket that serves IPv6 too; undefined when the peer has gone. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') === true ? address.slice('::ffff:'.length) : address;
}
