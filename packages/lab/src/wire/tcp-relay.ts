import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { FrameSplitter } from './frame-splitter.ts';

/** Which way bytes go: from whoever connected to the relay to the server behind it, or back. */
export type Direction = 'to-server' | 'to-client';

export interface TappedFrame {
  /** Counts the relay's connections, from 1. */
  readonly connection: number;
  readonly direction: Direction;
  /** The frame without its size. */
  readonly frame: Buffer;
}

export interface TcpRelayOptions {
  readonly targetPort: number;
  readonly targetHost?: string;
  /** Where the relay listens; default: a free port. */
  readonly port?: number;
  /** Reads along: told of every frame that came in, before it is passed on. */
  readonly onFrame?: (frame: TappedFrame) => void;
}

interface Link {
  readonly id: number;
  readonly client: Socket;
  readonly server: Socket;
}

/**
 * Stands between two parties on 127.0.0.1 and passes bytes on. It can cut the connections, let both sides wait in silence (as a
 * network partition does, where nobody closes anything), make the way longer, and read along.
 */
export class TcpRelay {
  private readonly options: TcpRelayOptions;
  private readonly listener: Server;
  private readonly links = new Set<Link>();
  private count = 0;
  private isCut = false;
  private isPaused = false;
  private delayMs = 0;

  private constructor(options: TcpRelayOptions) {
    this.options = options;
    // Half-open on both sides: that one party has ended does not end what the other still sends.
    this.listener = createServer({ allowHalfOpen: true }, (client) => this.accept(client));
  }

  /** @throws Error when the port is taken */
  static async start(options: TcpRelayOptions): Promise<TcpRelay> {
    const relay = new TcpRelay(options);
    relay.listener.listen(options.port ?? 0, '127.0.0.1');
    await once(relay.listener, 'listening');
    return relay;
  }

  get port(): number {
    const address = this.listener.address();
    if (address === null || typeof address === 'string') throw new Error('the relay is closed');
    return address.port;
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.links.size;
  }

  /** Closes every connection, and each new one at once, until `heal()`. */
  cut(): void {
    this.isCut = true;
    for (const link of this.links) drop(link);
  }

  /** Passes nothing on, either way; connections stay open, new ones are accepted and stay silent. */
  pause(): void {
    this.isPaused = true;
    for (const link of this.links) hold(link);
  }

  /** Each piece passes this much later, in milliseconds; order is kept. 0 ends it. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** Ends cuts, silence and delays; what was held back passes now. */
  heal(): void {
    this.isCut = false;
    this.isPaused = false;
    this.delayMs = 0;
    for (const link of this.links) {
      link.client.resume();
      link.server.resume();
    }
  }

  /** Closes every connection and the port. */
  async close(): Promise<void> {
    for (const link of this.links) drop(link);
    await new Promise((resolve) => this.listener.close(resolve));
  }

  private accept(client: Socket): void {
    if (this.isCut) {
      client.destroy();
      return;
    }
    this.count += 1;
    const { targetPort: port, targetHost: host = '127.0.0.1' } = this.options;
    const server = connect({ port, host, allowHalfOpen: true });
    const link: Link = { id: this.count, client, server };
    this.links.add(link);
    this.pass(link, client, server, 'to-server');
    this.pass(link, server, client, 'to-client');
    if (this.isPaused) hold(link);
  }

  private pass(link: Link, from: Socket, to: Socket, direction: Direction): void {
    const { onFrame } = this.options;
    const splitter = onFrame && new FrameSplitter((frame) => onFrame({ connection: link.id, direction, frame }));
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      splitter?.push(chunk);
      this.later(() => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => {
          if (!this.isPaused) from.resume();
        });
      });
    });
    from.on('end', () => this.later(() => to.end()));
    // A reset is a way of closing: the other side is closed, too.
    from.on('error', () => drop(link));
    from.on('close', () => {
      this.links.delete(link);
      this.later(() => to.destroySoon());
    });
  }

  /** Timers of equal length fire in the order they were set, so pieces keep their order while the delay does not change. */
  private later(task: () => void): void {
    if (this.delayMs === 0) task();
    else setTimeout(task, this.delayMs);
  }
}

function hold(link: Link): void {
  link.client.pause();
  link.server.pause();
}

function drop(link: Link): void {
  link.client.destroy();
  link.server.destroy();
}
