import type { SecurityProtocol } from './network-request.ts';

/** One of `listeners`. */
export interface ListenerEndPoint {
  readonly listenerName: string;
  readonly securityProtocol: SecurityProtocol;
  /** Address to bind; empty for all interfaces. */
  readonly host: string;
  /** 0 for any free one; `SocketServer.boundPort` tells which. */
  readonly port: number;
}

/** The settings that limit connections; all may change while the broker runs (KIP-402, KIP-612). */
export interface ConnectionLimits {
  /** `max.connections` (2147483647) over all listeners: further ones wait, as in the backlog, until one closes. */
  readonly maxConnections: number;
  /** `max.connections.per.ip` (2147483647): further ones are refused. */
  readonly maxConnectionsPerIp: number;
  /** `max.connections.per.ip.overrides`: by IP address. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
  /** `max.connection.creation.rate` (2147483647) over all listeners, per second: further ones wait. */
  readonly maxConnectionCreationRate: number;
  /** `listener.name.<listener>.max.connections`, by listener. */
  readonly maxListenerConnections: ReadonlyMap<string, number>;
  /** `listener.name.<listener>.max.connection.creation.rate`, by listener. */
  readonly maxListenerCreationRate: ReadonlyMap<string, number>;
  /**
   * The inter-broker listener where there are others: beyond `max.connections` it takes connections all the same, and the
   * one that was idle longest on another listener is closed.
   */
  readonly protectedListener: string | undefined;
}

/** The broker settings that the socket server obeys; defaults are Kafka's. */
export interface SocketServerConfig extends ConnectionLimits {
  /** `socket.request.max.bytes` (104857600): a frame that claims more closes its connection. */
  readonly maxRequestBytes: number;
  /** `connections.max.idle.ms` (600000); negative for never. */
  readonly connectionsMaxIdleMs: number;
  /** `queued.max.requests` (500): how many requests may wait for the handler before sockets are no longer read. */
  readonly queuedMaxRequests: number;
  /** `quota.window.num` (11): windows over which the rate of connections is measured. */
  readonly quotaWindowNum: number;
  /** `quota.window.size.seconds` (1) */
  readonly quotaWindowSizeSeconds: number;
}

const MAX_INT32 = 0x7fffffff;

export const defaultSocketServerConfig: SocketServerConfig = {
  maxRequestBytes: 100 * 1024 * 1024,
  connectionsMaxIdleMs: 10 * 60 * 1000,
  maxConnections: MAX_INT32,
  maxConnectionsPerIp: MAX_INT32,
  maxConnectionsPerIpOverrides: new Map(),
  maxConnectionCreationRate: MAX_INT32,
  maxListenerConnections: new Map(),
  maxListenerCreationRate: new Map(),
  protectedListener: undefined,
  queuedMaxRequests: 500,
  quotaWindowNum: 11,
  quotaWindowSizeSeconds: 1,
};
