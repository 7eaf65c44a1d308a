import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The settings of a broker by name, as server.properties holds them. */
export type Properties = Readonly<Record<string, string>>;

export interface BrokerPropertiesOptions {
  readonly id: number;
  readonly listeners: string;
  /** Folder of the logs of partitions (Kafka's `log.dirs`). */
  readonly dataFolder: string;
  /** ZooKeeper's connect string, chroot included. */
  readonly zooKeeperConnect: string;
  /** How many brokers the cluster has: no topic is replicated more often than that. */
  readonly brokers: number;
  readonly overrides?: Properties;
}

/**
 * What a broker of the lab is given: Kafka's defaults, except for a session that ends soon enough to be watched (6 s),
 * topics replicated three times where there are three brokers, and groups that do not wait before their first rebalance.
 */
export function brokerProperties(options: BrokerPropertiesOptions): Properties {
  const replicas = Math.min(3, options.brokers);
  return {
    'broker.id': String(options.id),
    listeners: options.listeners,
    'log.dirs': options.dataFolder,
    'zookeeper.connect': options.zooKeeperConnect,
    'zookeeper.session.timeout.ms': '6000',
    'zookeeper.connection.timeout.ms': '18000',
    'inter.broker.protocol.version': '2.6',
    'default.replication.factor': String(replicas),
    'offsets.topic.replication.factor': String(replicas),
    'transaction.state.log.replication.factor': String(replicas),
    'transaction.state.log.min.isr': String(Math.min(2, replicas)),
    'group.initial.rebalance.delay.ms': '0',
    ...options.overrides,
  };
}

/** Writes a server.properties file. */
export function writeProperties(file: string, properties: Properties): void {
  mkdirSync(dirname(file), { recursive: true });
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  writeFileSync(file, `${lines.join('\n')}\n`);
}
