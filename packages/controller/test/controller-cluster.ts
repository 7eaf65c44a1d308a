import type { LoggerFactory } from '@klassic/common';
import { silentLogger } from '@klassic/common';
import type { RequestInit } from '@klassic/protocol';
import { BrokerIdZNode } from '@klassic/zookeeper';
import type { ControlApi, ControllerConfig, KafkaController } from '../src/index.ts';
import { brokerInfo, ReplayCluster } from './replay-cluster.ts';

export interface ControllerClusterOptions {
  readonly config?: Partial<ControllerConfig>;
  /** Done to the tree before the first broker starts. */
  readonly before?: (cluster: ControllerCluster) => void;
}

/** What a partition's state znode says. */
export interface PartitionZNode {
  readonly controller_epoch: number;
  readonly leader: number;
  readonly leader_epoch: number;
  readonly isr: number[];
}

const paths = [
  '/brokers/ids',
  '/brokers/topics',
  '/admin/delete_topics',
  '/config/topics',
  '/isr_change_notification',
  '/log_dir_event_notification',
];

/** A cluster in memory, with the words in which tests of the controller speak. */
export class ControllerCluster extends ReplayCluster {
  /** Messages at ERROR, each followed by that of its error, of all brokers. */
  readonly errors: string[];
  private registered = 0;

  private constructor(config: Partial<ControllerConfig>) {
    const errors: string[] = [];
    const loggers: LoggerFactory = () => ({
      ...silentLogger,
      error: (message, error) => errors.push(error instanceof Error ? `${message}: ${error.message}` : message),
    });
    super(config, () => loggers);
    this.errors = errors;
  }

  /** Brokers that start one after the other: the first is the controller. */
  static async start(ids: readonly number[], options: ControllerClusterOptions = {}): Promise<ControllerCluster> {
    const cluster = new ControllerCluster(options.config ?? {});
    for (const path of paths) cluster.zk.put(path, null);
    options.before?.(cluster);
    for (const id of ids) await cluster.add(id);
    return cluster;
  }

  /** The one that is the controller. */
  get active(): KafkaController {
    const active = [...this.brokers.values()].filter(({ alive, controller }) => alive && controller.isActive);
    if (active.length !== 1) throw new Error(`${active.length} controllers`);
    return active[0]!.controller;
  }

  /** A broker registers and starts. */
  async add(id: number): Promise<void> {
    const session = this.register(id);
    this.startBroker(id, session);
    await this.settle();
  }

  /** The registration of a broker by a new session, without its process. @returns the session's name */
  register(id: number): string {
    const session = `broker-${id}#${++this.registered}`;
    const data = BrokerIdZNode.encode(brokerInfo(id), 0);
    this.zk.apply(session, [{ op: 'create', path: BrokerIdZNode.path(id), data, ephemeral: true }], false);
    return session;
  }

  /** A broker dies, and its session ends. */
  async lose(id: number): Promise<void> {
    this.kill(id);
    this.zk.closeSession(this.zk.nodes.get(BrokerIdZNode.path(id))!.owner!);
    await this.settle();
  }

  /** Somebody who is no broker creates a znode. */
  async create(path: string, value: unknown = null): Promise<void> {
    const data = value === null ? null : Buffer.from(JSON.stringify(value));
    this.zk.apply('client', [{ op: 'create', path, data }], false);
    await this.settle();
  }

  /** Somebody who is no broker writes a znode. */
  async write(path: string, value: unknown): Promise<void> {
    const data = Buffer.from(JSON.stringify(value));
    this.zk.apply('client', [{ op: 'setData', path, data, version: -1 }], false);
    await this.settle();
  }

  createTopic(topic: string, partitions: Readonly<Record<number, readonly number[]>>): Promise<void> {
    return this.create(`/brokers/topics/${topic}`, topicZNode(partitions));
  }

  deleteTopic(topic: string): Promise<void> {
    return this.create(`/admin/delete_topics/${topic}`);
  }

  /** The leader of a partition changes the ISR, as brokers do before inter.broker.protocol.version 2.7. */
  async changeIsr(topic: string, partition: number, isr: readonly number[]): Promise<void> {
    await this.write(statePath(topic, partition), { ...this.state(topic, partition), isr });
  }

  state(topic: string, partition: number): PartitionZNode {
    return this.zk.json(statePath(topic, partition)) as PartitionZNode;
  }

  assignment(topic: string): unknown {
    return this.zk.json(`/brokers/topics/${topic}`);
  }

  /** The requests of one kind to a broker since `sent` was last emptied. */
  told<A extends ControlApi>(to: number, api: A): RequestInit<A>[] {
    return this.sent
      .filter((sent) => sent.to === to && sent.api === api)
      .map(({ request }) => request as RequestInit<A>);
  }

  /** What the last such request to a broker says of a partition. */
  lastTold(to: number, api: ControlApi, topic: string, partition: number): Record<string, unknown> | undefined {
    const states = this.told(to, api).flatMap(({ topicStates = [] }) =>
      topicStates
        .filter(({ topicName }) => topicName === topic)
        .flatMap(({ partitionStates = [] }) => partitionStates as readonly Record<string, unknown>[]),
    );
    return states.filter(({ partitionIndex }) => partitionIndex === partition).at(-1);
  }
}

export function statePath(topic: string, partition: number): string {
  return `/brokers/topics/${topic}/partitions/${partition}/state`;
}

export function topicZNode(
  partitions: Readonly<Record<number, readonly number[]>>,
  adding: Readonly<Record<number, readonly number[]>> = {},
  removing: Readonly<Record<number, readonly number[]>> = {},
): unknown {
  return { partitions, adding_replicas: adding, removing_replicas: removing, version: 3 };
}
