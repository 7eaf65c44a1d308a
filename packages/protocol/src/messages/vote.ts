import { array, bool, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Raft: a candidate asks for votes (KIP-595). No ZooKeeper-mode broker serves it. */
export const VoteRequest = request(
  { name: 'VoteRequest', apiKey: 52, versions: '0', flexible: '0+' },
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
            candidateEpoch: int32('0+'),
            candidateId: int32('0+'),
            lastOffsetEpoch: int32('0+'),
            lastOffset: int64('0+'),
          }),
        ),
      }),
    ),
  },
);
export type VoteRequest = MessageOf<typeof VoteRequest>;
export type VoteRequestInit = InitOf<typeof VoteRequest>;

/** Raft: the vote. */
export const VoteResponse = response(
  { name: 'VoteResponse', apiKey: 52, versions: '0', flexible: '0+' },
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
            voteGranted: bool('0+'),
          }),
        ),
      }),
    ),
  },
);
export type VoteResponse = MessageOf<typeof VoteResponse>;
export type VoteResponseInit = InitOf<typeof VoteResponse>;
