import type { Time } from '@klassic/common';
import { BrokerConnection, DisconnectError } from '@klassic/network';
import { Errors, KafkaError } from '@klassic/protocol';
import type { ApiName, RequestInit, ResponseOf } from '@klassic/protocol';
import type { ControllerForwarder } from '../apis/controller-forwarding.ts';
import type { MetadataCache, Node } from '../metadata/index.ts';
import type { KafkaConfig } from './kafka-config.ts';

/**
 * A connection to another broker that opens at its first request, in the codec brokers speak among themselves. After a
 * failure the next request opens it anew.
 */
export class InterBrokerConnection {
  private readonly open: () => BrokerConnection;
  private current: { readonly connection: BrokerConnection; readonly ready: Promise<void> } | undefined;
  private closed = false;

  constructor(
    broker: { readonly host: string; readonly port: number },
    clientId: string,
    config: KafkaConfig,
    time: Time,
    requestTimeoutMs: number,
  ) {
    this.open = () =>
      new BrokerConnection({
        host: broker.host,
        port: broker.port,
        clientId,
        codec: config.interBrokerCodec,
        time,
        requestTimeoutMs,
        connectTimeoutMs: config.number('socket.connection.setup.timeout.ms'),
      });
  }

  /** Opens the connection now. @throws DisconnectError */
  connect(): Promise<void> {
    if (this.closed) return Promise.reject(new DisconnectError('the connection was closed'));
    if (this.current === undefined) {
      const connection = this.open();
      const opened = { connection, ready: connection.connect() };
      this.current = opened;
      connection.onClose(() => {
        if (this.current === opened) this.current = undefined;
      });
    }
    return this.current.ready;
  }

  /** @throws DisconnectError, RequestTimeoutError */
  async send<A extends ApiName>(api: A, version: number, body: RequestInit<A>): Promise<ResponseOf<A>> {
    await this.connect();
    const connection = this.current?.connection;
    if (connection === undefined) throw new DisconnectError('the connection was closed');
    return connection.send(api, version, body);
  }

  close(): void {
    this.closed = true;
    this.current?.connection.close();
    this.current = undefined;
  }
}

export interface ControllerChannelOptions {
  readonly config: KafkaConfig;
  /** `client.id` of its requests. */
  readonly clientId: string;
  readonly metadataCache: MetadataCache;
  readonly time: Time;
}

/** Passes requests on to whoever is the controller, over one connection that follows it. */
export class ControllerChannel implements ControllerForwarder {
  private readonly options: ControllerChannelOptions;
  private node: Node | undefined;
  private connection: InterBrokerConnection | undefined;

  constructor(options: ControllerChannelOptions) {
    this.options = options;
  }

  async forward<A extends ApiName>(api: A, version: number, body: RequestInit<A>): Promise<ResponseOf<A>> {
    const connection = this.connectionToController();
    if (connection === undefined) throw new KafkaError(Errors.NOT_CONTROLLER, 'No controller is known yet');
    try {
      return await connection.send(api, version, body);
    } catch (error) {
      if (!(error instanceof DisconnectError)) throw error;
      throw new KafkaError(Errors.NOT_CONTROLLER, `The controller cannot be reached: ${error.message}`);
    }
  }

  close(): void {
    this.connection?.close();
    this.connection = undefined;
  }

  private connectionToController(): InterBrokerConnection | undefined {
    const { config, clientId, metadataCache, time } = this.options;
    const node = metadataCache.getController(config.interBrokerListenerName);
    if (node === undefined) return undefined;
    const moved = node.id !== this.node?.id || node.host !== this.node.host || node.port !== this.node.port;
    if (this.connection === undefined || moved) {
      this.connection?.close();
      this.node = node;
      this.connection = new InterBrokerConnection(node, clientId, config, time, config.number('request.timeout.ms'));
    }
    return this.connection;
  }
}
