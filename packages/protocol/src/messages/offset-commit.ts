import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A group's members commit offsets; v0 kept them in ZooKeeper. */
export const OffsetCommitRequest = request(
  { name: 'OffsetCommitRequest', apiKey: 8, versions: '0-8', flexible: '8+' },
  {
    groupId: string('0+'),
    generationId: int32('1+', { default: -1, ignorable: true }),
    memberId: string('1+', { ignorable: true }),
    groupInstanceId: string('7+', { nullable: '7+', default: null }),
    // -1: the broker's offsets.retention.minutes. Gone since KIP-211.
    retentionTimeMs: int64('2-4', { default: -1, ignorable: true }),
    topics: array(
      '0+',
      struct('OffsetCommitRequestTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('OffsetCommitRequestPartition', {
            partitionIndex: int32('0+'),
            committedOffset: int64('0+'),
            committedLeaderEpoch: int32('6+', { default: -1, ignorable: true }),
            commitTimestamp: int64('1', { default: -1 }),
            committedMetadata: string('0+', { nullable: '0+' }),
          }),
        ),
      }),
    ),
  },
);
export type OffsetCommitRequest = MessageOf<typeof OffsetCommitRequest>;
export type OffsetCommitRequestInit = InitOf<typeof OffsetCommitRequest>;

/** What became of each partition's offset. */
export const OffsetCommitResponse = response(
  { name: 'OffsetCommitResponse', apiKey: 8, versions: '0-8', flexible: '8+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array(
      '0+',
      struct('OffsetCommitResponseTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('OffsetCommitResponsePartition', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
          }),
        ),
      }),
    ),
  },
);
export type OffsetCommitResponse = MessageOf<typeof OffsetCommitResponse>;
export type OffsetCommitResponseInit = InitOf<typeof OffsetCommitResponse>;
