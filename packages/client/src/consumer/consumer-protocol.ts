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

/** What a member tells its group's leader. */
export interface Subscription {
  readonly topics: readonly string[];
  /** What the assignor adds. */
  readonly userData: Buffer | null;
  readonly ownedPartitions: readonly TopicPartition[];
}

/** The bytes of a subscription. */
export function encodeSubscription({ topics, userData, ownedPartitions }: Subscription): Buffer {
  return encodeVersionedMessage(ConsumerProtocolSubscription, VERSION, {
    topics: topics.toSorted(),
    userData,
    ownedPartitions: groupByTopic(ownedPartitions).map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ partition }) => partition),
    })),
  });
}

/** A subscription out of its bytes, of whatever version. @throws ProtocolError for bytes that are none */
export function decodeSubscription(bytes: Buffer): Subscription {
  const { message } = decodeVersionedMessage(ConsumerProtocolSubscription, bytes, 'read-as-newest');
  return {
    topics: message.topics,
    userData: message.userData,
    ownedPartitions: message.ownedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  };
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
  return decodeVersionedMessage(ConsumerProtocolAssignment, bytes, 'read-as-newest').message.assignedPartitions.flatMap(
    ({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })),
  );
}
