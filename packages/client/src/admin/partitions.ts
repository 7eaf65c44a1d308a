import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import { kafkaError, throwIfError } from '../client-errors.ts';
import { groupByTopic } from '../list-offsets.ts';
import type { ClientParts } from '../list-offsets.ts';
import { retrying } from '../retrying.ts';
import { atController } from './controller-call.ts';

const electionTypes = { preferred: 0, unclean: 1 } as const;

/**
 * Has leaders elected.
 *
 * @param partitions of all topics when left out
 * @returns what came of each, by topicPartitionKey: null where a leader was elected, else the error
 *   (ELECTION_NOT_NEEDED among them)
 * @throws KafkaError, TimeoutError
 */
export async function electLeaders(
  parts: ClientParts,
  type: keyof typeof electionTypes,
  partitions: readonly TopicPartition[] | undefined,
): Promise<Map<string, Error | null>> {
  return await atController(parts, 'electing leaders', async (controller) => {
    const answer = await parts.client.send(controller, 'ElectLeaders', {
      electionType: electionTypes[type],
      topicPartitions:
        partitions === undefined
          ? null
          : groupByTopic(partitions).map(([topic, list]) => ({
              topic,
              partitionId: list.map(({ partition }) => partition),
            })),
      timeoutMs: parts.config.requestTimeoutMs,
    });
    throwIfError(answer.errorCode);
    const results = new Map<string, Error | null>();
    for (const { topic, partitionResult } of answer.replicaElectionResults) {
      for (const { partitionId, errorCode, errorMessage } of partitionResult) {
        results.set(topicPartitionKey(topic, partitionId), errorOrNull(errorCode, errorMessage));
      }
    }
    return results;
  });
}

function errorOrNull(code: number, message: string | null): Error | null {
  return code === Errors.NONE.code ? null : kafkaError(code, message);
}

export interface Reassignment extends TopicPartition {
  /** Null cancels the reassignment under way. */
  readonly replicas: readonly number[] | null;
}

/**
 * Begins to move replicas.
 *
 * @returns the errors of the partitions that were refused, by topicPartitionKey
 * @throws KafkaError, TimeoutError
 */
export async function alterPartitionReassignments(
  parts: ClientParts,
  reassignments: readonly Reassignment[],
): Promise<Map<string, Error>> {
  return await atController(parts, 'altering reassignments', async (controller) => {
    const answer = await parts.client.send(controller, 'AlterPartitionReassignments', {
      timeoutMs: parts.config.requestTimeoutMs,
      topics: groupByTopic(reassignments).map(([name, list]) => ({
        name,
        partitions: list.map(({ partition, replicas }) => ({
          partitionIndex: partition,
          replicas: replicas === null ? null : [...replicas],
        })),
      })),
    });
    throwIfError(answer.errorCode, answer.errorMessage);
    const refused = new Map<string, Error>();
    for (const { name, partitions } of answer.responses) {
      for (const { partitionIndex, errorCode, errorMessage } of partitions) {
        const error = errorOrNull(errorCode, errorMessage);
        if (error !== null) refused.set(topicPartitionKey(name, partitionIndex), error);
      }
    }
    return refused;
  });
}

export interface OngoingReassignment {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/** The reassignments under way, by topicPartitionKey. @throws KafkaError, TimeoutError */
export async function listPartitionReassignments(parts: ClientParts): Promise<Map<string, OngoingReassignment>> {
  return await atController(parts, 'listing reassignments', async (controller) => {
    const answer = await parts.client.send(controller, 'ListPartitionReassignments', {
      timeoutMs: parts.config.requestTimeoutMs,
      topics: null,
    });
    throwIfError(answer.errorCode, answer.errorMessage);
    const found = new Map<string, OngoingReassignment>();
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, replicas, addingReplicas, removingReplicas } of partitions) {
        found.set(topicPartitionKey(name, partitionIndex), { replicas, addingReplicas, removingReplicas });
      }
    }
    return found;
  });
}

/**
 * Moves log start offsets up, so that what lies before is deleted.
 *
 * @returns the log start offsets after it, by topicPartitionKey
 * @throws KafkaError of the first partition that is refused; TimeoutError
 */
export async function deleteRecords(
  parts: ClientParts,
  before: readonly (TopicPartition & { readonly offset: number })[],
): Promise<Map<string, number>> {
  return await retrying(parts.config, { what: 'deleting records' }, async () => {
    const cluster = await parts.metadata.ask(new Set(before.map(({ topic }) => topic)));
    const found = new Map<string, number>();
    await Promise.all(
      before.map(async ({ topic, partition, offset }) => {
        const leader = cluster.leaderFor(topic, partition);
        if (leader === undefined) throw kafkaError(Errors.LEADER_NOT_AVAILABLE.code);
        const answer = await parts.client.send(leader, 'DeleteRecords', {
          topics: [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }],
          timeoutMs: parts.config.requestTimeoutMs,
        });
        const result = answer.topics[0]!.partitions[0]!;
        throwIfError(result.errorCode);
        found.set(topicPartitionKey(topic, partition), result.lowWatermark);
      }),
    );
    return found;
  });
}
