import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Forgets a group's committed offsets (KIP-496). */
export const OffsetDeleteRequest = request(
  { name: 'OffsetDeleteRequest', apiKey: 47, versions: '0', flexible: 'none' },
  {
    groupId: string('0+'),
    topics: array(
      '0+',
      struct('OffsetDeleteRequestTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('OffsetDeleteRequestPartition', {
            partitionIndex: int32('0+'),
          }),
        ),
      }),
    ),
  },
);
export type OffsetDeleteRequest = MessageOf<typeof OffsetDeleteRequest>;
export type OffsetDeleteRequestInit = InitOf<typeof OffsetDeleteRequest>;

/** What became of each partition's offset. */
export const OffsetDeleteResponse = response(
  { name: 'OffsetDeleteResponse', apiKey: 47, versions: '0', flexible: 'none' },
  {
    errorCode: int16('0+'),
    throttleTimeMs: int32('0+'),
    topics: array(
      '0+',
      struct('OffsetDeleteResponseTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('OffsetDeleteResponsePartition', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
          }),
        ),
      }),
    ),
  },
);
export type OffsetDeleteResponse = MessageOf<typeof OffsetDeleteResponse>;
export type OffsetDeleteResponseInit = InitOf<typeof OffsetDeleteResponse>;
