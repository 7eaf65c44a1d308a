import { SeededRandom, silentLoggers } from '@klassic/common';
import type { Cancel, LoggerFactory, Time } from '@klassic/common';
import { LogManager } from '@klassic/log';
import type { ApiName, RequestOf, ResponseOf } from '@klassic/protocol';
import { BrokerTopicStats } from '../../src/metrics/index.ts';
import { MetadataCache } from '../../src/metadata/index.ts';
import { FetchManager, FetchSessionCache, ReplicaManager } from '../../src/replica/index.ts';
import type { FetchPartitionData, IsrStore, ReplicaManagerConfig } from '../../src/replica/index.ts';
import type { Network } from './network.ts';

/** A clock that a crash stops: nothing scheduled before it runs after it. */
class BrokerTime implements Time {
  private readonly time: Time;
  private readonly cancels = new Set<Cancel>();
  private dead = false;

  constructor(time: Time) {
    this.time = time;
  }

  milliseconds(): number {
    return this.time.milliseconds();
  }

  hiResMs(): number {
    return this.time.hiResMs();
  }

  schedule(delayMs: number, task: () => void): Cancel {
    return this.track((run) => this.time.schedule(delayMs, run), task);
  }

  scheduleEvery(periodMs: number, task: () => void): Cancel {
    return this.track((run) => this.time.scheduleEvery(periodMs, run), task);
  }

  soon(task: () => void): void {
    this.time.soon(() => {
      if (!this.dead) task();
    });
  }

  die(): void {
    this.dead = true;
    for (const cancel of this.cancels) cancel();
    this.cancels.clear();
  }

  private track(start: (run: () => void) => Cancel, task: () => void): Cancel {
    if (this.dead) return () => undefined;
    const cancel = start(task);
    this.cancels.add(cancel);
    return () => {
      this.cancels.delete(cancel);
      cancel();
    };
  }
}

export interface TestBrokerOptions {
  readonly id: number;
  readonly logDirs: readonly string[];
  /** Topics' own settings. */
  readonly topicConfigs?: Readonly<Record<string, string>>;
  readonly time: Time;
  readonly network: Network;
  readonly isrStore: IsrStore;
  readonly config?: Partial<ReplicaManagerConfig>;
  /** Broker settings that logs read, such as `min.insync.replicas`. */
  readonly logDefaults?: Readonly<Record<string, string>>;
  readonly loggers?: LoggerFactory;
}

/** A broker's replication wing over real logs, with a fake network and a fake ZooKeeper. */
export class TestBroker {
  readonly id: number;
  readonly metadataCache: MetadataCache;
  readonly logManager: LogManager;
  readonly replicaManager: ReplicaManager;
  readonly fetchManager: FetchManager;
  private readonly network: Network;
  private readonly time: BrokerTime;
  private correlationId = 0;

  constructor(options: TestBrokerOptions) {
    const { id, network, isrStore } = options;
    const loggers = options.loggers ?? silentLoggers;
    const random = new SeededRandom(id);
    this.id = id;
    this.network = network;
    this.time = new BrokerTime(options.time);
    this.metadataCache = new MetadataCache(id, loggers);
    this.logManager = LogManager.create({
      logDirs: options.logDirs,
      brokerDefaults: options.logDefaults ?? {},
      topicConfigs: () => options.topicConfigs ?? {},
      time: this.time,
      random,
      loggers,
      onLogDirFailure: (logDir) => {
        this.replicaManager.handleLogDirFailure(logDir);
      },
    });
    const cache = new FetchSessionCache(1000, random);
    this.fetchManager = new FetchManager(this.time, cache, loggers('kafka.server.FetchManager'));
    this.replicaManager = new ReplicaManager({
      config: {
        brokerId: id,
        replicaLagTimeMaxMs: 30_000,
        replicaHighWatermarkCheckpointIntervalMs: 5000,
        numReplicaFetchers: 1,
        replicaFetchMinBytes: 1,
        replicaFetchMaxBytes: 1_048_576,
        replicaFetchResponseMaxBytes: 10_485_760,
        replicaFetchWaitMaxMs: 500,
        replicaFetchBackoffMs: 1000,
        interBrokerListenerName: 'PLAINTEXT',
        replicationQuota: { numQuotaSamples: 11, quotaWindowSizeSeconds: 1 },
        alterLogDirsQuota: { numQuotaSamples: 11, quotaWindowSizeSeconds: 1 },
        ...options.config,
      },
      time: this.time,
      random,
      loggers,
      logManager: this.logManager,
      metadataCache: this.metadataCache,
      isrStore,
      topicStats: new BrokerTopicStats(),
      connectToLeader: (leader, clientId) => network.connect(id, leader.id, clientId),
    });
  }

  async start(): Promise<void> {
    await this.logManager.startup();
    this.replicaManager.startup();
    this.network.attach(this.id, (api, body) => this.handle(api, body));
  }

  /** kill -9: what was written stays, nothing else happens any more. */
  async crash(): Promise<void> {
    this.network.detach(this.id);
    this.time.die();
    await this.replicaManager.shutdown(false);
    for (const log of this.logManager.allLogs()) log.close();
  }

  async stop(): Promise<void> {
    this.network.detach(this.id);
    await this.replicaManager.shutdown();
    await this.logManager.shutdown();
    this.time.die();
  }

  leaderAndIsr(request: RequestOf<'LeaderAndIsr'>): ReturnType<ReplicaManager['becomeLeaderOrFollower']> {
    this.correlationId += 1;
    return this.replicaManager.becomeLeaderOrFollower(this.correlationId, request, {
      onLeadershipChange: () => undefined,
    });
  }

  async updateMetadata(request: RequestOf<'UpdateMetadata'>): Promise<void> {
    this.correlationId += 1;
    await this.replicaManager.maybeUpdateMetadataCache(this.correlationId, request);
  }

  private async handle(api: ApiName, body: RequestOf<ApiName>): Promise<ResponseOf<ApiName>> {
    if (api === 'Fetch') return this.fetch(body as RequestOf<'Fetch'>);
    if (api === 'OffsetForLeaderEpoch') return this.epochEnds(body as RequestOf<'OffsetForLeaderEpoch'>);
    if (api === 'ListOffsets') return this.listOffsets(body as RequestOf<'ListOffsets'>);
    throw new Error(`no follower sends ${api}`);
  }

  private async fetch(request: RequestOf<'Fetch'>): Promise<ResponseOf<'Fetch'>> {
    const requested = request.topics.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ ...partition, topic, maxBytes: partition.partitionMaxBytes })),
    );
    const forgotten = request.forgottenTopicsData.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    const metadata = { sessionId: request.sessionId, epoch: request.sessionEpoch };
    const context = this.fetchManager.newContext(metadata, requested, forgotten, true);
    const { replicaId, maxWaitMs, minBytes, maxBytes } = request;
    const fetched = await this.replicaManager.fetchMessages({
      replicaId,
      maxWaitMs,
      minBytes,
      maxBytes,
      hardMaxBytesLimit: false,
      isolation: 'read_uncommitted',
      partitions: context.partitions,
    });
    const { errorCode, sessionId, partitions } = context.updateAndGenerateResponse(fetched);
    this.replicaManager.recordLeaderThrottled(partitions);
    const responses = partitions.map((data) => ({ topic: data.topic, partitionResponses: [onTheWire(data)] }));
    return { throttleTimeMs: 0, errorCode, sessionId, responses } as ResponseOf<'Fetch'>;
  }

  private epochEnds(request: RequestOf<'OffsetForLeaderEpoch'>): ResponseOf<'OffsetForLeaderEpoch'> {
    const topics = request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => ({
        partition,
        ...this.replicaManager.lastOffsetForLeaderEpoch({ topic, partition }, currentLeaderEpoch, leaderEpoch),
      })),
    }));
    return { throttleTimeMs: 0, topics };
  }

  private listOffsets(request: RequestOf<'ListOffsets'>): ResponseOf<'ListOffsets'> {
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, currentLeaderEpoch, timestamp }) => {
        const at = { topic: name, partition: partitionIndex };
        const found = this.replicaManager.fetchOffsetForTimestamp(at, timestamp, undefined, currentLeaderEpoch, true);
        return { partitionIndex, errorCode: 0, timestamp: -1, offset: found?.offset ?? -1, leaderEpoch: -1 };
      }),
    }));
    return { throttleTimeMs: 0, topics } as ResponseOf<'ListOffsets'>;
  }
}

/** A fetched partition as the other side gets it: its own bytes. */
function onTheWire(data: FetchPartitionData): object {
  const { partition, errorCode, highWatermark, lastStableOffset, logStartOffset } = data;
  return {
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions: null,
    preferredReadReplica: -1,
    recordSet: Buffer.from(data.records),
  };
}
