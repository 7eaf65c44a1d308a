import type { Histogram, Logger, LoggerFactory, Time } from '@klassic/common';
import { prefixed } from '@klassic/common';
import type { BrokerInfo } from '@klassic/zookeeper';
import type { ControllerConfig } from './controller-config.ts';
import type { BrokerNode, ConnectToBroker } from './controller-connection.ts';
import type { ControllerContext } from './controller-context.ts';
import type { QueueItem } from './request-send-thread.ts';
import { RequestSendThread } from './request-send-thread.ts';
import type { StateChangeLogger } from './state-change-logger.ts';

export interface ControllerChannelManagerOptions {
  readonly config: ControllerConfig;
  readonly context: ControllerContext;
  readonly connect: ConnectToBroker;
  readonly stateChangeLogger: StateChangeLogger;
  readonly time: Time;
  readonly loggers: LoggerFactory;
}

/** What is told of the queue to one broker: gauge `QueueSize` and timer `RequestRateAndQueueTimeMs`. */
export interface BrokerQueueMetrics {
  readonly queueSize: number;
  readonly queueTimeMs: Histogram;
}

/** One queue and one connection per live broker (`kafka.controller.ControllerChannelManager`). */
export class ControllerChannelManager {
  private readonly options: ControllerChannelManagerOptions;
  private readonly threads = new Map<number, RequestSendThread>();
  private readonly log: Logger;

  constructor(options: ControllerChannelManagerOptions) {
    this.options = options;
    this.log = prefixed(
      options.loggers('kafka.controller.ControllerChannelManager'),
      `[Channel manager on controller ${options.config.brokerId}]: `,
    );
  }

  /** Requests that wait for a broker, all brokers together. */
  get totalQueueSize(): number {
    return [...this.threads.values()].reduce((sum, thread) => sum + thread.queueSize, 0);
  }

  /** By broker id, of the brokers that this controller sends to. */
  get queues(): ReadonlyMap<number, BrokerQueueMetrics> {
    return this.threads;
  }

  /** Resolves when every broker has answered what is queued for it, at the latest after `limitMs` milliseconds. */
  whenIdle(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.options.time.schedule(limitMs, resolve);
      void Promise.all([...this.threads.values()].map((thread) => thread.whenIdle())).then(() => {
        cancel();
        resolve();
      });
    });
  }

  startup(): void {
    for (const broker of this.options.context.liveOrShuttingDownBrokers) this.addBroker(broker);
  }

  shutdown(): void {
    for (const brokerId of [...this.threads.keys()]) this.removeBroker(brokerId);
  }

  addBroker(broker: BrokerInfo): void {
    if (this.threads.has(broker.id)) return;
    const { config, context, connect, stateChangeLogger, time, loggers } = this.options;
    this.log.debug(`Controller ${config.brokerId} trying to connect to broker ${broker.id}`);
    const node = brokerNode(broker, config.interBrokerListenerName);
    if (node === undefined) {
      this.log.error(`Broker ${broker.id} has no listener ${config.interBrokerListenerName}: it cannot be commanded`);
      return;
    }
    const controllerId = config.brokerId;
    const thread = new RequestSendThread({ controllerId, node, context, connect, stateChangeLogger, time, loggers });
    this.threads.set(broker.id, thread);
    thread.start();
  }

  removeBroker(brokerId: number): void {
    this.threads.get(brokerId)?.shutdown();
    this.threads.delete(brokerId);
  }

  sendRequest(brokerId: number, item: QueueItem): void {
    const thread = this.threads.get(brokerId);
    if (thread === undefined) {
      this.log.warn(`Not sending request ${item.api} to broker ${brokerId}, since it is offline.`);
      return;
    }
    thread.enqueue(item);
  }
}

/** The address of a broker under a listener; undefined when it has no such listener. */
export function brokerNode(broker: BrokerInfo, listenerName: string): BrokerNode | undefined {
  const endPoint = broker.endPoints.find((candidate) => candidate.listenerName === listenerName);
  if (endPoint === undefined) return undefined;
  return { id: broker.id, host: endPoint.host, port: endPoint.port, rack: broker.rack };
}
