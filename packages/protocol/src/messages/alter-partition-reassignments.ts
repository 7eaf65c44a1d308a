import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Starts reassignments, or ends them by null replicas (KIP-455). */
export const AlterPartitionReassignmentsRequest = request(
  { name: 'AlterPartitionReassignmentsRequest', apiKey: 45, versions: '0', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60_000 }),
    topics: array(
      '0+',
      struct('ReassignableTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('ReassignablePartition', {
            partitionIndex: int32('0+'),
            // Null cancels the reassignment.
            replicas: array('0+', 'int32', { nullable: '0+', default: null }),
          }),
        ),
      }),
    ),
  },
);
export type AlterPartitionReassignmentsRequest = MessageOf<typeof AlterPartitionReassignmentsRequest>;
export type AlterPartitionReassignmentsRequestInit = InitOf<typeof AlterPartitionReassignmentsRequest>;

/** What became of each partition. */
export const AlterPartitionReassignmentsResponse = response(
  { name: 'AlterPartitionReassignmentsResponse', apiKey: 45, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    responses: array(
      '0+',
      struct('ReassignableTopicResponse', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('ReassignablePartitionResponse', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
            errorMessage: string('0+', { nullable: '0+' }),
          }),
        ),
      }),
    ),
  },
);
export type AlterPartitionReassignmentsResponse = MessageOf<typeof AlterPartitionReassignmentsResponse>;
export type AlterPartitionReassignmentsResponseInit = InitOf<typeof AlterPartitionReassignmentsResponse>;
