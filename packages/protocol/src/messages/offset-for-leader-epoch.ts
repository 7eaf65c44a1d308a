import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Where a leader epoch ends: followers truncate by it (KIP-101), consumers detect truncation by it (KIP-320). */
export const OffsetForLeaderEpochRequest = request(
  { name: 'OffsetForLeaderEpochRequest', apiKey: 23, versions: '0-4', flexible: '4+' },
  {
    // -2 for a consumer of the debugging kind, -1 for any consumer.
    replicaId: int32('3+', { default: -2, ignorable: true }),
    topics: array(
      '0+',
      struct('OffsetForLeaderTopic', {
        topic: string('0+'),
        partitions: array(
          '0+',
          struct('OffsetForLeaderPartition', {
            partition: int32('0+'),
            currentLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
            leaderEpoch: int32('0+'),
          }),
        ),
      }),
    ),
  },
);
export type OffsetForLeaderEpochRequest = MessageOf<typeof OffsetForLeaderEpochRequest>;
export type OffsetForLeaderEpochRequestInit = InitOf<typeof OffsetForLeaderEpochRequest>;

/** The end offset of the largest epoch not above the one asked for. */
export const OffsetForLeaderEpochResponse = response(
  { name: 'OffsetForLeaderEpochResponse', apiKey: 23, versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array(
      '0+',
      struct('OffsetForLeaderTopicResult', {
        topic: string('0+'),
        partitions: array(
          '0+',
          struct('EpochEndOffset', {
            errorCode: int16('0+'),
            partition: int32('0+'),
            leaderEpoch: int32('1+', { default: -1, ignorable: true }),
            endOffset: int64('0+', { default: -1 }),
          }),
        ),
      }),
    ),
  },
);
export type OffsetForLeaderEpochResponse = MessageOf<typeof OffsetForLeaderEpochResponse>;
export type OffsetForLeaderEpochResponseInit = InitOf<typeof OffsetForLeaderEpochResponse>;
