import type { TopicPartition } from '@klassic/common';

/** A partition's leader, leader epoch and in-sync replicas, with the znode version they stand in. Counterpart of `kafka.api.LeaderAndIsr`. */
export interface LeaderAndIsr {
  /** Broker id, or `noLeader`, or `leaderDuringDelete`. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  /** dataVersion of the partition's state znode. */
  readonly zkVersion: number;
}

/** The leader of a partition nobody can lead. */
export const noLeader = -1;
/** The leader that UpdateMetadata names for a topic being deleted. */
export const leaderDuringDelete = -2;
/** The leader epoch that StopReplica names for a topic being deleted. */
export const epochDuringDelete = -2;
export const initialLeaderEpoch = 0;
export const initialZkVersion = 0;

/** What a partition's state znode holds. */
export interface LeaderIsrAndControllerEpoch {
  readonly leaderAndIsr: LeaderAndIsr;
  /** Epoch of the controller that last wrote it. */
  readonly controllerEpoch: number;
}

/** Where the replicas of a partition live; `replicas` includes those being added and removed (KIP-455). */
export interface ReplicaAssignment {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/** What a topic's znode holds. */
export interface TopicIdReplicaAssignment {
  readonly topic: string;
  /** Base64url of 16 bytes, from inter.broker.protocol.version 2.8 on. */
  readonly topicId: string | null;
  /** By partition index, ascending. */
  readonly assignment: ReadonlyMap<number, ReplicaAssignment>;
}

/** A partition with what stands in its state znode. */
export type PartitionStates = ReadonlyMap<string, LeaderIsrAndControllerEpoch>;

/** Result of `KafkaZkClient.updateLeaderAndIsr`; keys as `topicPartitionKey` makes them. */
export interface UpdateLeaderAndIsrResult {
  /** Written (with the new zkVersion), or refused for good. */
  readonly finished: ReadonlyMap<string, LeaderAndIsr | Error>;
  /** Keys whose znode had another version: read again and decide again. */
  readonly partitionsToRetry: readonly string[];
}

/** A response of a pipelined request about one partition. */
export interface PartitionResponse<Response> {
  readonly partition: TopicPartition;
  readonly response: Response;
}
