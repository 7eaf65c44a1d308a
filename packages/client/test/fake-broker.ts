import { silentLoggers, SystemTime, topicPartitionKey } from '@klassic/common';
import { SocketServer } from '@klassic/network';
import type { NetworkRequest } from '@klassic/network';
import { apis, batchesOf, Errors } from '@klassic/protocol';
import type { ApiName, RequestOf, ResponseInit } from '@klassic/protocol';

/** Answers an API; undefined sends no answer. */
export type Handler<A extends ApiName> = (
  body: RequestOf<A>,
  broker: FakeBroker,
) => ResponseInit<A> | undefined | Promise<ResponseInit<A>>;

export type Handlers = { [A in ApiName]?: Handler<A> };

/** Partitions led by their index modulo the number of brokers. */
const PARTITIONS = 4;

/** A broker that keeps what is produced in memory: just enough for a client to be tried on, on either codec. */
export class FakeBroker {
  readonly id: number;
  readonly cluster: FakeCluster;
  readonly server: SocketServer;
  private boundPort = 0;

  constructor(id: number, cluster: FakeCluster) {
    this.id = id;
    this.cluster = cluster;
    this.server = new SocketServer({
      endPoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: '127.0.0.1', port: 0 }],
      time: new SystemTime(),
      loggers: silentLoggers,
      handler: (request) => {
        this.handle(request);
      },
    });
  }

  /** Known also after a shutdown: metadata may name a broker that has gone. */
  get port(): number {
    return this.boundPort;
  }

  async start(): Promise<void> {
    await this.server.start();
    this.boundPort = this.server.boundPort('PLAINTEXT');
    this.server.startProcessingRequests();
  }

  private handle(request: NetworkRequest): void {
    const handler = (this.cluster.handlers[request.api] ?? plainHandlers[request.api]) as Handler<ApiName> | undefined;
    if (handler === undefined) {
      request.closeConnection();
      return;
    }
    const answer = handler(request.body, this);
    if (answer === undefined) request.noResponse();
    else void Promise.resolve(answer).then((body) => request.respond(body));
  }
}

/** Some brokers with one topic, `t`, whose handlers a test may replace. */
export class FakeCluster {
  readonly brokers: FakeBroker[] = [];
  readonly handlers: Handlers;
  /** Broker id of each partition's leader. */
  readonly leaders: number[];
  leaderEpoch = 0;
  /** Topics of newer brokers have one. */
  topicId: string | undefined;
  /** Without it there is no topic. */
  hasTopic = true;
  /** Brokers that metadata tell as offline; every broker is a replica of every partition. */
  readonly offline = new Set<number>();
  /** Of an API the newest version that the brokers offer, where it is not the newest there is. */
  readonly maxVersions: { [A in ApiName]?: number } = {};
  /** Values in the order of offsets, by topicPartitionKey. */
  readonly logs = new Map<string, string[]>();

  private constructor(handlers: Handlers, count: number) {
    this.handlers = handlers;
    this.leaders = Array.from({ length: PARTITIONS }, (_, partition) => partition % count);
  }

  static async start(handlers: Handlers = {}, count = 2): Promise<FakeCluster> {
    const cluster = new FakeCluster(handlers, count);
    for (let id = 0; id < count; id += 1) {
      const broker = new FakeBroker(id, cluster);
      await broker.start();
      cluster.brokers.push(broker);
    }
    return cluster;
  }

  get bootstrapServers(): string[] {
    return this.brokers.map(({ port }) => `127.0.0.1:${port}`);
  }

  log(partition: number): string[] {
    const key = topicPartitionKey('t', partition);
    const log = this.logs.get(key) ?? [];
    this.logs.set(key, log);
    return log;
  }

  async stop(): Promise<void> {
    for (const { server } of this.brokers) await server.shutdown();
  }
}

/** Appends a produced batch; what a test's own Produce handler builds on. */
export function append({ topicData }: RequestOf<'Produce'>, broker: FakeBroker): ResponseInit<'Produce'> {
  return {
    responses: topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        if (broker.cluster.leaders[index] !== broker.id) {
          return { index, errorCode: Errors.NOT_LEADER_OR_FOLLOWER.code, baseOffset: -1 };
        }
        const log = broker.cluster.log(index);
        const baseOffset = log.length;
        for (const batch of batchesOf(records!)) {
          for (const { value } of batch.records()) log.push(String(value));
        }
        return { index, baseOffset };
      }),
    })),
  };
}

/** What brokers answer where a test's own handlers say nothing else. */
export const plainHandlers: Handlers = {
  ApiVersions: (_body, { cluster }) => ({
    apiKeys: Object.entries(apis).map(([name, { key, minVersion, maxVersion }]) => ({
      apiKey: key,
      minVersion,
      maxVersion: cluster.maxVersions[name as ApiName] ?? maxVersion,
    })),
  }),
  Metadata: ({ topics }, { cluster }) => ({
    brokers: cluster.brokers.map(({ id, port }) => ({ nodeId: id, host: '127.0.0.1', port })),
    clusterId: 'fake',
    controllerId: 0,
    topics: (topics ?? [{ name: 't' }]).map(({ name }) =>
      name === 't' && cluster.hasTopic
        ? {
            name,
            ...(cluster.topicId === undefined ? {} : { topicId: cluster.topicId }),
            partitions: cluster.leaders.map((leaderId, partitionIndex) => ({
              partitionIndex,
              leaderId,
              leaderEpoch: cluster.leaderEpoch,
              replicaNodes: cluster.brokers.map(({ id }) => id),
              isrNodes: [leaderId],
              offlineReplicas: [...cluster.offline],
            })),
          }
        : { name: name!, errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION.code },
    ),
  }),
  Produce: append,
};
