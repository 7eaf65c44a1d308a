import { array, bool, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A group's committed offsets. From v2 on null topics means all of them. */
export const OffsetFetchRequest = request(
  { name: 'OffsetFetchRequest', apiKey: 9, versions: '0-7', flexible: '6+' },
  {
    groupId: string('0+'),
    topics: array(
      '0+',
      struct('OffsetFetchRequestTopic', {
        name: string('0+'),
        partitionIndexes: array('0+', 'int32'),
      }),
      { nullable: '2+' },
    ),
    // Fail with UNSTABLE_OFFSET_COMMIT while a transaction's offsets are pending (KIP-447).
    requireStable: bool('7+'),
  },
);
export type OffsetFetchRequest = MessageOf<typeof OffsetFetchRequest>;
export type OffsetFetchRequestInit = InitOf<typeof OffsetFetchRequest>;

/** The offsets committed; -1 where there is none. */
export const OffsetFetchResponse = response(
  { name: 'OffsetFetchResponse', apiKey: 9, versions: '0-7', flexible: '6+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array(
      '0+',
      struct('OffsetFetchResponseTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('OffsetFetchResponsePartition', {
            partitionIndex: int32('0+'),
            committedOffset: int64('0+'),
            committedLeaderEpoch: int32('5+', { default: -1, ignorable: true }),
            metadata: string('0+', { nullable: '0+' }),
            errorCode: int16('0+'),
          }),
        ),
      }),
    ),
    errorCode: int16('2+', { ignorable: true }),
  },
);
export type OffsetFetchResponse = MessageOf<typeof OffsetFetchResponse>;
export type OffsetFetchResponseInit = InitOf<typeof OffsetFetchResponse>;
