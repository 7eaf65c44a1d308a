import type { SocketServerConfig } from './socket-server-config.ts';

/** Counts connections, by address and in all. Counterpart of `kafka.network.ConnectionQuotas` (limits, not rates). */
export class ConnectionQuotas {
  private config: SocketServerConfig;
  private readonly byAddress = new Map<string, number>();
  private count = 0;

  constructor(config: SocketServerConfig) {
    this.config = config;
  }

  /** Other limits from now on; connections that are beyond them stay. */
  update(config: SocketServerConfig): void {
    this.config = config;
  }

  get total(): number {
    return this.count;
  }

  /** False when `max.connections` is reached: the next connection waits. */
  get hasRoom(): boolean {
    return this.count < this.config.maxConnections;
  }

  /** The limit that one more connection from this address would pass; undefined when it may come. */
  exceededLimit(address: string): number | undefined {
    const limit = this.config.maxConnectionsPerIpOverrides.get(address) ?? this.config.maxConnectionsPerIp;
    return (this.byAddress.get(address) ?? 0) >= limit ? limit : undefined;
  }

  add(address: string): void {
    this.count += 1;
    this.byAddress.set(address, (this.byAddress.get(address) ?? 0) + 1);
  }

  remove(address: string): void {
    this.count -= 1;
    const left = (this.byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.byAddress.set(address, left);
    else this.byAddress.delete(address);
  }
}
