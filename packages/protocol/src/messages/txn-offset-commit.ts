import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Commits a group's offsets inside a transaction. */
export const TxnOffsetCommitRequest = request(
  { name: 'TxnOffsetCommitRequest', apiKey: 28, versions: '0-3', flexible: '3+' },
  {
    transactionalId: string('0+'),
    groupId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    generationId: int32('3+', { default: -1 }),
    memberId: string('3+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    topics: array(
      '0+',
      struct('TxnOffsetCommitRequestTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('TxnOffsetCommitRequestPartition', {
            partitionIndex: int32('0+'),
            committedOffset: int64('0+'),
            committedLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
            committedMetadata: string('0+', { nullable: '0+' }),
          }),
        ),
      }),
    ),
  },
);
export type TxnOffsetCommitRequest = MessageOf<typeof TxnOffsetCommitRequest>;
export type TxnOffsetCommitRequestInit = InitOf<typeof TxnOffsetCommitRequest>;

/** What became of each partition's offset. */
export const TxnOffsetCommitResponse = response(
  { name: 'TxnOffsetCommitResponse', apiKey: 28, versions: '0-3', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    topics: array(
      '0+',
      struct('TxnOffsetCommitResponseTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('TxnOffsetCommitResponsePartition', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
          }),
        ),
      }),
    ),
  },
);
export type TxnOffsetCommitResponse = MessageOf<typeof TxnOffsetCommitResponse>;
export type TxnOffsetCommitResponseInit = InitOf<typeof TxnOffsetCommitResponse>;
