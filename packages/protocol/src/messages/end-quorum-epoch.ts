import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Raft: a leader resigns (KIP-595). */
export const EndQuorumEpochRequest = request(
  { name: 'EndQuorumEpochRequest', apiKey: 54, versions: '0', flexible: 'none' },
  {
    clusterId: string('0+', { nullable: '0+', default: null }),
    topics: array(
      '0+',
      struct('TopicData', {
        topicName: string('0+'),
        partitions: array(
          '0+',
          struct('PartitionData', {
            partitionIndex: int32('0+'),
            leaderId: int32('0+'),
            leaderEpoch: int32('0+'),
            preferredSuccessors: array('0+', 'int32'),
          }),
        ),
      }),
    ),
  },
);
export type EndQuorumEpochRequest = MessageOf<typeof EndQuorumEpochRequest>;
export type EndQuorumEpochRequestInit = InitOf<typeof EndQuorumEpochRequest>;

/** Raft: who leads, as the voter sees it. */
export const EndQuorumEpochResponse = response(
  { name: 'EndQuorumEpochResponse', apiKey: 54, versions: '0', flexible: 'none' },
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
          }),
        ),
      }),
    ),
  },
);
export type EndQuorumEpochResponse = MessageOf<typeof EndQuorumEpochResponse>;
export type EndQuorumEpochResponseInit = InitOf<typeof EndQuorumEpochResponse>;
