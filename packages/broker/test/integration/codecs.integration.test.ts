import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Producer } from '@klassic/client';
import { decodeRequestHeader, detectCodec } from '@klassic/protocol';
import type { Codec } from '@klassic/protocol';
import { eventually, freePorts, prepareBroker, startZooKeeper, TcpRelay } from '@klassic/test-support';
import type { TestBroker, TestZooKeeper } from '@klassic/test-support';
import { connectTo, createTopic, quick, ZNodes } from './cluster.ts';
import { complaints, keyedRecords, readTopic } from './records.ts';
import { Traffic } from './traffic.ts';

jest.setTimeout(60_000);

const sent = keyedRecords(1000);

/** Who spoke to a broker, by client id, and in which codecs. */
type Speakers = Map<string, Set<Codec>>;

/** Brokers whose advertised ports are relays which listen to what arrives there. */
class TappedCluster {
  readonly brokers: TestBroker[] = [];
  readonly speakers: Speakers = new Map();
  zooKeeper!: TestZooKeeper;
  znodes!: ZNodes;
  private readonly relays: TcpRelay[] = [];

  async start(count: number, overrides: Readonly<Record<string, string>>): Promise<void> {
    this.zooKeeper = await startZooKeeper();
    this.znodes = await ZNodes.open(this.zooKeeper.connectString);
    for (const [index, port] of (await freePorts(count)).entries()) {
      const relay = await TcpRelay.start({
        targetPort: port,
        onFrame: ({ direction, frame }) => {
          if (direction === 'to-server') this.note(frame);
        },
      });
      this.relays.push(relay);
      const broker = await prepareBroker({
        zooKeeperConnect: this.zooKeeper.connectString,
        id: index + 1,
        port,
        brokers: count,
        overrides: { ...quick, 'advertised.listeners': `PLAINTEXT://${relay.address}`, ...overrides },
      });
      this.brokers.push(broker);
      await broker.start();
    }
  }

  get servers(): string[] {
    return this.relays.map(({ address }) => address);
  }

  /** Waits until each of the client ids has been heard, and tells the codecs of each. */
  async codecsOf(...clientIds: string[]): Promise<Codec[][]> {
    await eventually(() => clientIds.every((id) => this.speakers.has(id)), { what: `requests of ${clientIds.join()}` });
    return clientIds.map((id) => [...this.speakers.get(id)!]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.kill()));
    await Promise.all(this.relays.map((relay) => relay.close()));
    await this.znodes?.close();
    await this.zooKeeper?.stop();
  }

  private note(frame: Buffer): void {
    const codec = detectCodec(frame[0]!);
    const clientId = decodeRequestHeader(codec, frame).clientId ?? '';
    const codecs = this.speakers.get(clientId);
    if (codecs === undefined) this.speakers.set(clientId, new Set([codec]));
    else codecs.add(codec);
  }
}

describe('One port', () => {
  const cluster = new TappedCluster();

  beforeAll(() => cluster.start(2, {}));
  afterAll(() => cluster.stop());

  it('hears brokers among themselves in MessagePack, by default', async () => {
    await createTopic(cluster.servers, 'replicated', [
      [1, 2],
      [2, 1],
    ]);
    // The controller tells both; each follows the other.
    expect(await cluster.codecsOf('1', 'broker-1-fetcher-0', 'broker-2-fetcher-0')).toEqual([
      ['msgpack'],
      ['msgpack'],
      ['msgpack'],
    ]);
  });

  it.each<[Codec, Codec]>([
    ['msgpack', 'kafka'],
    ['kafka', 'msgpack'],
  ])('takes records in %s and gives them in %s', async (writing, reading) => {
    const topic = `${writing}-to-${reading}`;
    await createTopic(cluster.servers, topic, [
      [1, 2],
      [2, 1],
    ]);
    const clientId = `producer-in-${writing}`;
    const producer = new Producer({
      bootstrapServers: cluster.servers,
      codec: writing,
      clientId,
      acks: 'all',
      enableIdempotence: true,
    });
    await Promise.all(sent.map((record) => producer.send({ topic, ...record })));
    await producer.close();
    expect(await cluster.codecsOf(clientId)).toEqual([[writing]]);
    expect(complaints(sent, await readTopic(cluster.servers, topic, reading))).toEqual([]);
  });

  it('answers two connections in two codecs alike', async () => {
    const broker = cluster.brokers[0]!;
    const [binary, packed] = [await connectTo(broker, 'kafka'), await connectTo(broker, 'msgpack')];
    const answers = await Promise.all(
      [binary, packed].map((connection) => connection.send('Metadata', 9, { topics: null })),
    );
    expect(answers[0]!.topics.length).toBeGreaterThan(0);
    expect(answers[0]).toEqual(answers[1]);
    binary.close();
    packed.close();
  });
});

describe('inter.broker.codec=kafka', () => {
  const cluster = new TappedCluster();

  beforeAll(() => cluster.start(3, { 'inter.broker.codec': 'kafka' }));
  afterAll(() => cluster.stop());

  it('replicates, forwards and fails over in Kafka’s binary protocol alone', async () => {
    const { servers, znodes } = cluster;
    const connection = await connectTo(cluster.brokers[1]!);
    const forwarded = await connection.send('CreateTopics', 5, {
      topics: [{ name: 'forwarded', numPartitions: 1, replicationFactor: 3 }],
      timeoutMs: 20_000,
    });
    connection.close();
    expect(forwarded.topics).toMatchObject([{ errorCode: 0 }]);

    await createTopic(servers, 'binary', [[2, 3, 1]], { 'min.insync.replicas': '2' });
    const traffic = new Traffic(servers, 'binary');
    await traffic.flows(20);
    await cluster.brokers[1]!.kill();
    await znodes.waitForIsr('binary', 0, [1, 3]);
    expect(await znodes.partitionState('binary')).toMatchObject({ leader: 3, leader_epoch: 1, isr: [3, 1] });
    await traffic.flows(20);
    await cluster.brokers[1]!.startAgain();
    await znodes.waitForIsr('binary', 0, [1, 2, 3]);
    const acknowledged = await traffic.stop();
    expect(complaints(acknowledged, await readTopic(servers, 'binary'))).toEqual([]);
    expect(new Set([...cluster.speakers.values()].flatMap((codecs) => [...codecs]))).toEqual(new Set(['kafka']));
    expect([...cluster.speakers.keys()]).toEqual(
      expect.arrayContaining(['1', 'broker-1-fetcher-0', 'broker-2-fetcher-0', 'broker-2-to-controller']),
    );
  });
});
