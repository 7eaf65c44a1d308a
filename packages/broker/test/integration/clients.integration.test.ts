import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { batchesOf, Errors } from '@klassic/protocol';
import type { RecordBatch } from '@klassic/protocol';
import { describeWithKcat, eventually, kafkaJs, kcat, startBroker, startCluster } from '@klassic/test-support';
import type { TestBroker, TestCluster } from '@klassic/test-support';
import { connectTo, createTopic, quick, ZNodes } from './cluster.ts';
import { complaints, kcatFormat, keyedRecords, parseKcat, readTopic } from './records.ts';
import type { SeenRecord } from './records.ts';

jest.setTimeout(60_000);

const sent = keyedRecords(10_000);
const asLines = (records: readonly { key: string; value: string }[]): string =>
  records.map(({ key, value }) => `${key}:${value}\n`).join('');

let cluster: TestCluster;
/** A fourth broker, which answers as the original does. */
let notForwarding: TestBroker;
let znodes: ZNodes;
let servers: readonly string[];
let bootstrap: string;

beforeAll(async () => {
  cluster = await startCluster({
    overrides: { ...quick, 'num.partitions': '4', 'zookeeper.session.timeout.ms': '6000' },
  });
  servers = cluster.bootstrapServers;
  bootstrap = servers.join();
  znodes = await ZNodes.open(cluster.zooKeeper.connectString);
  notForwarding = await startBroker({
    zooKeeperConnect: cluster.zooKeeper.connectString,
    id: 4,
    overrides: { ...quick, 'klassic.forward.to.controller': 'false' },
  });
});

afterAll(async () => {
  await znodes?.close();
  await notForwarding?.kill();
  await cluster?.stop();
});

/** The batches as the leader keeps them. */
function storedBatches(broker: TestBroker, topic: string): RecordBatch[] {
  return [...batchesOf(readFileSync(join(broker.dataFolder, `${topic}-0`, `${'0'.repeat(20)}.log`)))];
}

async function produceByKcat(topic: string, input: string, ...settings: string[]): Promise<void> {
  const produced = await kcat(['-P', '-b', bootstrap, '-t', topic, '-K', ':', ...settings], input);
  expect(produced).toMatchObject({ exitCode: 0 });
}

async function readByKcat(topic: string): Promise<SeenRecord[]> {
  const read = await kcat(['-C', '-q', '-e', '-b', bootstrap, '-t', topic, '-o', 'beginning', '-f', kcatFormat]);
  return parseKcat(read.stdout);
}

/** Reads with a group of one kafkajs consumer, until it has as many records as asked for; what it read is committed. */
async function readByKafkaJsGroup(topic: string, groupId: string, count: number): Promise<SeenRecord[]> {
  const consumer = kafkaJs(servers).consumer({ groupId, heartbeatInterval: 500, maxWaitTimeInMs: 200 });
  const seen: SeenRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ partition, message: { offset, key, value } }) => {
      seen.push({ partition, offset: Number(offset), key: String(key), value: String(value) });
      return Promise.resolve();
    },
  });
  try {
    await eventually(() => seen.length >= count, { timeoutMs: 30_000, what: `${count} records for kafkajs` });
  } finally {
    await consumer.disconnect();
  }
  return seen;
}

describe('A client that is not the controller’s neighbour', () => {
  const request = (name: string) => ({ topics: [{ name, numPartitions: 2, replicationFactor: 2 }], timeoutMs: 20_000 });

  it('creates a topic through any broker: it forwards the request', async () => {
    expect(await znodes.controllerId()).toBe(1);
    for (const broker of [cluster.broker(2), cluster.broker(3)]) {
      const connection = await connectTo(broker);
      const name = `through-${broker.id}`;
      const answer = await connection.send('CreateTopics', 5, request(name));
      connection.close();
      expect(answer.topics).toMatchObject([{ name, errorCode: 0, numPartitions: 2, replicationFactor: 2 }]);
      expect((await znodes.partitionState(name, 1)).leader_epoch).toBe(0);
    }
  });

  it('is told NOT_CONTROLLER, as by the original, where klassic.forward.to.controller=false', async () => {
    const connection = await connectTo(notForwarding);
    const answer = await connection.send('CreateTopics', 5, request('refused'));
    connection.close();
    expect(answer.topics).toMatchObject([{ name: 'refused', errorCode: Errors.NOT_CONTROLLER.code }]);
    expect(await znodes.read('/brokers/topics/refused')).toBeUndefined();
  });
});

describe('kafkajs', () => {
  it('sees the cluster, creates a topic, and refuses what cannot be', async () => {
    const admin = kafkaJs(servers).admin();
    await admin.connect();
    const { brokers, controller } = await admin.describeCluster();
    expect(brokers.map(({ nodeId, port }) => ({ nodeId, port })).sort((a, b) => a.nodeId - b.nodeId)).toEqual(
      [...cluster.brokers, notForwarding].map(({ id, port }) => ({ nodeId: id, port })),
    );
    expect(controller).toBe(1);
    const topic = { topic: 'made-by-kafkajs', numPartitions: 3, replicationFactor: 3 };
    expect(await admin.createTopics({ topics: [topic], waitForLeaders: true })).toBe(true);
    expect(await admin.createTopics({ topics: [topic] })).toBe(false);
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made-by-kafkajs'] });
    expect(topics[0]!.partitions.map(({ replicas, isr }) => [replicas.length, isr.length])).toEqual([
      [3, 3],
      [3, 3],
      [3, 3],
    ]);
    await admin.disconnect();
  });

  it('produces 10,000 keyed records and reads them all, of each partition in order, by a group', async () => {
    await createTopic(servers, 'by-kafkajs', [
      [1, 2],
      [2, 3],
      [3, 1],
    ]);
    const producer = kafkaJs(servers).producer();
    await producer.connect();
    for (let start = 0; start < sent.length; start += 1000) {
      await producer.send({ topic: 'by-kafkajs', acks: -1, messages: sent.slice(start, start + 1000) });
    }
    await producer.disconnect();
    expect(complaints(sent, await readByKafkaJsGroup('by-kafkajs', 'kafkajs-readers', sent.length))).toEqual([]);
  });

  it.each([0, 1, -1])('produces with acks=%d', async (acks) => {
    const topic = `kafkajs-acks${acks}`;
    await createTopic(servers, topic, [[2, 3, 1]]);
    const producer = kafkaJs(servers).producer();
    await producer.connect();
    for (const [index, { key, value }] of sent.slice(0, 20).entries()) {
      const [result] = await producer.send({ topic, acks, messages: [{ key, value }] });
      if (acks !== 0) expect(result).toMatchObject({ errorCode: 0, baseOffset: String(index) });
    }
    const read = await eventually(
      async () => {
        const seen = await readTopic(servers, topic);
        return seen.length >= 20 ? seen : undefined;
      },
      { what: 'the records of acks=0' },
    );
    await producer.disconnect();
    expect(complaints(sent.slice(0, 20), read)).toEqual([]);
  });
});

describeWithKcat(describe)('kcat', () => {
  it('lists brokers, the controller and topics', async () => {
    const { stdout } = await kcat(['-b', servers[1]!, '-L', '-J']);
    const told = JSON.parse(stdout) as {
      controllerid: number;
      brokers: { id: number; name: string }[];
      topics: { topic: string; partitions: { replicas: object[]; isrs: object[] }[] }[];
    };
    expect(told.controllerid).toBe(1);
    expect(told.brokers.sort((a, b) => a.id - b.id)).toEqual(
      [...cluster.brokers, notForwarding].map(({ id, bootstrapServer }) => ({ id, name: bootstrapServer })),
    );
    expect(told.topics.find(({ topic }) => topic === 'through-2')?.partitions).toHaveLength(2);
  });

  it('makes a topic by producing to it', async () => {
    expect(await znodes.read('/brokers/topics/on-first-use')).toBeUndefined();
    await produceByKcat('on-first-use', 'a:1\nb:2\n');
    const { text } = (await znodes.read('/brokers/topics/on-first-use'))!;
    expect(Object.keys((JSON.parse(text) as { partitions: object }).partitions)).toHaveLength(4);
    expect((await readByKcat('on-first-use')).map(({ key, value }) => `${key}:${value}`).sort()).toEqual([
      'a:1',
      'b:2',
    ]);
  });

  it('produces 10,000 keyed records and reads them all, of each partition in order, alone and by a group', async () => {
    await createTopic(servers, 'by-kcat', [
      [1, 2],
      [2, 3],
      [3, 1],
    ]);
    await produceByKcat('by-kcat', asLines(sent));
    expect(complaints(sent, await readByKcat('by-kcat'))).toEqual([]);
    const group = ['-G', 'kcat-readers', '-q', '-e', '-b', bootstrap, '-X', 'auto.offset.reset=earliest'];
    const read = await kcat([...group, '-f', kcatFormat, 'by-kcat']);
    expect(complaints(sent, parseKcat(read.stdout))).toEqual([]);
    // The group's offsets were committed: who reads on in its name finds nothing left.
    const again = await kcat([...group, '-f', kcatFormat, 'by-kcat']);
    expect(again.stdout).toBe('');
  });

  it.each(['0', '1', 'all'])('produces with acks=%s', async (acks) => {
    const topic = `kcat-acks-${acks}`;
    await createTopic(servers, topic, [[2, 3, 1]]);
    await produceByKcat(topic, asLines(sent.slice(0, 1000)), '-X', `acks=${acks}`);
    const read = await eventually(
      async () => {
        const seen = await readByKcat(topic);
        return seen.length >= 1000 ? seen : undefined;
      },
      { what: 'the records' },
    );
    expect(complaints(sent.slice(0, 1000), read)).toEqual([]);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('compresses with %s, and everybody reads it', async (codec) => {
    const topic = `compressed-${codec}`;
    await createTopic(servers, topic, [[3, 1]]);
    // kcat leaves a batch as it is that does not shrink, such as one of few records: it is to wait for many.
    await produceByKcat(topic, asLines(sent), '-z', codec, '-X', 'linger.ms=500');
    const batches = storedBatches(cluster.broker(3), topic);
    expect(new Set(batches.map(({ compression }) => compression))).toEqual(new Set([codec]));
    expect(complaints(sent, await readByKcat(topic))).toEqual([]);
    expect(complaints(sent, await readTopic(servers, topic))).toEqual([]);
  });

  it('produces idempotently: batches bear a producer id and sequence numbers without a gap', async () => {
    await createTopic(servers, 'idempotent', [[1, 2, 3]]);
    await produceByKcat('idempotent', asLines(sent), '-X', 'enable.idempotence=true', '-X', 'batch.num.messages=500');
    const batches = storedBatches(cluster.broker(1), 'idempotent');
    expect(new Set(batches.map(({ producerId }) => producerId)).size).toBe(1);
    expect(batches[0]!.producerId).toBeGreaterThanOrEqual(0);
    let next = 0;
    for (const { baseSequence, lastSequence } of batches) {
      expect(baseSequence).toBe(next);
      next = lastSequence + 1;
    }
    expect(next).toBe(sent.length);
    expect(complaints(sent, await readByKcat('idempotent'))).toEqual([]);
  });
});
