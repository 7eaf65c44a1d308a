import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Raft: the state of the quorum (KIP-595). */
export const DescribeQuorumRequest = request(
  { name: 'DescribeQuorumRequest', apiKey: 55, versions: '0', flexible: '0+' },
  {
    topics: array(
      '0+',
      struct('TopicData', {
        topicName: string('0+'),
        partitions: array(
          '0+',
          struct('PartitionData', {
            partitionIndex: int32('0+'),
          }),
        ),
      }),
    ),
  },
);
export type DescribeQuorumRequest = MessageOf<typeof DescribeQuorumRequest>;
export type DescribeQuorumRequestInit = InitOf<typeof DescribeQuorumRequest>;

const replicaState = struct('ReplicaState', {
  replicaId: int32('0+'),
  logEndOffset: int64('0+'),
});

/** Raft: voters and observers with their log ends. */
export const DescribeQuorumResponse = response(
  { name: 'DescribeQuorumResponse', apiKey: 55, versions: '0', flexible: '0+' },
  {
    errorCode: int16('0+'),
    topics: array(
      '0+',
      struct('TopicData', {
        topicName: string('0+'),
        partitions: array(
          '0+',
          struct('PartitionData', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
            leaderId: int32('0+'),
            leaderEpoch: int32('0+'),
            highWatermark: int64('0+'),
            currentVoters: array('0+', replicaState),
            observers: array('0+', replicaState),
          }),
        ),
      }),
    ),
  },
);
export type DescribeQuorumResponse = MessageOf<typeof DescribeQuorumResponse>;
export type DescribeQuorumResponseInit = InitOf<typeof DescribeQuorumResponse>;
