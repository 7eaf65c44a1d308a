import type { ElectionResults, KafkaController } from '@klassic/controller';
import { topicPartitionKey } from '@klassic/common';
import type { TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ResponseInit } from '@klassic/protocol';
import type { ApiHandler } from './api-handler.ts';

/** The code of an unclean election in `ElectionType`. */
const unclean = 1;
const unknownPartition = { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: 'The partition does not exist.' } as const;

/** ElectLeaders on the controller: preferred or unclean elections by request (KIP-460). */
export function electLeadersHandler(controller: KafkaController): ApiHandler<'ElectLeaders'> {
  return {
    api: 'ElectLeaders',
    minVersion: 0,
    maxVersion: 2,
    async handle({ body, header: { apiVersion } }) {
      const all = controller.controllerContext.allPartitions;
      const asked = body.topicPartitions?.flatMap(({ topic, partitionId }) =>
        partitionId.map((partition) => ({ topic, partition })),
      );
      const partitions: readonly TopicPartition[] = asked ?? [...all];
      const electionType = apiVersion >= 1 && body.electionType === unclean ? 'UNCLEAN' : 'PREFERRED';
      const results = await controller.electLeaders(partitions.filter(isName), electionType);
      // Asked for all, the answer names only those that something was done for.
      const told = asked ?? partitions.filter((partition) => !isNotNeeded(partition, results));
      return { errorCode: Errors.NONE.code, replicaElectionResults: byTopic(told, results) };
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

/** Whether a partition may have such a name: partition -1 of `t` is not to be taken for partition 1 of `t-`. */
function isName({ topic, partition }: TopicPartition): boolean {
  return topic !== '' && partition >= 0;
}

function resultOf(asked: TopicPartition, results: ElectionResults): { errorCode: number; errorMessage: string | null } {
  const result = isName(asked) ? results.get(topicPartitionKey(asked.topic, asked.partition)) : unknownPartition;
  if (result === undefined || 'leader' in result) return { errorCode: Errors.NONE.code, errorMessage: null };
  const error = Errors[result.error];
  return { errorCode: error.code, errorMessage: result.message ?? error.message };
}

function isNotNeeded(partition: TopicPartition, results: ElectionResults): boolean {
  return resultOf(partition, results).errorCode === Errors.ELECTION_NOT_NEEDED.code;
}

function byTopic(
  partitions: readonly TopicPartition[],
  results: ElectionResults,
): NonNullable<ResponseInit<'ElectLeaders'>['replicaElectionResults']> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  return topics.map((topic) => ({
    topic,
    partitionResult: partitions
      .filter((each) => each.topic === topic)
      .map((each) => ({ partitionId: each.partition, ...resultOf(each, results) })),
  }));
}
