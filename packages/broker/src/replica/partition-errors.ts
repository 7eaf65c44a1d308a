import { topicPartitionKey } from '@klassic/common';
import { Errors } from '@klassic/protocol';
import type { ErrorEntry } from '@klassic/protocol';

/** What became of each partition of a controller's request, as LeaderAndIsr and StopReplica answer it. */
export function partitionErrors(
  states: readonly { readonly topicName: string; readonly partitionIndex: number }[],
  errors: ReadonlyMap<string, ErrorEntry>,
): { topicName: string; partitionIndex: number; errorCode: number }[] {
  return states.map(({ topicName, partitionIndex }) => ({
    topicName,
    partitionIndex,
    errorCode: (errors.get(topicPartitionKey(topicName, partitionIndex)) ?? Errors.NONE).code,
  }));
}
