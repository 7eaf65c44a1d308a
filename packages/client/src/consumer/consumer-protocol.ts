import type { TopicPartition } from '@klassic/common';
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  decodeVersionedMessage,
  encodeVersionedMessage,
} from '@klassic/protocol';
import { groupByTopic } from '../list-offsets.ts';

/** The version Kafka 2.8's consumers write. */
const VERSION = 1;

/** What a member tells its group's leader: the topics it wants, and what it has. */
export function encodeSubscription(topics: readonly string[], owned: readonly TopicPartition[]): Buffer {
  return encodeVersionedMessage(ConsumerProtocolSubscription, VERSION, {
    topics: topics.toSorted(),
    userData: null,
    ownedPartitions: groupByTopic(owned).map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ partition }) => partition),
    })),
  });
}

/** The topics of a member. @throws ProtocolError for bytes that are no subscription */
export function decodeSubscription(bytes: Buffer): string[] {
  return decodeVersionedMessage(ConsumerProtocolSubscription, bytes).message.topics;
}

/** What a leader assigns to a member. */
export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return encodeVersionedMessage(ConsumerProtocolAssignment, VERSION, {
    assignedPartitions: groupByTopic(partitions).map(([topic, list]) => ({
      topic,
      partitions: list.map(({ partition }) => partition),
    })),
    userData: null,
  });
}

/** The partitions of a member; none for no bytes. @throws ProtocolError for bytes that are no assignment */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return [];
  return decodeVersionedMessage(ConsumerProtocolAssignment, bytes).message.assignedPartitions.flatMap(
    ({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })),
  );
}
