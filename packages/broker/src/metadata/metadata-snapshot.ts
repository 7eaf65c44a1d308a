import type { RequestOf } from '@klassic/protocol';

/** State of one partition as the controller last told it (`UpdateMetadataPartitionState`). */
export interface MetadataPartition {
  readonly partitionIndex: number;
  /** Epoch of the controller that made this state. */
  readonly controllerEpoch: number;
  /** Broker id of the leader; -1 when there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  /** Version of the partition's state znode. */
  readonly zkVersion: number;
  readonly replicas: readonly number[];
  /** Replicas whose broker or log dir is down. */
  readonly offlineReplicas: readonly number[];
}

/** One listener of a live broker. */
export interface MetadataEndPoint {
  readonly host: string;
  readonly port: number;
  readonly listenerName: string;
  /** Number of the security protocol; 0 is PLAINTEXT. */
  readonly securityProtocol: number;
}

/** A live broker with all its listeners. */
export interface MetadataBroker {
  readonly id: number;
  readonly endPoints: readonly MetadataEndPoint[];
  readonly rack: string | null;
}

/** A broker as seen through one listener. Counterpart of `org.apache.kafka.common.Node`. */
export interface Node {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** What the cache holds at one moment; never changed, only replaced. */
export interface MetadataSnapshot {
  /** topic → partition index → state */
  readonly partitionStates: ReadonlyMap<string, ReadonlyMap<number, MetadataPartition>>;
  readonly controllerId: number | undefined;
  readonly aliveBrokers: ReadonlyMap<number, MetadataBroker>;
  /** broker id → listener name → node */
  readonly aliveNodes: ReadonlyMap<number, ReadonlyMap<string, Node>>;
}

/** The cache of a broker that has not heard from the controller yet. */
export const emptySnapshot: MetadataSnapshot = {
  partitionStates: new Map(),
  controllerId: undefined,
  aliveBrokers: new Map(),
  aliveNodes: new Map(),
};

/** A partition state with its topic, whatever the version of the request grouped it by. */
export interface TopicMetadataPartition extends MetadataPartition {
  readonly topicName: string;
}

/** The partition states of an UpdateMetadata request: grouped by topic from version 5 on, a plain list before. */
export function partitionStatesOf(request: RequestOf<'UpdateMetadata'>): TopicMetadataPartition[] {
  const states: TopicMetadataPartition[] = [...request.ungroupedPartitionStates];
  for (const { topicName, partitionStates } of request.topicStates) {
    for (const state of partitionStates) states.push({ ...state, topicName });
  }
  return states;
}

/** The live brokers of an UpdateMetadata request with their listeners. */
export function liveBrokersOf(request: RequestOf<'UpdateMetadata'>): Map<number, MetadataBroker> {
  return new Map(
    request.liveBrokers.map(({ id, endpoints, rack }) => [
      id,
      {
        id,
        rack,
        endPoints: endpoints.map(({ host, port, listener, securityProtocol }) => ({
          host,
          port,
          listenerName: listener,
          securityProtocol,
        })),
      },
    ]),
  );
}

/** Each broker's nodes by listener name. */
export function nodesByListener(brokers: ReadonlyMap<number, MetadataBroker>): Map<number, Map<string, Node>> {
  const nodes = new Map<number, Map<string, Node>>();
  for (const { id, endPoints, rack } of brokers.values()) {
    nodes.set(id, new Map(endPoints.map(({ host, port, listenerName }) => [listenerName, { id, host, port, rack }])));
  }
  return nodes;
}
