import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The reassignments under way. Null topics means all of them. */
export const ListPartitionReassignmentsRequest = request(
  { name: 'ListPartitionReassignmentsRequest', apiKey: 46, versions: '0', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60_000 }),
    topics: array(
      '0+',
      struct('ListPartitionReassignmentsTopics', {
        name: string('0+'),
        partitionIndexes: array('0+', 'int32'),
      }),
      { nullable: '0+', default: null },
    ),
  },
);
export type ListPartitionReassignmentsRequest = MessageOf<typeof ListPartitionReassignmentsRequest>;
export type ListPartitionReassignmentsRequestInit = InitOf<typeof ListPartitionReassignmentsRequest>;

/** Replicas, and those being added and removed. */
export const ListPartitionReassignmentsResponse = response(
  { name: 'ListPartitionReassignmentsResponse', apiKey: 46, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    topics: array(
      '0+',
      struct('OngoingTopicReassignment', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('OngoingPartitionReassignment', {
            partitionIndex: int32('0+'),
            replicas: array('0+', 'int32'),
            addingReplicas: array('0+', 'int32'),
            removingReplicas: array('0+', 'int32'),
          }),
        ),
      }),
    ),
  },
);
export type ListPartitionReassignmentsResponse = MessageOf<typeof ListPartitionReassignmentsResponse>;
export type ListPartitionReassignmentsResponseInit = InitOf<typeof ListPartitionReassignmentsResponse>;
