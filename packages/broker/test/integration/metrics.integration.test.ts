import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Producer } from '@klassic/client';
import { eventually, freePorts, startBroker, startZooKeeper } from '@klassic/test-support';
import type { TestBroker, TestZooKeeper } from '@klassic/test-support';
import { connectTo, createTopic, quick } from './cluster.ts';
import { readTopic } from './records.ts';

jest.setTimeout(120_000);

const records = 25;

let zooKeeper: TestZooKeeper;
let broker: TestBroker;
let pages: string;

beforeAll(async () => {
  zooKeeper = await startZooKeeper();
  const [httpPort] = await freePorts(1);
  pages = `http://127.0.0.1:${httpPort}`;
  broker = await startBroker({
    zooKeeperConnect: zooKeeper.connectString,
    overrides: { ...quick, 'klassic.http.port': String(httpPort) },
  });
  const servers = [broker.bootstrapServer];
  await createTopic(servers, 't', [[1], [1]]);
  const producer = new Producer({ bootstrapServers: servers });
  try {
    for (let index = 0; index < records; index += 1) {
      await producer.send({ topic: 't', partition: index % 2, value: `value ${index}` });
    }
  } finally {
    await producer.close();
  }
  await readTopic(servers, 't');
});

afterAll(async () => {
  await broker?.kill();
  await zooKeeper?.stop();
});

/** The figures of one scrape, by name and labels as they stand there. */
async function scrape(): Promise<Map<string, number>> {
  const answer = await fetch(`${pages}/metrics`);
  expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

it('serves what Kafka shows, under the names of its MBeans', async () => {
  const seen = await scrape();
  expect(seen.get('kafka_server_kafkaserver_brokerstate')).toBe(3);
  expect(seen.get('kafka_controller_kafkacontroller_activecontrollercount')).toBe(1);
  expect(seen.get('kafka_controller_kafkacontroller_offlinepartitionscount')).toBe(0);
  expect(seen.get('kafka_controller_kafkacontroller_globalpartitioncount')).toBe(2);
  expect(seen.get('kafka_server_replicamanager_leadercount')).toBe(2);
  expect(seen.get('kafka_server_replicamanager_underreplicatedpartitions')).toBe(0);
  expect(seen.get('kafka_server_brokertopicmetrics_messagesin_total')).toBe(records);
  expect(seen.get('kafka_server_brokertopicmetrics_messagesin_total{topic="t"}')).toBe(records);
  const bytesIn = seen.get('kafka_server_brokertopicmetrics_bytesin_total{topic="t"}');
  const sizes = [0, 1].map((index) => seen.get(`kafka_log_log_size{topic="t",partition="${index}"}`)!);
  expect(bytesIn).toBe(sizes[0]! + sizes[1]!);
  expect(seen.get('kafka_server_brokertopicmetrics_bytesout_total{topic="t"}')).toBeGreaterThanOrEqual(bytesIn!);
  expect(seen.get('kafka_log_log_logendoffset{topic="t",partition="0"}')).toBe(13);
  const total = 'kafka_network_requestmetrics_totaltimems';
  expect(seen.get(`${total}_count{request="Produce"}`)).toBe(records);
  expect(seen.get(`${total}{request="Produce",quantile="0.99"}`)).toBeGreaterThan(0);
  expect(seen.get('kafka_network_requestmetrics_errors_total{request="Produce",error="NONE"}')).toBe(records);
  for (const idle of [
    'kafka_network_socketserver_networkprocessoravgidlepercent',
    'kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent',
  ]) {
    expect(seen.get(idle)).toBeGreaterThanOrEqual(0);
    expect(seen.get(idle)).toBeLessThanOrEqual(1);
  }
  expect(seen.get('kafka_controller_controllerstats_topicchangerateandtimems_count')).toBeGreaterThan(0);
  expect(seen.get('kafka_server_sessionexpirelistener_sessionstate{state="CONNECTED"}')).toBe(1);
});

it('tells its state in JSON: what it hosts, what it has been told, what it knows as controller', async () => {
  const state = (await (await fetch(`${pages}/state`)).json()) as object;
  const one = { leader: 1, leaderEpoch: 0, replicas: [1], isr: [1] };
  expect(state).toMatchObject({
    broker: { id: 1, state: 3, isController: true },
    zooKeeper: { state: 'CONNECTED', expires: 0 },
    partitions: {
      't-0': { ...one, role: 'leader', logStartOffset: 0, highWatermark: 13, logEndOffset: 13, segments: [0] },
      't-1': { ...one, role: 'leader', logStartOffset: 0, highWatermark: 12, logEndOffset: 12 },
    },
    metadataCache: { controllerId: 1, partitions: { 't-0': one, 't-1': one } },
    controller: {
      event: 'Idle',
      eventQueue: [],
      controllerEpoch: 1,
      liveBrokers: [{ id: 1, shuttingDown: false }],
      partitions: { 't-0': { ...one, state: 'OnlinePartition', replicaStates: { 1: 'OnlineReplica' } } },
      topicsToBeDeleted: [],
    },
  });
});

it('holds a client to its quotas from the moment they are set', async () => {
  const connection = await connectTo(broker);
  const alter = async (quotas: Readonly<Record<string, number>>, remove = false): Promise<void> => {
    const { entries } = await connection.send('AlterClientQuotas', 1, {
      entries: [
        {
          entity: [{ entityType: 'client-id', entityName: 'a-test' }],
          ops: Object.entries(quotas).map(([key, value]) => ({ key, value, remove })),
        },
      ],
      validateOnly: false,
    });
    expect(entries.map(({ errorCode }) => errorCode)).toEqual([0]);
  };
  const create = async (name: string): Promise<{ errorCode: number; throttleTimeMs: number }> => {
    const topic = { name, numPartitions: 20, replicationFactor: 1, assignments: [], configs: [] };
    const { topics, throttleTimeMs } = await connection.send('CreateTopics', 7, { topics: [topic], timeoutMs: 30_000 });
    return { errorCode: topics[0]!.errorCode, throttleTimeMs };
  };
  try {
    await alter({ request_percentage: 0.0001, controller_mutation_rate: 0.1 });
    await eventually(async () => (await connection.send('Metadata', 9, { topics: [] })).throttleTimeMs > 0, {
      timeoutMs: 30_000,
      what: 'an answer that says that the client is above its quota',
    });
    await alter({ request_percentage: 0.0001 }, true);
    // A burst of 11 windows is 1.1 partitions: the first topic overdraws it, and 18.9 partitions take 189 s.
    expect((await create('quick')).errorCode).toBe(0);
    const refused = await create('slow');
    expect(refused.errorCode).toBe(89);
    expect(refused.throttleTimeMs).toBeGreaterThan(10_000);
  } finally {
    connection.close();
  }
});

it('is healthy until ZooKeeper is gone', async () => {
  const healthy = await fetch(`${pages}/health`);
  expect([healthy.status, await healthy.json()]).toEqual([200, { status: 'healthy', problems: [] }]);
  await zooKeeper.stop();
  await eventually(async () => (await fetch(`${pages}/health`)).status === 503, {
    timeoutMs: 30_000,
    what: 'the page /health to tell of the lost ZooKeeper',
  });
  const disconnects = 'kafka_server_sessionexpirelistener_zookeeperdisconnects_total';
  expect((await scrape()).get(disconnects)).toBeGreaterThan(0);
});
