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

/** The broker settings that the socket server obeys; defaults are Kafka's. */
export interface SocketServerConfig {
  /** `socket.request.max.bytes` (104857600): a frame that claims more closes its connection. */
  readonly maxRequestBytes: number;
  /** `connections.max.idle.ms` (600000); negative for never. */
  readonly connectionsMaxIdleMs: number;
  /** `max.connections` (2147483647) over all listeners: further ones wait, as in the backlog, until one closes. */
  readonly maxConnections: number;
  /** `max.connections.per.ip` (2147483647): further ones are refused. */
  readonly maxConnectionsPerIp: number;
  /** `max.connections.per.ip.overrides`: by IP address. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>;
}

const MAX_INT32 = 0x7fffffff;

export const defaultSocketServerConfig: SocketServerConfig = {
  maxRequestBytes: 100 * 1024 * 1024,
  connectionsMaxIdleMs: 10 * 60 * 1000,
  maxConnections: MAX_INT32,
  maxConnectionsPerIp: MAX_INT32,
  maxConnectionsPerIpOverrides: new Map(),
};
