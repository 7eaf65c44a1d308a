import type { ElectionResults, KafkaController } from '@klassic/controller';
import { topicPartitionKey } from '@klassic/common';
import type { Time, TopicPartition } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ResponseInit } from '@klassic/protocol';
import type { MetadataCache } from '../metadata/index.ts';
import type { ApiHandler } from './api-handler.ts';
import type { MetadataWatch } from './metadata-watch.ts';

export interface ElectLeadersOptions {
  readonly controller: Pick<KafkaController, 'electLeaders' | 'controllerContext'>;
  readonly metadataCache: Pick<MetadataCache, 'getPartitionInfo'>;
  readonly metadataWatch: MetadataWatch;
  readonly time: Time;
}

type PartitionResult = Pick<
  NonNullable<NonNullable<ResponseInit<'ElectLeaders'>['replicaElectionResults']>[number]['partitionResult']>[number],
  'errorCode' | 'errorMessage'
>;

/** The code of an unclean election in `ElectionType`. */
const unclean = 1;
const timedOut: PartitionResult = { errorCode: Errors.REQUEST_TIMED_OUT.code, errorMessage: null };
const unknownPartition = { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: 'The partition does not exist.' } as const;

/**
 * ElectLeaders on the controller: preferred or unclean elections by request (KIP-460). The answer waits until this
 * broker has been told of the new leaders, at most as long as the client does (`DelayedElectLeader`).
 */
export function electLeadersHandler(options: ElectLeadersOptions): ApiHandler<'ElectLeaders'> {
  const { controller, metadataCache, metadataWatch, time } = options;
  return {
    api: 'ElectLeaders',
    minVersion: 0,
    maxVersion: 2,
    async handle({ body, header: { apiVersion } }) {
      const deadlineMs = time.milliseconds() + body.timeoutMs;
      const asked = body.topicPartitions?.flatMap(({ topic, partitionId }) =>
        partitionId.map((partition) => ({ topic, partition })),
      );
      const partitions: readonly TopicPartition[] = asked ?? controller.controllerContext.allPartitions;
      const electionType = apiVersion >= 1 && body.electionType === unclean ? 'UNCLEAN' : 'PREFERRED';
      const results = await controller.electLeaders(partitions.filter(isName), electionType);
      const isKnown = (partition: TopicPartition): boolean => {
        const result = results.get(keyOf(partition));
        if (result === undefined || !('leader' in result)) return true;
        return metadataCache.getPartitionInfo(partition.topic, partition.partition)?.leader === result.leader;
      };
      const named = partitions.filter(isName);
      await metadataWatch.waitUntil(() => named.every(isKnown), deadlineMs - time.milliseconds());
      const resultOf = (partition: TopicPartition): PartitionResult => {
        if (!isName(partition)) return toResult(unknownPartition);
        return isKnown(partition) ? toResult(results.get(keyOf(partition))) : timedOut;
      };
      // Asked for all, the answer names only those that something was done for.
      const told = asked ?? partitions.filter((each) => resultOf(each).errorCode !== Errors.ELECTION_NOT_NEEDED.code);
      return { errorCode: Errors.NONE.code, replicaElectionResults: byTopic(told, resultOf) };
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

/** Whether a partition may have such a name: partition -1 of `t` is not to be taken for partition 1 of `t-`. */
function isName({ topic, partition }: TopicPartition): boolean {
  return topic !== '' && partition >= 0;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return topicPartitionKey(topic, partition);
}

function toResult(result: (ElectionResults extends Map<string, infer R> ? R : never) | undefined): PartitionResult {
  if (result === undefined || 'leader' in result) return { errorCode: Errors.NONE.code, errorMessage: null };
  const error = Errors[result.error];
  return { errorCode: error.code, errorMessage: result.message ?? error.message };
}

function byTopic(
  partitions: readonly TopicPartition[],
  resultOf: (partition: TopicPartition) => PartitionResult,
): NonNullable<ResponseInit<'ElectLeaders'>['replicaElectionResults']> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  return topics.map((topic) => ({
    topic,
    partitionResult: partitions
      .filter((each) => each.topic === topic)
      .map((each) => ({ partitionId: each.partition, ...resultOf(each) })),
  }));
}
