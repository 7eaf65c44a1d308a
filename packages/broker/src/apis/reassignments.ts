import type { KafkaController, PartitionError, ReassignmentRequest } from '@klassic/controller';
import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ApiHandler } from './api-handler.ts';

/** AlterPartitionReassignments on the controller (KIP-455). A partition that is named twice is answered once, for its last. */
export function alterReassignmentsHandler(
  controller: Pick<KafkaController, 'alterPartitionReassignments'>,
): ApiHandler<'AlterPartitionReassignments'> {
  return {
    api: 'AlterPartitionReassignments',
    minVersion: 0,
    maxVersion: 0,
    async handle({ body }) {
      const byTopic = new Map<string, Map<number, number[] | null>>();
      for (const { name, partitions } of body.topics) {
        const targets = byTopic.get(name) ?? new Map<number, number[] | null>();
        for (const { partitionIndex, replicas } of partitions) targets.set(partitionIndex, replicas);
        byTopic.set(name, targets);
      }
      const request = [...byTopic].flatMap(([topic, targets]) =>
        [...targets].map(([partition, target]): ReassignmentRequest => ({ partition: { topic, partition }, target })),
      );
      const results = (await controller.alterPartitionReassignments(request)).values();
      return {
        errorCode: Errors.NONE.code,
        responses: [...byTopic].map(([name, targets]) => ({
          name,
          partitions: [...targets.keys()].map((partitionIndex) => ({
            partitionIndex,
            ...told(results.next().value!),
          })),
        })),
      };
    },
    failure: (_request, error, message) => ({ errorCode: error.code, errorMessage: message }),
  };
}

/** ListPartitionReassignments on the controller. */
export function listReassignmentsHandler(controller: KafkaController): ApiHandler<'ListPartitionReassignments'> {
  return {
    api: 'ListPartitionReassignments',
    minVersion: 0,
    maxVersion: 0,
    async handle({ body }) {
      const asked =
        body.topics?.flatMap(({ name, partitionIndexes }) =>
          partitionIndexes.map((partition) => ({ topic: name, partition })),
        ) ?? null;
      const ongoing = await controller.listPartitionReassignments(asked);
      const topics = [...new Set(ongoing.map(({ topic }) => topic))];
      return {
        errorCode: Errors.NONE.code,
        errorMessage: '',
        topics: topics.map((topic) => ({
          name: topic,
          partitions: ongoing.filter((each) => each.topic === topic).map((each) => assignmentOf(each, controller)),
        })),
      };
    },
    failure: (_request, error, message) => ({ errorCode: error.code, errorMessage: message }),
  };
}

function assignmentOf(
  partition: TopicPartition,
  { controllerContext }: KafkaController,
): { partitionIndex: number; replicas: number[]; addingReplicas: number[]; removingReplicas: number[] } {
  const { replicas, addingReplicas, removingReplicas } = controllerContext.partitionFullReplicaAssignment(partition);
  return {
    partitionIndex: partition.partition,
    replicas: [...replicas],
    addingReplicas: [...addingReplicas],
    removingReplicas: [...removingReplicas],
  };
}

function told(result: PartitionError): { errorCode: number; errorMessage: string | null } {
  const error = Errors[result.error];
  return { errorCode: error.code, errorMessage: error === Errors.NONE ? null : (result.message ?? error.message) };
}
