import { ZERO_UUID } from '@klassic/protocol';
import type { ResponseOf } from '@klassic/protocol';

/** A broker as clients are told of it. Bootstrap servers have negative ids until the first answer. */
export interface Node {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface PartitionInfo {
  readonly topic: string;
  readonly partition: number;
  /** Broker id of the leader; -1 when there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  /** In order of preference: the first is the preferred replica. */
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
  readonly errorCode: number;
}

export interface TopicInfo {
  readonly name: string;
  /** null where topics have no ids: before 2.8, and with an older inter.broker.protocol.version. */
  readonly topicId: string | null;
  readonly isInternal: boolean;
  readonly errorCode: number;
  /** By partition, from 0. */
  readonly partitions: readonly PartitionInfo[];
}

/** A partition's leader as far as it is known. Counterpart of `Metadata.LeaderAndEpoch`. */
export interface LeaderAndEpoch {
  /** undefined while there is none, or it is not known. */
  readonly leader: Node | undefined;
  /** -1 where the brokers tell none. */
  readonly epoch: number;
}

/** What the brokers said of the cluster at one moment. Counterpart of `org.apache.kafka.common.Cluster`. */
export class Cluster {
  readonly clusterId: string | null;
  /** -1 when the answering broker knows of none. */
  readonly controllerId: number;
  readonly nodes: ReadonlyMap<number, Node>;
  readonly topics: ReadonlyMap<string, TopicInfo>;

  constructor(
    clusterId: string | null,
    controllerId: number,
    nodes: ReadonlyMap<number, Node>,
    topics: ReadonlyMap<string, TopicInfo>,
  ) {
    this.clusterId = clusterId;
    this.controllerId = controllerId;
    this.nodes = nodes;
    this.topics = topics;
  }

  get controller(): Node | undefined {
    return this.nodes.get(this.controllerId);
  }

  partition(topic: string, partition: number): PartitionInfo | undefined {
    return this.topics.get(topic)?.partitions[partition];
  }

  /** The node that leads a partition; undefined while there is none, or it is not known. */
  leaderFor(topic: string, partition: number): Node | undefined {
    const info = this.partition(topic, partition);
    return info === undefined ? undefined : this.nodes.get(info.leader);
  }

  /** A replica's node; undefined when it is offline, unknown, or no replica (the partition was reassigned). */
  nodeIfOnline(topic: string, partition: number, id: number): Node | undefined {
    const info = this.partition(topic, partition);
    if (info === undefined || !info.replicas.includes(id) || info.offlineReplicas.includes(id)) return undefined;
    return this.nodes.get(id);
  }
}

/** Since version 9 a broker's Metadata answers never tell a leader with the epoch of another (KAFKA-9212). */
const FIRST_VERSION_WITH_RELIABLE_EPOCHS = 9;

/** Reads a Metadata answer; leader epochs count from the version on that makes them reliable. */
export function clusterOf(answer: ResponseOf<'Metadata'>, version: number): Cluster {
  const hasEpochs = version >= FIRST_VERSION_WITH_RELIABLE_EPOCHS;
  const nodes = new Map<number, Node>();
  for (const { nodeId, host, port, rack } of answer.brokers) nodes.set(nodeId, { id: nodeId, host, port, rack });
  const topics = new Map<string, TopicInfo>();
  for (const { name, topicId, isInternal, errorCode, partitions } of answer.topics) {
    topics.set(name, {
      name,
      topicId: topicId === ZERO_UUID ? null : topicId,
      isInternal,
      errorCode,
      partitions: partitions
        .map((partition) => ({
          topic: name,
          partition: partition.partitionIndex,
          leader: partition.leaderId,
          leaderEpoch: hasEpochs ? partition.leaderEpoch : -1,
          replicas: partition.replicaNodes,
          isr: partition.isrNodes,
          offlineReplicas: partition.offlineReplicas,
          errorCode: partition.errorCode,
        }))
        .sort((one, other) => one.partition - other.partition),
    });
  }
  return new Cluster(answer.clusterId, answer.controllerId, nodes, topics);
}
