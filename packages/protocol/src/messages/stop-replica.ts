import { array, bool, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The controller takes replicas from the receiver; with deletion of their logs, if it says so. */
export const StopReplicaRequest = request(
  { name: 'StopReplicaRequest', apiKey: 5, versions: '0-3', flexible: '2+' },
  {
    controllerId: int32('0+'),
    controllerEpoch: int32('0+'),
    brokerEpoch: int64('1+', { default: -1, ignorable: true }),
    topicStates: array(
      '3+',
      struct('StopReplicaTopicState', {
        topicName: string('3+'),
        partitionStates: array(
          '3+',
          struct('StopReplicaPartitionState', {
            partitionIndex: int32('3+'),
            // -2 while the topic is being deleted.
            leaderEpoch: int32('3+', { default: -1 }),
            deletePartition: bool('3+'),
          }),
        ),
      }),
    ),
    deletePartitions: bool('0-2'),
    ungroupedPartitions: array(
      '0',
      struct('StopReplicaPartitionV0', {
        topicName: string('0'),
        partitionIndex: int32('0'),
      }),
    ),
    topics: array(
      '1-2',
      struct('StopReplicaTopicV1', {
        name: string('1-2'),
        partitionIndexes: array('1-2', 'int32'),
      }),
    ),
  },
);
export type StopReplicaRequest = MessageOf<typeof StopReplicaRequest>;
export type StopReplicaRequestInit = InitOf<typeof StopReplicaRequest>;

/** What became of each replica. */
export const StopReplicaResponse = response(
  { name: 'StopReplicaResponse', apiKey: 5, versions: '0-3', flexible: '2+' },
  {
    errorCode: int16('0+'),
    partitionErrors: array(
      '0+',
      struct('StopReplicaPartitionError', {
        topicName: string('0+'),
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    ),
  },
);
export type StopReplicaResponse = MessageOf<typeof StopReplicaResponse>;
export type StopReplicaResponseInit = InitOf<typeof StopReplicaResponse>;
