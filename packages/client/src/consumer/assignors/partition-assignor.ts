import type { TopicPartition } from '@klassic/common';

/**
 * How a member goes through a rebalance: under `eager` it gives up all partitions before it joins again, under
 * `cooperative` only what the new assignment takes from it (KIP-429).
 */
export type RebalanceProtocol = 'eager' | 'cooperative';

/** A member of the group as its leader sees it. */
export interface GroupMember {
  readonly memberId: string;
  /** `group.instance.id` of a static member (KIP-345). */
  readonly groupInstanceId: string | null;
  readonly topics: readonly string[];
  /** What it had as it joined, under the cooperative protocol; none under the eager one. */
  readonly ownedPartitions: readonly TopicPartition[];
  /** What its own assignor said in `userData`. */
  readonly userData: Buffer | null;
}

/** Divides partitions among the members of a group; run by the member that the coordinator made leader. */
export interface PartitionAssignor {
  /** By which members agree on it. */
  readonly name: string;
  /** The cooperative protocol is followed when every assignor of a consumer supports it. */
  readonly supportedProtocols: readonly RebalanceProtocol[];
  /** What each member adds to its subscription. */
  userData(): Buffer | null;
  /** This member's own part, as each rebalance ends. */
  onAssignment(partitions: readonly TopicPartition[], generationId: number): void;
  /** @param partitionCounts of each topic that exists */
  assign(partitionCounts: ReadonlyMap<string, number>, members: readonly GroupMember[]): Map<string, TopicPartition[]>;
}

/** By UTF-16 code units, as Java compares strings. */
export function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** What an assignor without a memory does. */
export const memoryless: Pick<PartitionAssignor, 'supportedProtocols' | 'userData' | 'onAssignment'> = {
  supportedProtocols: ['eager'],
  userData: () => null,
  onAssignment: () => undefined,
};
