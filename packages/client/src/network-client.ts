import { delay } from '@klassic/common';
import type { Logger } from '@klassic/common';
import { BrokerConnection, DisconnectError } from '@klassic/network';
import { apis } from '@klassic/protocol';
import type { ApiName, RequestInit, ResponseOf } from '@klassic/protocol';
import type { ClientConfig } from './client-config.ts';
import { IllegalStateError, throwIfError, UnsupportedApiError } from './client-errors.ts';
import type { Node } from './metadata/cluster.ts';

export interface ApiVersionRange {
  readonly minVersion: number;
  readonly maxVersion: number;
}

/** A request's body, or what makes it once the version is known. */
export type BodyFor<A extends ApiName> = RequestInit<A> | ((version: number) => RequestInit<A>);

export interface NetworkSendOptions {
  /** Default: `request.timeout.ms`. */
  readonly timeoutMs?: number;
  /** Connections of different purposes to one node are apart, so that a long poll holds nothing else up. */
  readonly purpose?: string;
  /** The newest version to use. */
  readonly maxVersion?: number;
}

interface Channel {
  readonly connection: BrokerConnection;
  readonly versions: ReadonlyMap<number, ApiVersionRange>;
}

interface Failures {
  count: number;
  retryAtHiResMs: number;
}

const SOFTWARE_NAME = 'klassic';
const SOFTWARE_VERSION = '0.1.0';

/**
 * The client's connections, one for each node and purpose, opened when first needed; versions are negotiated on each by
 * ApiVersions. Counterpart of `org.apache.kafka.clients.NetworkClient`.
 */
export class NetworkClient {
  private readonly config: ClientConfig;
  private readonly logger: Logger;
  private readonly channels = new Map<string, Promise<Channel>>();
  private readonly connections = new Set<BrokerConnection>();
  private readonly failures = new Map<string, Failures>();
  private closed = false;

  constructor(config: ClientConfig) {
    this.config = config;
    this.logger = config.loggers('org.apache.kafka.clients.NetworkClient');
  }

  /**
   * Sends a request in the newest version both sides know.
   *
   * @throws DisconnectError, RequestTimeoutError as `BrokerConnection.send`
   * @throws UnsupportedApiError when the broker has no common version
   */
  async send<A extends ApiName>(
    node: Node,
    api: A,
    body: BodyFor<A>,
    options: NetworkSendOptions = {},
  ): Promise<ResponseOf<A>> {
    const channel = await this.channel(node, options.purpose);
    const version = this.pickVersion(channel, api, options.maxVersion);
    const init = typeof body === 'function' ? body(version) : body;
    return await channel.connection.send(
      api,
      version,
      init,
      options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs },
    );
  }

  /** Sends a request that has no answer; resolves when its bytes are on their way. */
  async sendOneWay<A extends ApiName>(node: Node, api: A, body: BodyFor<A>): Promise<void> {
    const channel = await this.channel(node, undefined);
    const version = this.pickVersion(channel, api, undefined);
    await channel.connection.sendOneWay(api, version, typeof body === 'function' ? body(version) : body);
  }

  /** What a node offers, by api key. */
  async apiVersions(node: Node): Promise<ReadonlyMap<number, ApiVersionRange>> {
    return (await this.channel(node, undefined)).versions;
  }

  /** True when there is a connection, or no failed attempt from which the node still rests. */
  isReady(node: Node): boolean {
    const failures = this.failures.get(keyOf(node, undefined));
    return failures === undefined || failures.retryAtHiResMs <= this.config.time.hiResMs();
  }

  /** Closes every connection; requests in flight fail. */
  close(): void {
    this.closed = true;
    this.channels.clear();
    for (const connection of [...this.connections]) connection.close();
  }

  private channel(node: Node, purpose: string | undefined): Promise<Channel> {
    if (this.closed) return Promise.reject(new IllegalStateError('The client has been closed'));
    const key = keyOf(node, purpose);
    let channel = this.channels.get(key);
    if (channel === undefined) {
      channel = this.open(key, node);
      this.channels.set(key, channel);
    }
    return channel;
  }

  private async open(key: string, node: Node): Promise<Channel> {
    const { time } = this.config;
    const waitMs = (this.failures.get(key)?.retryAtHiResMs ?? 0) - time.hiResMs();
    if (waitMs > 0) await delay(time, waitMs);
    const connection = new BrokerConnection({
      host: node.host,
      port: node.port,
      clientId: this.config.clientId,
      codec: this.config.codec,
      time,
      requestTimeoutMs: this.config.requestTimeoutMs,
      connectTimeoutMs: this.config.socketConnectionSetupTimeoutMs,
    });
    this.connections.add(connection);
    connection.onClose((reason) => {
      this.connections.delete(connection);
      this.channels.delete(key);
      this.logger.debug(`Node ${node.id} disconnected: ${reason.message}`);
    });
    try {
      if (this.closed) throw new IllegalStateError('The client has been closed');
      await connection.connect();
      const versions = await negotiate(connection);
      this.failures.delete(key);
      return { connection, versions };
    } catch (error) {
      connection.close();
      this.channels.delete(key);
      this.noteFailure(key);
      throw error;
    }
  }

  private noteFailure(key: string): void {
    const { reconnectBackoffMs, reconnectBackoffMaxMs, random, time } = this.config;
    const count = (this.failures.get(key)?.count ?? 0) + 1;
    const pauseMs = Math.min(reconnectBackoffMs * 2 ** (count - 1), reconnectBackoffMaxMs);
    this.failures.set(key, { count, retryAtHiResMs: time.hiResMs() + pauseMs * (0.8 + 0.4 * random.next()) });
  }

  private pickVersion(channel: Channel, name: ApiName, maxVersion: number | undefined): number {
    const api = apis[name];
    const offered = channel.versions.get(api.key);
    const newest = Math.min(api.maxVersion, offered?.maxVersion ?? -1, maxVersion ?? api.maxVersion);
    if (offered === undefined || newest < Math.max(api.minVersion, offered.minVersion)) {
      throw new UnsupportedApiError(`The broker does not support ${name}`);
    }
    return newest;
  }
}

/** Asks by ApiVersions v3 (brokers since 2.4; an answer of error 35 comes in v0 and tells the same). */
async function negotiate(connection: BrokerConnection): Promise<Map<number, ApiVersionRange>> {
  const answer = await connection.send('ApiVersions', 3, {
    clientSoftwareName: SOFTWARE_NAME,
    clientSoftwareVersion: SOFTWARE_VERSION,
  });
  throwIfError(answer.errorCode);
  if (answer.apiKeys.length === 0) throw new DisconnectError('The broker offers no API');
  return new Map(answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { minVersion, maxVersion }]));
}

function keyOf(node: Node, purpose: string | undefined): string {
  return `${node.id}@${node.host}:${node.port}/${purpose ?? ''}`;
}
