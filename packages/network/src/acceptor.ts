import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SocketServerError } from './network-errors.ts';
import type { ListenerEndPoint } from './socket-server-config.ts';

/** Length of the queue of connections the operating system has made and nobody has taken, as Kafka 2.8 sets it. */
const BACKLOG = 50;

const causes: Record<string, string> = {
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EACCES: 'Permission denied',
  ENOTFOUND: 'Unresolved address',
};

/** The listening socket of one listener. Accepted sockets are handed on paused. Counterpart of `kafka.network.Acceptor`. */
export class Acceptor {
  readonly endPoint: ListenerEndPoint;
  private readonly server: Server;

  constructor(endPoint: ListenerEndPoint, onAccepted: (socket: Socket, acceptor: Acceptor) => void) {
    this.endPoint = endPoint;
    this.server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true }, (socket) => {
      onAccepted(socket, this);
    });
  }

  /** @throws SocketServerError when the address cannot be bound */
  bind(): Promise<void> {
    const { host, port } = this.endPoint;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const cause = causes[error.code ?? ''] ?? error.message;
        const place = `${host === '' ? '0.0.0.0' : host}:${port}`;
        reject(new SocketServerError(`Socket server failed to bind to ${place}: ${cause}.`, { cause: error }));
      });
      this.server.listen({ ...(host === '' ? {} : { host }), port, backlog: BACKLOG }, resolve);
    });
  }

  /** The bound port. To be asked after `bind`. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Stops listening. */
  close(): void {
    this.server.close();
  }
}
