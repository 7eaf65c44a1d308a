import { prefixed, topicPartitionKey } from '@klassic/common';
import type { Logger, LoggerFactory, TopicPartition } from '@klassic/common';
import type { RequestOf } from '@klassic/protocol';
import { emptySnapshot, liveBrokersOf, nodesByListener, partitionStatesOf } from './metadata-snapshot.ts';
import type {
  MetadataBroker,
  MetadataPartition,
  MetadataSnapshot,
  Node,
  TopicMetadataPartition,
} from './metadata-snapshot.ts';
import { topicMetadata } from './topic-metadata.ts';
import type { TopicMetadata, TopicMetadataOptions } from './topic-metadata.ts';

/** Leader of a partition whose topic is being deleted (`LeaderAndIsr.LeaderDuringDelete`). */
const leaderDuringDelete = -2;

/**
 * What the controller has told this broker of the cluster: filled by UpdateMetadata alone, empty until the first one.
 * Each request makes a new snapshot, so a reader never sees half of a change. Counterpart of `kafka.server.metadata.ZkMetadataCache`.
 */
export class MetadataCache {
  private snapshot: MetadataSnapshot = emptySnapshot;
  private readonly brokerId: number;
  private readonly logger: Logger;
  private readonly stateChangeLogger: Logger;

  constructor(brokerId: number, loggers: LoggerFactory) {
    this.brokerId = brokerId;
    this.logger = prefixed(loggers('kafka.server.metadata.ZkMetadataCache'), `[MetadataCache brokerId=${brokerId}] `);
    this.stateChangeLogger = prefixed(loggers('state.change.logger'), `[Broker id=${brokerId}] `);
  }

  /** The controller's broker id; undefined until the first UpdateMetadata. */
  get controllerId(): number | undefined {
    return this.snapshot.controllerId;
  }

  /** The controller as seen through a listener; undefined when unknown, dead or without that listener. */
  getController(listenerName: string): Node | undefined {
    const { controllerId, aliveNodes } = this.snapshot;
    return controllerId === undefined ? undefined : aliveNodes.get(controllerId)?.get(listenerName);
  }

  getAliveBroker(brokerId: number): MetadataBroker | undefined {
    return this.snapshot.aliveBrokers.get(brokerId);
  }

  getAliveBrokers(): MetadataBroker[] {
    return [...this.snapshot.aliveBrokers.values()];
  }

  /** The live brokers that have the listener. */
  getAliveNodes(listenerName: string): Node[] {
    const nodes = [...this.snapshot.aliveNodes.values()].map((byListener) => byListener.get(listenerName));
    return nodes.filter((node) => node !== undefined);
  }

  /** A live broker as seen through a listener. */
  getAliveNode(brokerId: number, listenerName: string): Node | undefined {
    return this.snapshot.aliveNodes.get(brokerId)?.get(listenerName);
  }

  getAllTopics(): string[] {
    return [...this.snapshot.partitionStates.keys()];
  }

  getAllPartitions(): TopicPartition[] {
    const all: TopicPartition[] = [];
    for (const [topic, states] of this.snapshot.partitionStates) {
      for (const partition of states.keys()) all.push({ topic, partition });
    }
    return all;
  }

  /** The topics among `topics` that the cache does not know. */
  getNonExistingTopics(topics: Iterable<string>): string[] {
    return [...topics].filter((topic) => !this.contains(topic));
  }

  /** Whether the topic, or one partition of it, is known. */
  contains(topic: string, partition?: number): boolean {
    const states = this.snapshot.partitionStates.get(topic);
    return states !== undefined && (partition === undefined || states.has(partition));
  }

  getPartitionInfo(topic: string, partition: number): MetadataPartition | undefined {
    return this.snapshot.partitionStates.get(topic)?.get(partition);
  }

  numPartitions(topic: string): number | undefined {
    return this.snapshot.partitionStates.get(topic)?.size;
  }

  /** Leader of a partition as seen through a listener; undefined when there is none, or it is dead or lacks the listener. */
  getPartitionLeaderEndpoint(topic: string, partition: number, listenerName: string): Node | undefined {
    const { partitionStates, aliveNodes } = this.snapshot;
    const state = partitionStates.get(topic)?.get(partition);
    return state === undefined ? undefined : aliveNodes.get(state.leader)?.get(listenerName);
  }

  /** The reachable replicas of a partition by broker id, as seen through a listener. */
  getPartitionReplicaEndpoints(topic: string, partition: number, listenerName: string): Map<number, Node> {
    const { partitionStates, aliveNodes } = this.snapshot;
    const endpoints = new Map<number, Node>();
    for (const id of partitionStates.get(topic)?.get(partition)?.replicas ?? []) {
      const node = aliveNodes.get(id)?.get(listenerName);
      if (node !== undefined) endpoints.set(id, node);
    }
    return endpoints;
  }

  /**
   * What a Metadata response says of the topics, as a client on `listenerName` may use it. Topics the cache does not
   * know are left out: the caller creates them or answers UNKNOWN_TOPIC_OR_PARTITION.
   */
  getTopicMetadata(
    topics: Iterable<string>,
    listenerName: string,
    options: TopicMetadataOptions = {},
  ): TopicMetadata[] {
    const { snapshot } = this;
    const found: TopicMetadata[] = [];
    for (const topic of topics) {
      const metadata = topicMetadata(snapshot, topic, listenerName, options);
      if (metadata !== undefined) found.push(metadata);
    }
    return found;
  }

  /**
   * Replaces the snapshot: the live brokers and the controller wholly, partitions one by one; leader -2 removes one.
   * The controller's epoch was checked before (`ReplicaManager.maybeUpdateMetadataCache`).
   *
   * @returns the partitions that went
   */
  updateMetadata(correlationId: number, request: RequestOf<'UpdateMetadata'>): TopicPartition[] {
    const controllerId = request.controllerId < 0 ? undefined : request.controllerId;
    const aliveBrokers = liveBrokersOf(request);
    const aliveNodes = nodesByListener(aliveBrokers);
    this.warnAboutListeners(aliveNodes);
    const states = partitionStatesOf(request);
    const deleted: TopicPartition[] = [];
    const partitionStates =
      states.length === 0 ? this.snapshot.partitionStates : this.apply(states, deleted, correlationId, request);
    this.snapshot = { partitionStates, controllerId, aliveBrokers, aliveNodes };
    return deleted;
  }

  private apply(
    states: readonly TopicMetadataPartition[],
    deleted: TopicPartition[],
    correlationId: number,
    { controllerId, controllerEpoch }: RequestOf<'UpdateMetadata'>,
  ): Map<string, Map<number, MetadataPartition>> {
    const next = new Map(this.snapshot.partitionStates) as Map<string, Map<number, MetadataPartition>>;
    const copied = new Set<string>();
    const sentBy = `request sent by controller ${controllerId} epoch ${controllerEpoch} with correlation id ${correlationId}`;
    const traced = this.stateChangeLogger.isEnabled('TRACE');
    for (const state of states) {
      const { topicName: topic, partitionIndex: partition } = state;
      const key = topicPartitionKey(topic, partition);
      if (!copied.has(topic)) next.set(topic, new Map(next.get(topic)));
      copied.add(topic);
      if (state.leader === leaderDuringDelete) {
        next.get(topic)?.delete(partition);
        deleted.push({ topic, partition });
        if (traced) {
          this.stateChangeLogger.trace(
            `Deleted partition ${key} from metadata cache in response to UpdateMetadata ${sentBy}`,
          );
        }
      } else {
        next.get(topic)?.set(partition, state);
        if (traced) {
          this.stateChangeLogger.trace(
            `Cached leader info ${describe(state)} for partition ${key} in response to UpdateMetadata ${sentBy}`,
          );
        }
      }
    }
    for (const topic of copied) if (next.get(topic)?.size === 0) next.delete(topic);
    this.stateChangeLogger.info(
      `Add ${states.length - deleted.length} partitions and deleted ${deleted.length} partitions from metadata cache ` +
        `in response to UpdateMetadata ${sentBy}`,
    );
    return next;
  }

  private warnAboutListeners(aliveNodes: ReadonlyMap<number, ReadonlyMap<string, Node>>): void {
    const own = aliveNodes.get(this.brokerId);
    if (own === undefined) return;
    for (const nodes of aliveNodes.values()) {
      if (nodes.size === own.size && [...nodes.keys()].every((listener) => own.has(listener))) continue;
      const lists = [...aliveNodes].map(([id, listeners]) => `${id}: ${[...listeners.keys()].join(',')}`);
      this.logger.error(`Listeners are not identical across brokers: ${lists.join('; ')}`);
      return;
    }
  }
}

/** The state as the reference's generated class prints it. */
function describe(state: TopicMetadataPartition): string {
  return (
    `UpdateMetadataPartitionState(topicName='${state.topicName}', partitionIndex=${state.partitionIndex}, ` +
    `controllerEpoch=${state.controllerEpoch}, leader=${state.leader}, leaderEpoch=${state.leaderEpoch}, ` +
    `isr=[${state.isr.join(', ')}], zkVersion=${state.zkVersion}, replicas=[${state.replicas.join(', ')}], ` +
    `offlineReplicas=[${state.offlineReplicas.join(', ')}])`
  );
}
