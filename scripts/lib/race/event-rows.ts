import type { BrokerProcess } from '@klassic/lab';
import { connectStringOf, readZooKeeper } from '@klassic/lab';
import { killAfterwards } from '@klassic/test-support';
import { BrokerConnection } from '../../../packages/network/src/index.ts';
import { delay, SystemTime } from '../../../packages/common/src/index.ts';
import type { ResponseOf } from '../../../packages/protocol/src/index.ts';
import type { RaceCluster } from './race-cluster.ts';
import type { Figure, Row } from './rows.ts';

const topic = 'many';
const METADATA_VERSION = 8;
const CREATE_TOPICS_VERSION = 4;
/** The longest that anything here may take; Apache Kafka needs about a minute for 3,000 partitions. */
const PATIENCE_MS = 240_000;
const POLL_MS = 20;
/** Between events: what the last one has left behind comes to rest. */
const REST_MS = 5_000;
const time = new SystemTime();

const figure = (name: string, atMost?: number): Figure => ({
  name,
  digits: 0,
  goal: atMost === undefined ? undefined : { atMost },
});
/** From the moment at which ZooKeeper has let the session go: before that nobody can know. */
const afterSession = figure('ms after the end of the session', 1 / 2);

/**
 * What a cluster of three goes through, on one topic of `partitions` partitions with three replicas each; in this order, each
 * event upon the one before.
 */
export function eventRows(partitions: number): readonly Row[] {
  const row = (id: string, title: string, figures: readonly Figure[], measure: Measure): Row => ({
    id,
    title,
    brokers: 3,
    figures,
    measure: ({ cluster }) => measure(cluster, partitions),
  });
  return [
    row('start', 'start of 3 brokers', [figure('ms', 1 / 3)], ({ startMs }) => Promise.resolve([startMs])),
    row(
      'create',
      `${partitions} partitions created and known to every broker`,
      [figure('ms to the answer'), figure('ms', 1 / 3)],
      create,
    ),
    row(
      'kill-broker',
      'kill -9 of a broker that is not the controller, to new leaders',
      [figure('ms'), afterSession],
      async (cluster, count) => kill(cluster, await bystanderOf(cluster), count),
    ),
    row('return', 'its return, to full ISRs', [figure('ms')], restart),
    row(
      'kill-controller',
      'kill -9 of the controller, to a new one and new leaders',
      [figure('ms'), afterSession],
      async (cluster, count) => kill(cluster, await controllerOf(cluster), count),
    ),
  ];
}

type Measure = (cluster: RaceCluster, partitions: number) => Promise<readonly number[]>;
type Metadata = ResponseOf<'Metadata'>;

async function create(cluster: RaceCluster, partitions: number): Promise<readonly number[]> {
  const controller = await connectTo(await controllerOf(cluster));
  const began = performance.now();
  const answer = await controller.send('CreateTopics', CREATE_TOPICS_VERSION, {
    topics: [{ name: topic, numPartitions: partitions, replicationFactor: 3 }],
    timeoutMs: PATIENCE_MS,
  });
  const answered = performance.now();
  controller.close();
  const { errorCode, errorMessage } = answer.topics[0]!;
  if (errorCode !== 0) throw new Error(`CreateTopics was answered with ${errorCode}: ${errorMessage}`);
  await Promise.all(cluster.brokers.map((broker) => untilLed(broker, partitions)));
  const known = performance.now();
  await untilInSync(cluster.brokers[0]!, partitions);
  return [answered - began, known - began];
}

/** Kills a broker, and waits until each that lives tells of leaders that live. */
async function kill(cluster: RaceCluster, victim: BrokerProcess, partitions: number): Promise<readonly number[]> {
  await delay(time, REST_MS);
  const began = performance.now();
  await victim.kill();
  const gone = untilGone(cluster, victim.id);
  const rest = cluster.brokers.filter(({ id }) => id !== victim.id);
  await Promise.all(rest.map((broker) => untilLed(broker, partitions, victim.id)));
  const led = performance.now();
  return [led - began, led - (await gone)];
}

/** Starts the broker that was killed, and waits until it is in every ISR again. */
async function restart(cluster: RaceCluster, partitions: number): Promise<readonly number[]> {
  const controller = await controllerOf(cluster);
  const began = performance.now();
  for (const broker of cluster.brokers) {
    if (broker.state === 'gone') killAfterwards(await broker.launch());
  }
  await untilInSync(controller, partitions);
  return [performance.now() - began];
}

/** When ZooKeeper had let the session of the broker go, in the milliseconds of `performance.now()`. */
async function untilGone({ zooKeeper }: RaceCluster, brokerId: number): Promise<number> {
  return readZooKeeper(connectStringOf([zooKeeper.place]), async (reader) => {
    await poll(async () => (await reader.data(`/brokers/ids/${brokerId}`)) === undefined, 'the end of a session');
    return performance.now();
  });
}

async function untilLed(broker: BrokerProcess, partitions: number, dead?: number): Promise<void> {
  await untilMetadata(broker, `leaders of ${partitions} partitions from broker ${broker.id}`, ({ topics }) => {
    const leaders = topics.flatMap((each) => each.partitions.map(({ leaderId }) => leaderId));
    return leaders.length === partitions && leaders.every((leader) => leader >= 0 && leader !== dead);
  });
}

async function untilInSync(broker: BrokerProcess, partitions: number): Promise<void> {
  await untilMetadata(broker, `full ISRs of ${partitions} partitions`, ({ topics }) => {
    const isrs = topics.flatMap((each) => each.partitions.map(({ isrNodes }) => isrNodes.length));
    return isrs.length === partitions && isrs.every((size) => size === 3);
  });
}

async function untilMetadata(broker: BrokerProcess, what: string, holds: (told: Metadata) => boolean): Promise<void> {
  const connection = await connectTo(broker);
  try {
    const topics = [{ name: topic }];
    await poll(async () => holds(await connection.send('Metadata', METADATA_VERSION, { topics })), what);
  } finally {
    connection.close();
  }
}

async function poll(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${PATIENCE_MS} ms`);
    await delay(time, POLL_MS);
  }
}

async function controllerOf(cluster: RaceCluster): Promise<BrokerProcess> {
  const [first] = cluster.brokers.filter(({ state }) => state !== 'gone');
  const connection = await connectTo(first!);
  const { controllerId } = await connection.send('Metadata', METADATA_VERSION, { topics: [] });
  connection.close();
  return brokerOf(cluster, controllerId);
}

async function bystanderOf(cluster: RaceCluster): Promise<BrokerProcess> {
  const controller = await controllerOf(cluster);
  return cluster.brokers.find(({ id }) => id !== controller.id)!;
}

function brokerOf({ brokers }: RaceCluster, brokerId: number): BrokerProcess {
  const found = brokers.find(({ id }) => id === brokerId);
  if (found === undefined) throw new Error(`there is no broker ${brokerId}`);
  return found;
}

async function connectTo({ host, port }: BrokerProcess): Promise<BrokerConnection> {
  const connection = new BrokerConnection({
    host,
    port,
    clientId: 'race',
    codec: 'kafka',
    time,
    requestTimeoutMs: PATIENCE_MS,
  });
  await connection.connect();
  return connection;
}
