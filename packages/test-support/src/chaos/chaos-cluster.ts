import { freePorts, TcpRelay } from '@klassic/lab';
import { startCluster } from '../broker.ts';
import type { TestBroker, TestCluster } from '../broker.ts';
import { startZooKeeper } from '../zookeeper.ts';
import type { TestZooKeeper } from '../zookeeper.ts';

/** A session that ends after three seconds, and a leader that soon drops a follower whose link is cut. */
export const sessionTimeoutMs = 3_000;
const settings = {
  'zookeeper.session.timeout.ms': String(sessionTimeoutMs),
  'replica.lag.time.max.ms': '4000',
  'leader.imbalance.check.interval.seconds': '20',
  'controlled.shutdown.retry.backoff.ms': '200',
  // A broker that has just started knows of no topic: a client that asks it first must not be told that it cannot make one.
  'auto.create.topics.enable': 'false',
  'klassic.log.console': 'false',
};

/** A cluster in which each broker is reached by the others, and reaches ZooKeeper, over a relay of its own; clients reach it directly. */
export interface ChaosCluster {
  readonly zooKeeper: TestZooKeeper;
  readonly brokers: readonly TestBroker[];
  readonly bootstrapServers: readonly string[];
  /** On the way from the other brokers to this one. */
  fromBrokers(id: number): TcpRelay;
  /** On the way from this broker to ZooKeeper. */
  toZooKeeper(id: number): TcpRelay;
  stop(): Promise<void>;
}

export async function startChaosCluster(count: number): Promise<ChaosCluster> {
  const zooKeeper = await startZooKeeper();
  const fromBrokers = new Map<number, TcpRelay>();
  const toZooKeeper = new Map<number, TcpRelay>();
  const innerPorts = await freePorts(count);
  const relays = (): TcpRelay[] => [...fromBrokers.values(), ...toZooKeeper.values()];
  let cluster: TestCluster | undefined;
  const stop = async (): Promise<void> => {
    await cluster?.stop();
    await Promise.all(relays().map((relay) => relay.close()));
    await zooKeeper.stop();
  };
  try {
    for (const [index, targetPort] of innerPorts.entries()) {
      fromBrokers.set(index + 1, await TcpRelay.start({ targetPort }));
      toZooKeeper.set(index + 1, await TcpRelay.start({ targetPort: zooKeeper.port }));
    }
    cluster = await startCluster({
      brokers: count,
      zooKeeper,
      zooKeeperConnect: (id) => toZooKeeper.get(id)!.address,
      overrides: settings,
      brokerOverrides: (id, port) => ({
        listeners: `CLIENT://127.0.0.1:${port},BROKER://127.0.0.1:${innerPorts[id - 1]!}`,
        'advertised.listeners': `CLIENT://127.0.0.1:${port},BROKER://${fromBrokers.get(id)!.address}`,
        'listener.security.protocol.map': 'CLIENT:PLAINTEXT,BROKER:PLAINTEXT',
        'inter.broker.listener.name': 'BROKER',
      }),
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    zooKeeper,
    brokers: cluster.brokers,
    bootstrapServers: cluster.bootstrapServers,
    fromBrokers: (id) => fromBrokers.get(id)!,
    toZooKeeper: (id) => toZooKeeper.get(id)!,
    stop,
  };
}
