import { SystemRandom, SystemTime, silentLoggers } from '@klassic/common';
import { Admin } from '@klassic/client';
import { BrokerConnection } from '@klassic/network';
import type { Codec } from '@klassic/protocol';
import { matchAnyVersion, ZooKeeperError, ZooKeeperSession } from '@klassic/zookeeper';
import type { Stat } from '@klassic/zookeeper';
import { eventually } from '@klassic/test-support';

export const time = new SystemTime();

/**
 * Settings that make a failover quick: a session that ends after three seconds, few partitions of `__consumer_offsets`.
 * Nothing is printed on the terminal but what a start complains of.
 */
export const quick = {
  'zookeeper.session.timeout.ms': '3000',
  'offsets.topic.num.partitions': '3',
  'klassic.log.console': 'false',
  'controlled.shutdown.retry.backoff.ms': '200',
} as const;

/** The state znode of a partition. */
export interface PartitionState {
  readonly leader: number;
  readonly leader_epoch: number;
  readonly isr: readonly number[];
  readonly controller_epoch: number;
}

/** Reads znodes over one session, and writes them where a test is a tool. Nothing is watched. */
export class ZNodes {
  private readonly session: ZooKeeperSession;

  private constructor(session: ZooKeeperSession) {
    this.session = session;
  }

  /** @param connectString without the relays that stand between brokers and ZooKeeper */
  static async open(connectString: string): Promise<ZNodes> {
    const session = await ZooKeeperSession.connect({
      connectString,
      sessionTimeoutMs: 30_000,
      connectionTimeoutMs: 10_000,
      time,
      random: new SystemRandom(),
      loggers: silentLoggers,
    });
    return new ZNodes(session);
  }

  /** @returns undefined when there is no such znode */
  async read(path: string): Promise<{ text: string; stat: Stat } | undefined> {
    try {
      const { data, stat } = await this.session.getData(path);
      return { text: data?.toString('utf8') ?? '', stat };
    } catch (error) {
      if (error instanceof ZooKeeperError && error.code === 'NO_NODE') return undefined;
      throw error;
    }
  }

  children(path: string): Promise<string[]> {
    return this.session.getChildren(path);
  }

  /** As a tool with --zookeeper does. */
  async create(path: string, text = ''): Promise<void> {
    await this.session.create(path, Buffer.from(text));
  }

  /** As a tool with --zookeeper does. */
  async write(path: string, text: string): Promise<void> {
    await this.session.setData(path, Buffer.from(text), matchAnyVersion);
  }

  /** As a tool with --zookeeper does. */
  async delete(path: string): Promise<void> {
    await this.session.delete(path, matchAnyVersion);
  }

  /** The registered brokers, in order. */
  async brokerIds(): Promise<number[]> {
    return (await this.children('/brokers/ids')).map(Number).sort((one, other) => one - other);
  }

  /** -1 while there is none. */
  async controllerId(): Promise<number> {
    const znode = await this.read('/controller');
    return znode === undefined ? -1 : (JSON.parse(znode.text) as { brokerid: number }).brokerid;
  }

  async controllerEpoch(): Promise<number> {
    return Number((await this.read('/controller_epoch'))?.text);
  }

  async partitionState(topic: string, partition = 0): Promise<PartitionState> {
    const znode = await this.read(`/brokers/topics/${topic}/partitions/${partition}/state`);
    if (znode === undefined) throw new Error(`${topic}-${partition} has no state yet`);
    return JSON.parse(znode.text) as PartitionState;
  }

  /** Waits until the ISR holds these brokers, in any order. */
  async waitForIsr(topic: string, partition: number, isr: readonly number[], timeoutMs = 30_000): Promise<void> {
    const wanted = [...isr].sort().join();
    // A new controller first takes the dead out of the ISR, with leader -1 where they led, and then elects (scenario 04).
    const isSettled = async (): Promise<boolean> => {
      const state = await this.partitionState(topic, partition);
      return state.leader >= 0 && [...state.isr].sort().join() === wanted;
    };
    await eventually(isSettled, { timeoutMs, what: `a leader and the ISR ${wanted} of ${topic}-${partition}` });
  }

  /** Waits until these brokers, and no others, are registered. */
  async waitForBrokers(ids: readonly number[], timeoutMs = 30_000): Promise<void> {
    await eventually(async () => (await this.brokerIds()).join() === ids.join(), {
      timeoutMs,
      what: `the registrations of brokers ${ids.join()}`,
    });
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

/** A topic whose replicas stand where the test wants them: one list of brokers a partition, the preferred leader first. */
export async function createTopic(
  bootstrapServers: readonly string[],
  name: string,
  replicasAssignments: readonly (readonly number[])[],
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const admin = new Admin({ bootstrapServers });
  try {
    await admin.createTopics([{ name, replicasAssignments, configs }]);
  } finally {
    admin.close();
  }
}

/** One raw connection to a broker, opened. */
export async function connectTo(
  broker: { readonly host: string; readonly port: number },
  codec: Codec = 'kafka',
): Promise<BrokerConnection> {
  const { host, port } = broker;
  const connection = new BrokerConnection({ host, port, clientId: 'a-test', codec, time, requestTimeoutMs: 30_000 });
  await connection.connect();
  return connection;
}

/** What the broker's own metadata cache tells of a topic's first partition: leader and epoch; undefined while it tells nothing. */
export async function leaderTold(
  bootstrapServers: readonly string[],
  topic: string,
  partition = 0,
): Promise<{ leader: number; leaderEpoch: number } | undefined> {
  const admin = new Admin({ bootstrapServers });
  try {
    const [info] = await admin.describeTopics([topic]);
    return info?.partitions[partition];
  } finally {
    admin.close();
  }
}

/** Waits until every broker, asked by itself, tells the leader of the topic that ZooKeeper has. */
export async function waitUntilOfOneMind(znodes: ZNodes, servers: readonly string[], topic: string): Promise<void> {
  await eventually(
    async () => {
      const { leader, leader_epoch: leaderEpoch } = await znodes.partitionState(topic);
      for (const server of servers) {
        const told = await leaderTold([server], topic);
        if (told?.leader !== leader || told.leaderEpoch !== leaderEpoch) return false;
      }
      return leader >= 0;
    },
    { timeoutMs: 30_000, what: `one leader of ${topic} in everybody’s metadata` },
  );
}
