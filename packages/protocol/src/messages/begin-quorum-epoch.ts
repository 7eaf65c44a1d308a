import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Raft: a new leader says so (KIP-595). */
export const BeginQuorumEpochRequest = request(
  { name: 'BeginQuorumEpochRequest', apiKey: 53, versions: '0', flexible: 'none' },
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
          }),
        ),
      }),
    ),
  },
);
export type BeginQuorumEpochRequest = MessageOf<typeof BeginQuorumEpochRequest>;
export type BeginQuorumEpochRequestInit = InitOf<typeof BeginQuorumEpochRequest>;

/** Raft: who leads, as the voter sees it. */
export const BeginQuorumEpochResponse = response(
  { name: 'BeginQuorumEpochResponse', apiKey: 53, versions: '0', flexible: 'none' },
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
export type BeginQuorumEpochResponse = MessageOf<typeof BeginQuorumEpochResponse>;
export type BeginQuorumEpochResponseInit = InitOf<typeof BeginQuorumEpochResponse>;
