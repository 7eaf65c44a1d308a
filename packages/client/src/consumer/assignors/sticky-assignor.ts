import { stringHash, topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import {
  CooperativeStickyAssignorUserData,
  decodeMessage,
  encodeMessage,
  ProtocolError,
  StickyAssignorUserData,
} from '@klassic/protocol';
import { groupByTopic } from '../../list-offsets.ts';
import { constrainedAssignment } from './constrained-assignment.ts';
import { generalAssignment } from './general-assignment.ts';
import { inHashMapOrder } from './hash-map-order.ts';
import { compareText } from './partition-assignor.ts';
import type { GroupMember, PartitionAssignor, RebalanceProtocol } from './partition-assignor.ts';
import { firstWithOtherTopics, NO_GENERATION, previousOwnership } from './sticky-memory.ts';
import type { MemberMemory, RememberingMember } from './sticky-memory.ts';

type Assignment = Map<string, TopicPartition[]>;

interface StickyAssignment {
  readonly assignment: Assignment;
  /** Keys of partitions that their owner has to give up for the member named; undefined where that was not kept track of. */
  readonly transferring: ReadonlyMap<string, string> | undefined;
}

function stickyAssignment(
  partitionCounts: ReadonlyMap<string, number>,
  members: readonly RememberingMember[],
): StickyAssignment {
  const read = new Set(members.flatMap(({ topics }) => topics));
  const topics = [...partitionCounts.keys()].filter((topic) => read.has(topic)).sort(compareText);
  const partitions = topics.flatMap((topic) =>
    Array.from({ length: partitionCounts.get(topic)! }, (_, partition) => ({ topic, partition })),
  );
  const inOrder = inHashMapOrder(members, ({ memberId }) => stringHash(memberId));
  const other = firstWithOtherTopics(inOrder);
  if (other !== undefined) {
    // Kafka 2.8 has read the user data of those before it by the time it finds the difference, and finds nothing when it
    // reads them again.
    const remembered = inOrder.map((member, index) => (index < other ? { ...member, memory: member.faded } : member));
    return { assignment: generalAssignment(partitions, remembered), transferring: undefined };
  }
  return constrainedAssignment(partitions, previousOwnership(inOrder, new Set(topics)));
}

/**
 * As even as can be, and members keep what they had. They give everything up before a rebalance, so each tells its last
 * assignment, and of which generation it was, in the user data of its subscription (KIP-54, KIP-341). Counterpart of
 * `StickyAssignor`.
 */
export class StickyAssignor implements PartitionAssignor {
  readonly name = 'sticky';
  readonly supportedProtocols: readonly RebalanceProtocol[] = ['eager'];
  private last: { readonly partitions: readonly TopicPartition[]; readonly generation: number } | undefined;

  userData(): Buffer | null {
    if (this.last === undefined) return null;
    const { partitions, generation } = this.last;
    const previousAssignment = groupByTopic(partitions).map(([topic, list]) => ({
      topic,
      partitions: list.map(({ partition }) => partition),
    }));
    return encodeMessage(StickyAssignorUserData, 1, { previousAssignment, generation });
  }

  onAssignment(partitions: readonly TopicPartition[], generation: number): void {
    this.last = { partitions, generation };
  }

  assign(partitionCounts: ReadonlyMap<string, number>, members: readonly GroupMember[]): Assignment {
    const remembering = members.map((member) => ({
      ...member,
      memory: stickyMemory(member.userData),
      faded: stickyMemory(null),
    }));
    return stickyAssignment(partitionCounts, remembering).assignment;
  }
}

function stickyMemory(userData: Buffer | null): MemberMemory {
  if (userData === null || userData.length === 0) return { partitions: [], generation: undefined };
  for (const version of [1, 0]) {
    try {
      const { previousAssignment, generation } = decodeMessage(StickyAssignorUserData, version, userData);
      const partitions = previousAssignment.flatMap(({ topic, partitions: list }) =>
        list.map((partition) => ({ topic, partition })),
      );
      return { partitions, generation: version === 0 ? undefined : generation };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
  return { partitions: [], generation: NO_GENERATION };
}

/**
 * The sticky assignment for members that keep their partitions through a rebalance: what has to move is taken from its
 * owner in one rebalance, and given to the next in a second one, which the owner asks for (KIP-429). Counterpart of
 * `CooperativeStickyAssignor`.
 */
export class CooperativeStickyAssignor implements PartitionAssignor {
  readonly name = 'cooperative-sticky';
  readonly supportedProtocols: readonly RebalanceProtocol[] = ['cooperative', 'eager'];
  private generation = NO_GENERATION;

  userData(): Buffer {
    return encodeMessage(CooperativeStickyAssignorUserData, 0, { generation: this.generation });
  }

  onAssignment(_partitions: readonly TopicPartition[], generation: number): void {
    this.generation = generation;
  }

  assign(partitionCounts: ReadonlyMap<string, number>, members: readonly GroupMember[]): Assignment {
    const remembering = members.map((member) => ({
      ...member,
      memory: { partitions: member.ownedPartitions, generation: toldGeneration(member.userData) },
      faded: {
        partitions: member.ownedPartitions,
        generation: member.userData === null ? undefined : NO_GENERATION,
      },
    }));
    const { assignment, transferring } = stickyAssignment(partitionCounts, remembering);
    const held = transferring ?? changingHands(assignment, members);
    return new Map(
      [...assignment].map(([member, own]) => [member, own.filter((target) => held.get(keyOf(target)) !== member)]),
    );
  }
}

function toldGeneration(userData: Buffer | null): number | undefined {
  if (userData === null) return undefined;
  try {
    return decodeMessage(CooperativeStickyAssignorUserData, 0, userData).generation;
  } catch (error) {
    if (error instanceof ProtocolError) return NO_GENERATION;
    throw error;
  }
}

/** What one member still has and another is to get, by key, with the one that is to get it. */
function changingHands(assignment: Assignment, members: readonly GroupMember[]): Map<string, string> {
  const added = new Map<string, string>();
  const revoked = new Set<string>();
  for (const { memberId, ownedPartitions } of members) {
    const owned = new Set(ownedPartitions.map(keyOf));
    const assigned = new Set(assignment.get(memberId)!.map(keyOf));
    for (const key of assigned) if (!owned.has(key)) added.set(key, memberId);
    for (const key of owned) if (!assigned.has(key)) revoked.add(key);
  }
  return new Map([...added].filter(([key]) => revoked.has(key)));
}

function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition);
}
