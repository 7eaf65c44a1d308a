import { array, bytes, data, int32, int64, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Key of a group's record in __consumer_offsets. Versions 0 and 1 are OffsetCommitKey's. */
export const GroupMetadataKey = data(
  { name: 'GroupMetadataKey', versions: '2', flexible: 'none' },
  {
    group: string('2+'),
  },
);
export type GroupMetadataKey = MessageOf<typeof GroupMetadataKey>;
export type GroupMetadataKeyInit = InitOf<typeof GroupMetadataKey>;

/** A group's generation and members as __consumer_offsets keeps them. */
export const GroupMetadataValue = data(
  { name: 'GroupMetadataValue', versions: '0-3', flexible: 'none' },
  {
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: string('0+', { nullable: '0+' }),
    leader: string('0+', { nullable: '0+' }),
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: array(
      '0+',
      struct('MemberMetadata', {
        memberId: string('0+'),
        groupInstanceId: string('3+', { nullable: '3+', default: null, ignorable: true }),
        clientId: string('0+'),
        clientHost: string('0+'),
        rebalanceTimeout: int32('1+', { ignorable: true }),
        sessionTimeout: int32('0+'),
        subscription: bytes('0+'),
        assignment: bytes('0+'),
      }),
    ),
  },
);
export type GroupMetadataValue = MessageOf<typeof GroupMetadataValue>;
export type GroupMetadataValueInit = InitOf<typeof GroupMetadataValue>;
