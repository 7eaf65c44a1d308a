import type { Socket } from 'node:net';
import { SystemTime, silentLoggers } from '@klassic/common';
import type { Logger, LoggerFactory } from '@klassic/common';
import type { Codec } from '@klassic/protocol';
import { BrokerConnection, SocketServer } from '../src/index.ts';
import type { NetworkRequest, SocketServerOptions } from '../src/index.ts';

export const time = new SystemTime();

/** Collects what is said at INFO and above. */
export function collectingLoggers(lines: string[]): LoggerFactory {
  return (name) => {
    const say = (message: string): void => {
      lines.push(`${name}: ${message}`);
    };
    const logger: Logger = { ...silentLoggers(name), info: say, warn: say, error: say };
    return logger;
  };
}

export interface LoopbackServer {
  readonly server: SocketServer;
  readonly port: number;
  readonly lines: string[];
}

const opened: (LoopbackServer | BrokerConnection | Socket)[] = [];

/** Has `closeKept` end a server or a connection. */
export function keep<T extends LoopbackServer | BrokerConnection | Socket>(thing: T): T {
  opened.push(thing);
  return thing;
}

/** Ends all that was kept: for `afterEach`. */
export async function closeKept(): Promise<void> {
  for (const thing of opened.splice(0)) {
    if ('destroy' in thing) thing.destroy();
    else if ('server' in thing) await thing.server.shutdown();
    else thing.close();
  }
}

/** A server on a free port of 127.0.0.1 that serves at once. */
export async function startServer(
  handler: (request: NetworkRequest) => void,
  options: Partial<SocketServerOptions> = {},
): Promise<LoopbackServer> {
  const lines: string[] = [];
  const server = new SocketServer({
    endPoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 0 }],
    time,
    loggers: collectingLoggers(lines),
    handler,
    ...options,
  });
  await server.start();
  server.startProcessingRequests();
  return { server, port: server.boundPort('PLAINTEXT'), lines };
}

export async function connectTo(port: number, codec: Codec, requestTimeoutMs = 5_000): Promise<BrokerConnection> {
  const host = '127.0.0.1';
  const connectTimeoutMs = 30_000;
  const options = { host, port, clientId: 'test', codec, time, requestTimeoutMs, connectTimeoutMs };
  const connection = new BrokerConnection(options);
  await connection.connect();
  return connection;
}
