import { afterEach, describe, expect, it } from '@jest/globals';
import { Errors, KafkaError } from '@klassic/protocol';
import type { Codec } from '@klassic/protocol';
import { eventually } from '@klassic/test-support';
import { Admin, ConfigError, Producer, TimeoutError } from '../src/index.ts';
import type { ProducerOptions } from '../src/index.ts';
import { append, FakeCluster } from './fake-broker.ts';
import type { Handlers } from './fake-broker.ts';

const opened: { stop?(): Promise<void>; close?(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) {
    await thing.close?.();
    await thing.stop?.();
  }
});

async function start(handlers: Handlers = {}, options: Partial<ProducerOptions> = {}) {
  const cluster = await FakeCluster.start(handlers);
  const producer = new Producer({ bootstrapServers: cluster.bootstrapServers, retryBackoffMs: 10, ...options });
  opened.push(cluster, producer);
  return { cluster, producer };
}

/** Sends 0 to count - 1 to each partition. */
async function sendAll(producer: Producer, count: number): Promise<void> {
  const sent = [];
  for (let value = 0; value < count; value += 1) {
    for (let partition = 0; partition < 4; partition += 1) {
      sent.push(producer.send({ topic: 't', partition, value: String(value) }));
    }
    if (value % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(sent);
}

const inOrder = (count: number): string[] => Array.from({ length: count }, (_, value) => String(value));

describe('Producer', () => {
  it.each<Codec>(['kafka', 'msgpack'])('delivers to the leaders of partitions in %s', async (codec) => {
    const { cluster, producer } = await start({}, { codec, acks: 'all', compressionType: 'lz4' });
    await sendAll(producer, 100);
    for (let partition = 0; partition < 4; partition += 1) expect(cluster.log(partition)).toEqual(inOrder(100));
  });

  it('tells where each record went', async () => {
    const { producer } = await start({}, { lingerMs: 5 });
    const [first, second] = await Promise.all([
      producer.send({ topic: 't', partition: 3, value: 'a', timestamp: 17 }),
      producer.send({ topic: 't', partition: 3, value: 'b' }),
    ]);
    expect(first).toEqual({ topic: 't', partition: 3, offset: 0, timestamp: 17 });
    expect(second.offset).toBe(1);
  });

  it('does not wait for answers with acks=0', async () => {
    const { cluster, producer } = await start(
      {
        Produce: (body, broker) => {
          append(body, broker);
          return undefined;
        },
      },
      { acks: 0 },
    );
    expect((await producer.send({ topic: 't', partition: 0, value: 'x' })).offset).toBe(-1);
    await eventually(() => cluster.log(0).length === 1);
    expect(cluster.log(0)).toEqual(['x']);
  });

  it('keeps order over retries, and follows a leader that moved', async () => {
    let answers = 0;
    const { cluster, producer } = await start({
      Produce: (body, broker) => {
        answers += 1;
        if (answers === 10) {
          cluster.leaders[0] = 1;
          cluster.leaderEpoch += 1;
        }
        if (answers % 7 !== 0) return append(body, broker);
        return {
          responses: body.topicData.map(({ name, partitionData }) => ({
            name,
            partitionResponses: partitionData.map(({ index }) => ({
              index,
              errorCode: Errors.NOT_ENOUGH_REPLICAS.code,
            })),
          })),
        };
      },
    });
    await sendAll(producer, 300);
    expect(answers).toBeGreaterThan(10);
    for (let partition = 0; partition < 4; partition += 1) expect(cluster.log(partition)).toEqual(inOrder(300));
  });

  it('fails for good what the broker refuses for good', async () => {
    const { producer } = await start({
      Produce: ({ topicData }) => ({
        responses: topicData.map(({ name, partitionData }) => ({
          name,
          partitionResponses: partitionData.map(({ index }) => ({
            index,
            errorCode: Errors.INVALID_RECORD.code,
            errorMessage: 'One or more records have been rejected',
          })),
        })),
      }),
    });
    const failure = await producer.send({ topic: 't', value: 'x' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(KafkaError);
    expect((failure as KafkaError).error).toBe(Errors.INVALID_RECORD);
    expect((failure as KafkaError).message).toBe('One or more records have been rejected');
  });

  it('splits a batch that is too large for the broker', async () => {
    const { cluster, producer } = await start(
      {
        Produce: (body, broker) => {
          const { index, records } = body.topicData[0]!.partitionData[0]!;
          if (records!.length <= 1000) return append(body, broker);
          return {
            responses: [
              { name: 't', partitionResponses: [{ index, errorCode: Errors.MESSAGE_TOO_LARGE.code, baseOffset: -1 }] },
            ],
          };
        },
      },
      { lingerMs: 5 },
    );
    const values = inOrder(50).map((value) => value.padStart(100));
    await Promise.all(values.map((value) => producer.send({ topic: 't', partition: 0, value })));
    expect(cluster.log(0)).toEqual(values);
  });

  it('gives up after delivery.timeout.ms', async () => {
    const { cluster, producer } = await start({}, { deliveryTimeoutMs: 100, requestTimeoutMs: 50 });
    await producer.send({ topic: 't', partition: 0, value: 'x' });
    await cluster.stop();
    await expect(producer.send({ topic: 't', partition: 0, value: 'y' })).rejects.toThrow(/./);
  });

  it('says that a topic does not exist', async () => {
    const { producer } = await start({}, { maxBlockMs: 100 });
    await expect(producer.send({ topic: 'nope', value: 'x' })).rejects.toThrow(
      new TimeoutError('Topic nope not present in metadata after 100 ms.'),
    );
  });

  it('waits for memory, and goes on when there is some', async () => {
    const { cluster, producer } = await start({}, { bufferMemory: 1_000, batchSize: 300 });
    await Promise.all(inOrder(100).map((value) => producer.send({ topic: 't', partition: 0, value })));
    expect(cluster.log(0)).toEqual(inOrder(100));
  });

  it('refuses settings that cannot be', () => {
    expect(() => new Producer({ bootstrapServers: 'localhost' })).toThrow(
      new ConfigError('Invalid url in bootstrap.servers: localhost'),
    );
    expect(() => new Producer({ bootstrapServers: 'a:1', enableIdempotence: true, acks: 1 })).toThrow(ConfigError);
  });
});

describe('idempotent Producer', () => {
  it('keeps order with five requests in flight, and leaves no duplicates', async () => {
    const expected = new Map<number, number>();
    const seen: number[] = [];
    let answers = 0;
    const { cluster, producer } = await start(
      {
        InitProducerId: () => ({ producerId: 7, producerEpoch: 0 }),
        Produce: (body, broker) => {
          answers += 1;
          const refuse = (index: number, errorCode: number) => ({
            responses: [{ name: 't', partitionResponses: [{ index, errorCode, baseOffset: -1 }] }],
          });
          const { index, records } = body.topicData[0]!.partitionData[0]!;
          if (body.topicData[0]!.partitionData.length > 1) throw new Error('one partition a request is asked for');
          const sequence = records!.readInt32BE(53);
          const due = expected.get(index) ?? 0;
          if (answers % 5 === 0) return refuse(index, Errors.NOT_ENOUGH_REPLICAS.code);
          if (sequence < due) return refuse(index, Errors.DUPLICATE_SEQUENCE_NUMBER.code);
          if (sequence > due) return refuse(index, Errors.OUT_OF_ORDER_SEQUENCE_NUMBER.code);
          seen.push(sequence);
          expected.set(index, sequence + records!.readInt32BE(57));
          return append(body, broker);
        },
      },
      { enableIdempotence: true, batchSize: 200 },
    );
    await Promise.all(inOrder(500).map((value) => producer.send({ topic: 't', partition: 0, value })));
    expect(cluster.log(0)).toEqual(inOrder(500));
    expect(seen.length).toBeGreaterThan(10);
  });
});

describe('Admin', () => {
  it('goes to the controller, and again when it has moved', async () => {
    let refusals = 2;
    const { cluster } = await start({
      CreateTopics: ({ topics }) => {
        refusals -= 1;
        return {
          topics: topics.map(({ name }) => ({ name, errorCode: refusals >= 0 ? Errors.NOT_CONTROLLER.code : 0 })),
        };
      },
    });
    const admin = new Admin({ bootstrapServers: cluster.bootstrapServers, retryBackoffMs: 10 });
    opened.push({ close: () => admin.close() });
    await admin.createTopics([{ name: 'new', numPartitions: 1, replicationFactor: 1 }]);
    expect(refusals).toBe(-1);
  });

  it('says that nobody can be reached', async () => {
    const { cluster } = await start();
    const { bootstrapServers } = cluster;
    await cluster.stop();
    const admin = new Admin({
      bootstrapServers,
      retryBackoffMs: 10,
      defaultApiTimeoutMs: 100,
    });
    opened.push({ close: () => admin.close() });
    await expect(admin.describeCluster()).rejects.toThrow(
      /^Timed out after 100 ms: describing the cluster\. .*could not be established\. Broker may not be available \(ECONNREFUSED\)$/,
    );
  });
});
