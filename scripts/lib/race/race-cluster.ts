import { join } from 'node:path';
import {
  BrokerProcess,
  brokerProperties,
  cacheHome,
  connectStringOf,
  ensemblePlaces,
  eventually,
  fetchZooKeeperJars,
  freePorts,
  ZooKeeperProcess,
  zooKeeperVersion,
} from '@klassic/lab';
import type { Properties } from '@klassic/lab';
import { killAfterwards } from '@klassic/test-support';
import { BenchConnection } from '../../../packages/broker/bench/bench-client.ts';
import { peakMemoryBytes, processorMs } from '../../../packages/broker/bench/processor-time.ts';
import type { Contestant } from './contestant.ts';

const START_TIMEOUT_MS = 90_000;
const POLL_MS = 10;
/** A controlled shutdown, which a broker under a profiler needs to write its profile. */
const STOP_TIMEOUT_MS = 30_000;

export interface RaceClusterOptions {
  readonly contestant: Contestant;
  readonly brokers: number;
  /** What the brokers are given beside the lab's own settings. */
  readonly settings: Properties;
  readonly java: string;
  /** Takes everything the cluster writes; stays when it is stopped. */
  readonly folder: string;
}

/** Brokers 1, 2, … of one contestant with a real ZooKeeper of their own, each a process of this machine. */
export class RaceCluster {
  readonly brokers: readonly BrokerProcess[];
  /** From the launch of the processes until each answered Metadata with all of them, in milliseconds. */
  readonly startMs: number;
  readonly zooKeeper: ZooKeeperProcess;

  private constructor(zooKeeper: ZooKeeperProcess, brokers: readonly BrokerProcess[], startMs: number) {
    this.zooKeeper = zooKeeper;
    this.brokers = brokers;
    this.startMs = startMs;
  }

  /** Starts ZooKeeper, then all brokers at once. @throws Error with a broker's complaint when one does not come up */
  static async start(options: RaceClusterOptions): Promise<RaceCluster> {
    const { folder, java } = options;
    const [zooKeeperPort, ...ports] = await freePorts(1 + options.brokers);
    const zooKeeper = await startZooKeeper(java, folder, zooKeeperPort!);
    const connect = connectStringOf([zooKeeper.place]);
    const brokers = ports.map((port, index) => prepareBroker(options, index + 1, port, connect));
    try {
      const launched = performance.now();
      for (const broker of brokers) killAfterwards(await broker.launch());
      await Promise.all(brokers.map((broker) => untilItKnows(broker, brokers.length)));
      return new RaceCluster(zooKeeper, brokers, performance.now() - launched);
    } catch (error) {
      await Promise.all([...brokers, zooKeeper].map((server) => server.kill()));
      throw error;
    }
  }

  /** For clients: `host:port` of every broker, with commas. */
  get bootstrapServers(): string {
    return this.brokers.map(({ host, port }) => `${host}:${port}`).join(',');
  }

  /** Processor time that the brokers have used so far, in milliseconds. */
  processorMs(): number {
    return processorMs(this.pids());
  }

  /** The sum of the most memory that each broker had resident, in bytes; NaN where the system does not tell. */
  peakMemoryBytes(): number {
    return this.pids().reduce((sum, pid) => sum + (peakMemoryBytes(pid) ?? NaN), 0);
  }

  /** Creates a topic and waits until every partition has its leader and a full ISR. */
  async createTopic(name: string, partitions: number, replicas: number, minInSync = 1): Promise<void> {
    const [{ host, port }] = this.brokers as [BrokerProcess];
    const connection = await BenchConnection.open(host, port, 'kafka');
    try {
      await connection.createTopic(name, partitions, replicas, { 'min.insync.replicas': String(minInSync) });
    } finally {
      connection.close();
    }
  }

  /** Ends all processes. @param graceful by a controlled shutdown, else by SIGKILL */
  async stop(graceful: boolean): Promise<void> {
    await Promise.all(this.brokers.map((broker) => (graceful ? broker.stop(STOP_TIMEOUT_MS) : broker.kill())));
    await this.zooKeeper.kill();
  }

  private pids(): number[] {
    return this.brokers.map((broker) => {
      if (broker.pid === undefined) throw new Error(`broker ${broker.id} has ended: see ${broker.folder}`);
      return broker.pid;
    });
  }
}

async function startZooKeeper(java: string, home: string, port: number): Promise<ZooKeeperProcess> {
  const jars = join(cacheHome(), `zookeeper-${zooKeeperVersion}`);
  await fetchZooKeeperJars(jars, (line) => process.stderr.write(`${line}\n`));
  const ensemble = ensemblePlaces([port], []);
  const zooKeeper = new ZooKeeperProcess({ java, jars, home, ensemble, place: ensemble[0]!, onLaunch: killAfterwards });
  await zooKeeper.start();
  return zooKeeper;
}

function prepareBroker(
  { contestant, folder: home, brokers, settings }: RaceClusterOptions,
  id: number,
  port: number,
  zooKeeperConnect: string,
): BrokerProcess {
  const host = '127.0.0.1';
  const folder = join(home, `broker-${id}`);
  const broker = new BrokerProcess({ id, host, port, folder, command: contestant.command });
  const dataFolder = join(folder, 'data');
  const listeners = `PLAINTEXT://${host}:${port}`;
  broker.configure(brokerProperties({ id, listeners, dataFolder, zooKeeperConnect, brokers, overrides: settings }));
  return broker;
}

/** Waits until a broker answers Metadata with `count` brokers and a controller. */
async function untilItKnows(broker: BrokerProcess, count: number): Promise<void> {
  const answers = async (): Promise<boolean> => {
    // An end is a result, too: the log has the complaint.
    if (broker.state === 'gone') return true;
    const connection = await BenchConnection.open(broker.host, broker.port, 'kafka');
    try {
      const { brokers, controllerId } = await connection.send('Metadata', { topics: [] });
      return brokers.length === count && controllerId !== -1;
    } finally {
      connection.close();
    }
  };
  const what = `metadata from broker ${broker.id}`;
  await eventually(answers, { timeoutMs: START_TIMEOUT_MS, intervalMs: POLL_MS, what });
  if (broker.state === 'gone') await broker.waitUntilStarted();
}
