import { array, int16, int32, int64, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The offset of a timestamp; -1 asks for the log end (or high watermark), -2 for the log start. v0 could ask for several. */
export const ListOffsetsRequest = request(
  { name: 'ListOffsetsRequest', apiKey: 2, versions: '0-6', flexible: '6+' },
  {
    // -1 for a consumer; a follower sees up to the log end.
    replicaId: int32('0+'),
    isolationLevel: int8('2+'),
    topics: array(
      '0+',
      struct('ListOffsetsTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('ListOffsetsPartition', {
            partitionIndex: int32('0+'),
            currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }),
            timestamp: int64('0+'),
            maxNumOffsets: int32('0', { default: 1 }),
          }),
        ),
      }),
    ),
  },
);
export type ListOffsetsRequest = MessageOf<typeof ListOffsetsRequest>;
export type ListOffsetsRequestInit = InitOf<typeof ListOffsetsRequest>;

/** The offset found, and from v1 on its timestamp. */
export const ListOffsetsResponse = response(
  { name: 'ListOffsetsResponse', apiKey: 2, versions: '0-6', flexible: '6+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array(
      '0+',
      struct('ListOffsetsTopicResponse', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('ListOffsetsPartitionResponse', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
            timestamp: int64('1+', { default: -1 }),
            offset: int64('1+', { default: -1 }),
            leaderEpoch: int32('4+', { default: -1 }),
            // Segment boundaries, newest first.
            oldStyleOffsets: array('0', 'int64'),
          }),
        ),
      }),
    ),
  },
);
export type ListOffsetsResponse = MessageOf<typeof ListOffsetsResponse>;
export type ListOffsetsResponseInit = InitOf<typeof ListOffsetsResponse>;
