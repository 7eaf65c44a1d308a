import { join } from 'node:path';
import { BrokerProcess, brokerProperties, eventually, freePorts, readZooKeeper } from '@klassic/lab';
import type { BrokerProcessOptions, ProcessIdentity, Properties } from '@klassic/lab';
import { killAfterwards, temporaryFolder } from './left-overs.ts';
import { startZooKeeper } from './zookeeper.ts';
import type { TestZooKeeper } from './zookeeper.ts';

export interface StartBrokerOptions {
  readonly zooKeeperConnect: string;
  /** `broker.id`; default 1. */
  readonly id?: number;
  /** Default: a free one. */
  readonly port?: number;
  /** How many brokers the cluster will have (replication of internal topics); default 1. */
  readonly brokers?: number;
  /** Further settings of server.properties, which win over the defaults. */
  readonly overrides?: Properties;
  /** Runs one broker in front, given a server.properties; default: scripts/kafka-server-start. */
  readonly command?: string;
  /** The broker's folder; default: a temporary one, removed when the test process ends. */
  readonly folder?: string;
}

/** A broker as a real process, which is killed at the latest when the test process ends. */
export class TestBroker extends BrokerProcess {
  private readonly zooKeeperConnect: string;

  constructor(options: BrokerProcessOptions, zooKeeperConnect: string) {
    super(options);
    this.zooKeeperConnect = zooKeeperConnect;
  }

  get bootstrapServer(): string {
    return `${this.host}:${this.port}`;
  }

  /** The folder of its partitions' logs, unless `log.dirs` was overridden. */
  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  override async launch(): Promise<ProcessIdentity> {
    const identity = await super.launch();
    killAfterwards(identity);
    return identity;
  }

  /** Whether ZooKeeper has `/brokers/ids/<id>`, be it of an earlier life. */
  isRegistered(): Promise<boolean> {
    const path = `/brokers/ids/${this.id}`;
    return readZooKeeper(this.zooKeeperConnect, async (reader) => (await reader.data(path)) !== undefined);
  }

  /** Starts it again once the session of its earlier life has expired: before that it refuses to, as Kafka's does. */
  async startAgain(): Promise<void> {
    await eventually(async () => !(await this.isRegistered()), {
      timeoutMs: 60_000,
      what: `the end of the session of broker ${this.id}`,
    });
    await this.start();
  }

  /** kill -9, and a start with the same data once its session has expired. */
  async restart(): Promise<void> {
    await this.kill();
    await this.startAgain();
  }
}

/** A broker with its server.properties written, not started yet. */
export async function prepareBroker(options: StartBrokerOptions): Promise<TestBroker> {
  const id = options.id ?? 1;
  const port = options.port ?? (await freePorts(1))[0]!;
  const folder = options.folder ?? temporaryFolder(`broker-${id}`);
  const command = options.command === undefined ? {} : { command: options.command };
  const broker = new TestBroker({ id, host: '127.0.0.1', port, folder, ...command }, options.zooKeeperConnect);
  broker.configure(
    brokerProperties({
      id,
      listeners: `PLAINTEXT://127.0.0.1:${port}`,
      dataFolder: broker.dataFolder,
      zooKeeperConnect: options.zooKeeperConnect,
      brokers: options.brokers ?? 1,
      ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
    }),
  );
  return broker;
}

/**
 * Starts one broker through scripts/kafka-server-start on a free port and waits until it says it is started.
 *
 * @throws LabError with the broker's own complaint when it does not start
 */
export async function startBroker(options: StartBrokerOptions): Promise<TestBroker> {
  const broker = await prepareBroker(options);
  await broker.start();
  return broker;
}

export interface StartClusterOptions {
  /** Default 3. */
  readonly brokers?: number;
  /** Settings of every broker, over the defaults. */
  readonly overrides?: Properties;
  /** Settings of one broker, over those of every broker. */
  readonly brokerOverrides?: (brokerId: number, port: number) => Properties;
  /** A ZooKeeper that already runs; default: one of its own, stopped with the cluster. */
  readonly zooKeeper?: TestZooKeeper;
  /** What a broker is told to reach ZooKeeper by, for example a relay; default: ZooKeeper's own connect string. */
  readonly zooKeeperConnect?: (brokerId: number) => string;
  /** Runs one broker in front, given a server.properties; default: scripts/kafka-server-start. */
  readonly command?: string;
}

export interface TestCluster {
  readonly zooKeeper: TestZooKeeper;
  readonly brokers: readonly TestBroker[];
  /** `host:port` of every broker, for clients. */
  readonly bootstrapServers: readonly string[];
  /** @throws Error when the cluster has no broker of this id */
  broker(id: number): TestBroker;
  /** Kills every broker, and ZooKeeper unless it was handed in. */
  stop(): Promise<void>;
}

/** Starts ZooKeeper and brokers 1, 2, … one after another, so that broker 1 becomes the controller. */
export async function startCluster(options: StartClusterOptions = {}): Promise<TestCluster> {
  const zooKeeper = options.zooKeeper ?? (await startZooKeeper());
  const count = options.brokers ?? 3;
  const ports = await freePorts(count);
  const brokers: TestBroker[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => broker.kill()));
    if (options.zooKeeper === undefined) await zooKeeper.stop();
  };
  try {
    for (const [index, port] of ports.entries()) {
      const id = index + 1;
      const broker = await prepareBroker({
        id,
        port,
        brokers: count,
        ...(options.command === undefined ? {} : { command: options.command }),
        zooKeeperConnect: options.zooKeeperConnect?.(id) ?? zooKeeper.connectString,
        overrides: { 'default.replication.factor': '1', ...options.overrides, ...options.brokerOverrides?.(id, port) },
      });
      brokers.push(broker);
      await broker.start();
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    zooKeeper,
    brokers,
    bootstrapServers: brokers.map((broker) => broker.bootstrapServer),
    broker: (id) => {
      const found = brokers.find((broker) => broker.id === id);
      if (found === undefined) throw new Error(`the cluster has no broker ${id}`);
      return found;
    },
    stop,
  };
}
