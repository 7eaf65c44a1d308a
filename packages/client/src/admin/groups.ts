import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { throwIfError } from '../client-errors.ts';
import { decodeAssignment } from '../consumer/consumer-protocol.ts';
import { atCoordinator, findGroupCoordinator } from '../group-coordinator.ts';
import { groupByTopic } from '../list-offsets.ts';
import type { ClientParts } from '../list-offsets.ts';
import type { Node } from '../metadata/cluster.ts';
import { retrying } from '../retrying.ts';
import { currentCluster } from './controller-call.ts';

export interface GroupListing {
  readonly groupId: string;
  readonly protocolType: string;
  /** Empty, PreparingRebalance, CompletingRebalance, Stable, Dead; '' from brokers before 2.6. */
  readonly state: string;
}

export interface GroupMemberDescription {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  /** With a slash in front, as the broker tells it. */
  readonly host: string;
  readonly assignment: readonly TopicPartition[];
}

export interface GroupDescription {
  readonly groupId: string;
  readonly state: string;
  readonly protocolType: string;
  /** The assignor in use; '' when there is none. */
  readonly assignor: string;
  readonly coordinator: Node;
  readonly members: readonly GroupMemberDescription[];
}

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

/** The groups of every coordinator. @throws KafkaError, TimeoutError */
export async function listGroups(parts: ClientParts): Promise<GroupListing[]> {
  return await retrying(parts.config, { what: 'listing groups' }, async () => {
    const { nodes } = await currentCluster(parts);
    const byId = new Map<string, GroupListing>();
    await Promise.all(
      [...nodes.values()].map(async (node) => {
        const answer = await parts.client.send(node, 'ListGroups', {});
        throwIfError(answer.errorCode);
        for (const { groupId, protocolType, groupState } of answer.groups) {
          byId.set(groupId, { groupId, protocolType, state: groupState });
        }
      }),
    );
    return [...byId.values()];
  });
}

/** A group with its members; a group that does not exist is Dead. @throws KafkaError, TimeoutError */
export async function describeGroup(parts: ClientParts, groupId: string): Promise<GroupDescription> {
  return await atCoordinator(parts, groupId, `describing group ${groupId}`, async (coordinator) => {
    const answer = await parts.client.send(coordinator, 'DescribeGroups', { groups: [groupId] });
    const group = answer.groups[0]!;
    throwIfError(group.errorCode);
    return {
      groupId,
      state: group.groupState,
      protocolType: group.protocolType,
      assignor: group.protocolData,
      coordinator,
      members: group.members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        host: member.clientHost,
        assignment: group.protocolType === 'consumer' ? decodeAssignment(member.memberAssignment) : [],
      })),
    };
  });
}

/** What a group has committed, of these partitions or of all it has. @throws KafkaError, TimeoutError */
export async function listGroupOffsets(
  parts: ClientParts,
  groupId: string,
  partitions?: readonly TopicPartition[],
): Promise<Map<string, CommittedOffset>> {
  return await atCoordinator(parts, groupId, `listing offsets of group ${groupId}`, async (coordinator) => {
    const answer = await parts.client.send(coordinator, 'OffsetFetch', {
      groupId,
      topics:
        partitions === undefined
          ? null
          : groupByTopic(partitions).map(([name, list]) => ({
              name,
              partitionIndexes: list.map(({ partition }) => partition),
            })),
    });
    throwIfError(answer.errorCode);
    const found = new Map<string, CommittedOffset>();
    for (const topic of answer.topics) {
      for (const { partitionIndex, committedOffset, metadata, errorCode } of topic.partitions) {
        throwIfError(errorCode);
        if (committedOffset < 0) continue;
        found.set(topicPartitionKey(topic.name, partitionIndex), {
          topic: topic.name,
          partition: partitionIndex,
          offset: committedOffset,
          metadata: metadata ?? '',
        });
      }
    }
    return found;
  });
}

/** Commits for a group that has no members. @throws KafkaError UNKNOWN_MEMBER_ID while it has some; TimeoutError */
export async function alterGroupOffsets(
  parts: ClientParts,
  groupId: string,
  offsets: readonly (TopicPartition & { readonly offset: number })[],
): Promise<void> {
  await atCoordinator(parts, groupId, `altering offsets of group ${groupId}`, async (coordinator) => {
    const answer = await parts.client.send(coordinator, 'OffsetCommit', {
      groupId,
      generationId: -1,
      memberId: '',
      topics: groupByTopic(offsets).map(([name, list]) => ({
        name,
        partitions: list.map(({ partition, offset }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedMetadata: '',
        })),
      })),
    });
    for (const { partitions } of answer.topics) for (const { errorCode } of partitions) throwIfError(errorCode);
  });
}

/** Deletes a group that has no members. @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP; TimeoutError */
export async function deleteGroup(parts: ClientParts, groupId: string): Promise<void> {
  await atCoordinator(parts, groupId, `deleting group ${groupId}`, async (coordinator) => {
    const answer = await parts.client.send(coordinator, 'DeleteGroups', { groupsNames: [groupId] });
    for (const { errorCode } of answer.results) throwIfError(errorCode);
  });
}

/**
 * Makes a group forget offsets of topics that its members do not read (KIP-496).
 *
 * @returns by topicPartitionKey the error code of each partition, 0 where its offset is gone
 * @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP for a group that is no consumers'; TimeoutError
 */
export async function deleteGroupOffsets(
  parts: ClientParts,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<Map<string, number>> {
  return await atCoordinator(parts, groupId, `deleting offsets of group ${groupId}`, async (coordinator) => {
    const answer = await parts.client.send(coordinator, 'OffsetDelete', {
      groupId,
      topics: groupByTopic(partitions).map(([name, list]) => ({
        name,
        partitions: list.map(({ partition }) => ({ partitionIndex: partition })),
      })),
    });
    throwIfError(answer.errorCode);
    return new Map(
      answer.topics.flatMap(({ name, partitions: list }) =>
        list.map(({ partitionIndex, errorCode }) => [topicPartitionKey(name, partitionIndex), errorCode] as const),
      ),
    );
  });
}

/** The broker that coordinates a group. @throws KafkaError, TimeoutError */
export async function findCoordinator(parts: ClientParts, groupId: string): Promise<Node> {
  return await retrying(parts.config, { what: `finding the coordinator of group ${groupId}` }, async () => {
    return await findGroupCoordinator(parts, groupId);
  });
}
