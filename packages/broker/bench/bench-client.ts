import { delay, SystemTime } from '@klassic/common';
import { BrokerConnection } from '@klassic/network';
import { errorByCode, Errors } from '@klassic/protocol';
import type { ApiName, Codec, RequestInit, ResponseOf } from '@klassic/protocol';

const time = new SystemTime();
const REQUEST_TIMEOUT_MS = 30_000;
const TOPIC_TIMEOUT_MS = 30_000;

/** Versions that Apache Kafka 2.8 and Klassic both serve. */
const versions = { ApiVersions: 2, CreateTopics: 4, Fetch: 11, Metadata: 9, Produce: 8 } as const;

/** Where a partition's leader is. */
export interface Leader {
  readonly topic: string;
  readonly partition: number;
  readonly host: string;
  readonly port: number;
}

/** @throws Error with Kafka's name of the error code, unless it is NONE */
export function expectNoError(what: string, code: number): void {
  if (code !== Errors.NONE.code) throw new Error(`${what}: ${errorByCode(code).name}`);
}

/** One connection of the benchmark: it sends what it is told and checks nothing but error codes. */
export class BenchConnection {
  readonly codec: Codec;
  private readonly connection: BrokerConnection;

  private constructor(codec: Codec, connection: BrokerConnection) {
    this.codec = codec;
    this.connection = connection;
  }

  static async open(host: string, port: number, codec: Codec): Promise<BenchConnection> {
    const options = { host, port, clientId: 'bench', codec, time, requestTimeoutMs: REQUEST_TIMEOUT_MS };
    const connection = new BrokerConnection(options);
    await connection.connect();
    return new BenchConnection(codec, connection);
  }

  close(): void {
    this.connection.close();
  }

  send<A extends keyof typeof versions & ApiName>(api: A, body: RequestInit<A>): Promise<ResponseOf<A>> {
    return this.connection.send(api, versions[api], body);
  }

  /** Appends prebuilt batches to a partition; resolves with the offset of the first record. */
  async produce({ topic, partition }: Leader, records: Buffer, acks: 1 | -1): Promise<number> {
    const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }];
    const { responses } = await this.send('Produce', { acks, timeoutMs: REQUEST_TIMEOUT_MS, topicData });
    const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!;
    expectNoError('Produce', errorCode);
    return baseOffset;
  }

  /** Reads whole batches from an offset on, and waits up to `maxWaitMs` for the first byte. */
  async fetch({ topic, partition }: Leader, fetchOffset: number, maxBytes: number, maxWaitMs: number): Promise<Buffer> {
    const partitions = [{ partition, fetchOffset, partitionMaxBytes: maxBytes }];
    const request = { replicaId: -1, maxWaitMs, minBytes: 1, maxBytes, topics: [{ topic, partitions }] };
    const { responses } = await this.send('Fetch', request);
    const answer = responses[0]!.partitionResponses[0]!;
    expectNoError('Fetch', answer.errorCode);
    return answer.recordSet ?? Buffer.alloc(0);
  }

  /** Creates a topic through the controller and waits until every partition has a leader that knows it is one. */
  async createTopic(
    name: string,
    numPartitions: number,
    replicationFactor: number,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<Leader[]> {
    const controller = await until('the cluster had no controller', async () => {
      const { brokers, controllerId } = await this.send('Metadata', { topics: [] });
      return brokers.find(({ nodeId }) => nodeId === controllerId);
    });
    const toController = await BenchConnection.open(controller.host, controller.port, this.codec);
    try {
      const settings = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
      const topics = [{ name, numPartitions, replicationFactor, assignments: [], configs: settings }];
      const answer = await toController.send('CreateTopics', { topics, timeoutMs: TOPIC_TIMEOUT_MS });
      expectNoError(`CreateTopics of ${name}`, answer.topics[0]!.errorCode);
    } finally {
      toController.close();
    }
    const leaders = await until(`${name} had no leaders`, () => this.leadersOf(name, numPartitions));
    // A broker refuses partitions that its own metadata lack, be they its own.
    const brokers = new Map(leaders.map((leader) => [`${leader.host}:${leader.port}`, leader]));
    await Promise.all(
      [...brokers.values()].map(async ({ host, port }) => {
        const toLeader = await BenchConnection.open(host, port, this.codec);
        await until(`${host}:${port} did not know ${name}`, () => toLeader.leadersOf(name, numPartitions));
        toLeader.close();
      }),
    );
    return leaders;
  }

  /** Undefined until every partition has a leader and all of its replicas in sync. */
  private async leadersOf(name: string, numPartitions: number): Promise<Leader[] | undefined> {
    const { brokers, topics } = await this.send('Metadata', { topics: [{ name }] });
    const leaders = topics[0]!.partitions.flatMap(({ partitionIndex, leaderId, isrNodes, replicaNodes }) => {
      const broker = brokers.find(({ nodeId }) => nodeId === leaderId);
      if (broker === undefined || isrNodes.length < replicaNodes.length) return [];
      return [{ topic: name, partition: partitionIndex, host: broker.host, port: broker.port }];
    });
    return leaders.length === numPartitions ? leaders : undefined;
  }
}

/** Asks until there is an answer. @throws Error with the complaint when there is none in time */
async function until<T>(complaint: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = time.hiResMs() + TOPIC_TIMEOUT_MS;
  while (time.hiResMs() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(time, 20);
  }
  throw new Error(`${complaint} within ${TOPIC_TIMEOUT_MS} ms`);
}
