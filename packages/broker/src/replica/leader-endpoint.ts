import { topicPartitionKey } from '@klassic/common';
import type { ApiName, RequestInit, ResponseOf } from '@klassic/protocol';
import { errorByCode, Errors, KafkaError } from '@klassic/protocol';
import type { FetchRequestData } from './fetch-session-handler.ts';
import { describeFetchMetadata } from './fetch-metadata.ts';
import type { FetchRequestPartition } from './messages.ts';
import type { BrokerEndPoint, ConnectToLeader, LeaderConnection, ReplicaManagerConfig } from './options.ts';
import type { EpochEndOffset } from './partition-reads.ts';

/** Versions that go with inter.broker.protocol.version 2.6. */
const fetchVersion = 11;
const offsetForLeaderEpochVersion = 3;
const listOffsetsVersion = 5;

/** What a follower asks of OffsetForLeaderEpoch for one partition. */
export interface EpochRequest {
  readonly topic: string;
  readonly partition: number;
  readonly currentLeaderEpoch: number;
  /** The follower's latest epoch. */
  readonly leaderEpoch: number;
}

/**
 * A follower's requests to one leader over one connection, which is made when needed and dropped when a request fails.
 * Counterpart of `kafka.server.ReplicaFetcherBlockingSend`.
 */
export class LeaderEndPoint {
  readonly broker: BrokerEndPoint;
  private readonly config: ReplicaManagerConfig;
  private readonly clientId: string;
  private readonly connectToLeader: ConnectToLeader;
  private connection: LeaderConnection | undefined;
  private closed = false;

  constructor(
    broker: BrokerEndPoint,
    config: ReplicaManagerConfig,
    clientId: string,
    connectToLeader: ConnectToLeader,
  ) {
    this.broker = broker;
    this.config = config;
    this.clientId = clientId;
    this.connectToLeader = connectToLeader;
  }

  /** Fetches with a session. Rejects when the leader cannot be reached or does not answer. */
  fetch(data: FetchRequestData): Promise<ResponseOf<'Fetch'>> {
    const { brokerId, replicaFetchWaitMaxMs, replicaFetchMinBytes, replicaFetchResponseMaxBytes } = this.config;
    return this.send('Fetch', fetchVersion, {
      replicaId: brokerId,
      maxWaitMs: replicaFetchWaitMaxMs,
      minBytes: replicaFetchMinBytes,
      maxBytes: replicaFetchResponseMaxBytes,
      isolationLevel: 0,
      sessionId: data.metadata.sessionId,
      sessionEpoch: data.metadata.epoch,
      topics: byTopic(data.toSend.values(), toFetchPartition),
      forgottenTopicsData: byTopic(data.toForget, ({ partition }) => partition),
      rackId: '',
    });
  }

  /** Asks for the end offsets of the follower's latest epochs. Keys as `topicPartitionKey` makes them. */
  async fetchEpochEndOffsets(requests: readonly EpochRequest[]): Promise<Map<string, EpochEndOffset>> {
    const topics = byTopic(requests, ({ partition, currentLeaderEpoch, leaderEpoch }) => ({
      partition,
      currentLeaderEpoch,
      leaderEpoch,
    }));
    const body = { replicaId: this.config.brokerId, topics };
    const response = await this.send('OffsetForLeaderEpoch', offsetForLeaderEpochVersion, body);
    const ends = new Map<string, EpochEndOffset>();
    for (const { topic, partitions } of response.topics) {
      for (const end of partitions) ends.set(topicPartitionKey(topic, end.partition), end);
    }
    return ends;
  }

  /**
   * The leader's earliest or latest offset.
   *
   * @throws KafkaError with the leader's error
   */
  async fetchOffset(
    topic: string,
    partition: number,
    currentLeaderEpoch: number,
    which: 'earliest' | 'latest',
  ): Promise<number> {
    const timestamp = which === 'earliest' ? -2 : -1;
    const response = await this.send('ListOffsets', listOffsetsVersion, {
      replicaId: this.config.brokerId,
      isolationLevel: 0,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch, timestamp }] }],
    });
    const found = response.topics[0]?.partitions[0];
    if (found === undefined) throw new KafkaError(Errors.UNKNOWN_SERVER_ERROR, 'The leader left the partition out');
    if (found.errorCode !== Errors.NONE.code) throw new KafkaError(errorByCode(found.errorCode));
    return found.offset;
  }

  /** Drops the connection; a request on its way is rejected, a later one too. */
  close(): void {
    this.closed = true;
    this.disconnect();
  }

  /** A fetch request as the reference prints it. */
  describe(data: FetchRequestData): string {
    const { brokerId, replicaFetchWaitMaxMs, replicaFetchMinBytes, replicaFetchResponseMaxBytes } = this.config;
    const sent = [...data.toSend].map(
      ([key, request]) =>
        `${key}=PartitionData(fetchOffset=${request.fetchOffset}, logStartOffset=${request.logStartOffset}, ` +
        `maxBytes=${request.maxBytes}, currentLeaderEpoch=Optional[${request.currentLeaderEpoch}], ` +
        `lastFetchedEpoch=Optional.empty)`,
    );
    const forgotten = data.toForget.map(({ topic, partition }) => topicPartitionKey(topic, partition));
    return (
      `(type=FetchRequest, replicaId=${brokerId}, maxWait=${replicaFetchWaitMaxMs}, minBytes=${replicaFetchMinBytes}, ` +
      `maxBytes=${replicaFetchResponseMaxBytes}, fetchData={${sent.join(', ')}}, isolationLevel=READ_UNCOMMITTED, ` +
      `toForget=${forgotten.join(', ')}, metadata=${describeFetchMetadata(data.metadata)}, rackId=)`
    );
  }

  private async send<A extends ApiName>(api: A, version: number, body: RequestInit<A>): Promise<ResponseOf<A>> {
    try {
      const connection = await this.connect();
      return await connection.send(api, version, body);
    } catch (error) {
      this.disconnect();
      throw error;
    }
  }

  private async connect(): Promise<LeaderConnection> {
    if (this.connection !== undefined) return this.connection;
    const connection = await this.connectToLeader(this.broker, this.clientId);
    if (this.closed) {
      connection.close();
      throw new Error(`The connection to broker ${this.broker.id} was closed while it was being made`);
    }
    this.connection = connection;
    return connection;
  }

  private disconnect(): void {
    this.connection?.close();
    this.connection = undefined;
  }
}

function toFetchPartition(request: FetchRequestPartition): {
  partition: number;
  currentLeaderEpoch: number;
  fetchOffset: number;
  logStartOffset: number;
  partitionMaxBytes: number;
} {
  const { partition, currentLeaderEpoch, fetchOffset, logStartOffset, maxBytes } = request;
  return { partition, currentLeaderEpoch, fetchOffset, logStartOffset, partitionMaxBytes: maxBytes };
}

/** Groups by topic, topics in the order of their first partition. */
function byTopic<T extends { readonly topic: string }, R>(
  items: Iterable<T>,
  convert: (item: T) => R,
): { topic: string; partitions: R[] }[] {
  const topics = new Map<string, { topic: string; partitions: R[] }>();
  for (const item of items) {
    const group = topics.get(item.topic) ?? { topic: item.topic, partitions: [] };
    topics.set(item.topic, group);
    group.partitions.push(convert(item));
  }
  return [...topics.values()];
}
