import type { TopicPartition } from '@klassic/common';
import { apis, errorByCode, Errors } from '@klassic/protocol';
import { kafkaError } from '../client-errors.ts';
import { groupByTopic } from '../list-offsets.ts';
import type { Node } from '../metadata/cluster.ts';
import type { NetworkClient } from '../network-client.ts';
import type { FetchPosition } from './fetch-position.ts';
import type { EpochEndOffset } from './subscription-state.ts';

/** Older ones ask for a permission on the cluster that consumers do not have (KIP-320). */
const FIRST_VERSION_FOR_CONSUMERS = 3;

export interface PositionToValidate extends TopicPartition {
  readonly position: FetchPosition;
}

/** Whether a broker answers consumers where leader epochs end (since 2.3). @throws DisconnectError */
export async function canValidateOffsets(client: NetworkClient, node: Node): Promise<boolean> {
  const offered = (await client.apiVersions(node)).get(apis.OffsetForLeaderEpoch.key);
  return offered !== undefined && offered.maxVersion >= FIRST_VERSION_FOR_CONSUMERS;
}

/**
 * Asks a leader where the epochs of positions end. Counterpart of `OffsetsForLeaderEpochClient`.
 *
 * @returns of each position the end of its epoch; undefined where to ask again (the leader has moved, the broker is behind)
 * @throws KafkaError TOPIC_AUTHORIZATION_FAILED; DisconnectError, RequestTimeoutError
 */
export async function offsetsForLeaderEpoch<P extends PositionToValidate>(
  client: NetworkClient,
  node: Node,
  positions: readonly P[],
): Promise<Map<P, EpochEndOffset | undefined>> {
  const answer = await client.send(node, 'OffsetForLeaderEpoch', {
    replicaId: -1,
    topics: groupByTopic(positions).map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map(({ partition, position }) => ({
        partition,
        currentLeaderEpoch: position.currentLeader.epoch,
        leaderEpoch: position.offsetEpoch,
      })),
    })),
  });
  const ends = new Map<P, EpochEndOffset | undefined>(positions.map((each) => [each, undefined]));
  for (const { topic, partitions } of answer.topics) {
    for (const { partition, errorCode, leaderEpoch, endOffset } of partitions) {
      const asked = positions.find((each) => each.topic === topic && each.partition === partition);
      if (errorCode === Errors.TOPIC_AUTHORIZATION_FAILED.code) {
        throw kafkaError(errorCode, `${errorByCode(errorCode).message} Topic ${topic}`);
      }
      if (asked !== undefined && errorCode === Errors.NONE.code) ends.set(asked, { leaderEpoch, endOffset });
    }
  }
  return ends;
}
