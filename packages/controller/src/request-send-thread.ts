import type { Cancel, Logger, LoggerFactory, Time } from '@klassic/common';
import { Histogram, prefixed } from '@klassic/common';
import type { RequestInit, ResponseOf } from '@klassic/protocol';
import { apis } from '@klassic/protocol';
import type { ControlApi } from './control-requests.ts';
import type { BrokerNode, ConnectToBroker, ControllerConnection } from './controller-connection.ts';
import type { ControllerContext } from './controller-context.ts';
import type { StateChangeLogger } from './state-change-logger.ts';

/** Pause before the next try when a broker cannot be reached or a request failed, in milliseconds. */
const RETRY_BACKOFF_MS = 100;
/** Microseconds are told apart. */
const QUEUE_TIME_RESOLUTION_MS = 0.001;

/** A request waiting for its broker. */
export interface QueueItem {
  readonly api: ControlApi;
  /** Sends the request; resolves to the answer and to what is to be done with it. */
  exchange(connection: ControllerConnection): Promise<Answer>;
}

interface Answer {
  readonly response: ResponseOf<ControlApi>;
  deliver(): void;
}

/** Makes a request for a broker's queue. */
export function queueItem<A extends ControlApi>(
  api: A,
  version: number,
  body: RequestInit<A>,
  callback: (response: ResponseOf<A>) => void,
): QueueItem {
  return {
    api,
    exchange: async (connection) => {
      const response = await connection.send(api, version, body);
      return { response, deliver: () => callback(response) };
    },
  };
}

export interface RequestSendThreadOptions {
  readonly controllerId: number;
  readonly node: BrokerNode;
  readonly context: ControllerContext;
  readonly connect: ConnectToBroker;
  readonly stateChangeLogger: StateChangeLogger;
  readonly time: Time;
  readonly loggers: LoggerFactory;
}

/**
 * Sends the controller's requests to one broker, one at a time and in order. A request is repeated until the broker
 * answers it or `shutdown` is called, when the broker's registration is gone (`kafka.controller.RequestSendThread`).
 */
export class RequestSendThread {
  /** How long requests waited before their first try, ms. */
  readonly queueTimeMs = new Histogram(QUEUE_TIME_RESOLUTION_MS);
  private readonly options: RequestSendThreadOptions;
  private readonly queue: { readonly item: QueueItem; readonly queuedHiResMs: number }[] = [];
  private readonly log: Logger;
  private connection: ControllerConnection | undefined;
  private running = true;
  private working = false;
  private work: Promise<void> = Promise.resolve();
  private sent = 0;
  private endPause: (() => void) | undefined;

  constructor(options: RequestSendThreadOptions) {
    this.options = options;
    this.log = prefixed(
      options.loggers('kafka.controller.RequestSendThread'),
      `[RequestSendThread controllerId=${options.controllerId}] `,
    );
  }

  /** Requests that wait; the one under way is not among them. */
  get queueSize(): number {
    return this.queue.length;
  }

  start(): void {
    this.log.info('Starting');
  }

  enqueue(item: QueueItem): void {
    if (!this.running) return;
    this.queue.push({ item, queuedHiResMs: this.options.time.hiResMs() });
    if (!this.working) this.work = this.sendAll();
  }

  /** Resolves when everything queued has been answered, or was given up by `shutdown`. */
  whenIdle(): Promise<void> {
    return this.work;
  }

  /** Gives up what is queued and closes the connection, without an answer to a request under way. */
  shutdown(): void {
    if (!this.running) return;
    this.log.info('Shutting down');
    this.running = false;
    this.queue.length = 0;
    this.endPause?.();
    this.disconnect();
    this.log.info('Stopped');
    this.log.info('Shutdown completed');
  }

  private async sendAll(): Promise<void> {
    this.working = true;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      this.queueTimeMs.update(this.options.time.hiResMs() - next.queuedHiResMs);
      await this.sendUntilAnswered(next.item);
    }
    this.working = false;
  }

  private async sendUntilAnswered(item: QueueItem): Promise<void> {
    while (this.running) {
      const connection = await this.ready();
      if (connection !== undefined && this.running) {
        const answer = await this.trySend(connection, item);
        // An answer that comes after shutdown is nobody's: the broker it was meant for is gone.
        if (answer !== undefined && this.running) {
          this.logResponse(item.api, answer.response);
          answer.deliver();
          return;
        }
      }
      if (this.running) await this.pause();
    }
  }

  /** The open connection, opened where needed; undefined when the broker cannot be reached. */
  private async ready(): Promise<ControllerConnection | undefined> {
    if (this.connection !== undefined) return this.connection;
    const connection = this.options.connect(this.options.node);
    this.connection = connection;
    try {
      await connection.connect?.();
    } catch (error) {
      if (this.running) {
        this.log.warn(
          `Controller ${this.options.controllerId}'s connection to broker ${this.nodeText()} was unsuccessful: ${String(error)}`,
        );
      }
      this.disconnect();
      return undefined;
    }
    if (this.running) {
      this.log.info(
        `Controller ${this.options.controllerId} connected to ${this.nodeText()} for sending state change requests`,
      );
    }
    return connection;
  }

  private async trySend(connection: ControllerConnection, item: QueueItem): Promise<Answer | undefined> {
    try {
      return await item.exchange(connection);
    } catch (error) {
      if (this.running) {
        this.log.warn(
          `Controller ${this.options.controllerId} epoch ${this.options.context.epoch} fails to send request ${item.api} ` +
            `to broker ${this.nodeText()}. Reconnecting to broker. ${String(error)}`,
        );
      }
      this.disconnect();
      return undefined;
    }
  }

  private disconnect(): void {
    this.connection?.close();
    this.connection = undefined;
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel: Cancel = this.options.time.schedule(RETRY_BACKOFF_MS, resolve);
      this.endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  private logResponse(api: ControlApi, response: ResponseOf<ControlApi>): void {
    const log = this.options.stateChangeLogger.withControllerEpoch(this.options.context.epoch);
    const correlationId = this.sent++;
    if (!log.isEnabled('TRACE')) return;
    log.trace(
      `Received response ${responseText(api, response)} for request ${apis[api].loggedName} ` +
        `with correlation id ${correlationId} sent to broker ${this.nodeText()}`,
    );
  }

  private nodeText(): string {
    const { id, host, port, rack } = this.options.node;
    return `${host}:${port} (id: ${id} rack: ${rack ?? 'null'})`;
  }
}

function responseText(api: ControlApi, response: ResponseOf<ControlApi>): string {
  if (!('partitionErrors' in response)) return `${api}ResponseData(errorCode=${response.errorCode})`;
  const errors = response.partitionErrors.map(
    ({ topicName, partitionIndex, errorCode }) =>
      `${api}PartitionError(topicName='${topicName}', partitionIndex=${partitionIndex}, errorCode=${errorCode})`,
  );
  const topics = api === 'LeaderAndIsr' ? ', topics=[]' : '';
  return `${api}ResponseData(errorCode=${response.errorCode}, partitionErrors=[${errors.join(', ')}]${topics})`;
}
