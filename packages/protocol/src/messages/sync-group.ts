import { array, bytes, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The leader hands in the assignment, the other members ask for theirs. */
export const SyncGroupRequest = request(
  { name: 'SyncGroupRequest', apiKey: 14, versions: '0-5', flexible: '4+' },
  {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    protocolType: string('5+', { nullable: '5+', default: null, ignorable: true }),
    protocolName: string('5+', { nullable: '5+', default: null, ignorable: true }),
    assignments: array(
      '0+',
      struct('SyncGroupRequestAssignment', {
        memberId: string('0+'),
        assignment: bytes('0+'),
      }),
    ),
  },
);
export type SyncGroupRequest = MessageOf<typeof SyncGroupRequest>;
export type SyncGroupRequestInit = InitOf<typeof SyncGroupRequest>;

/** The member's assignment. */
export const SyncGroupResponse = response(
  { name: 'SyncGroupResponse', apiKey: 14, versions: '0-5', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    protocolType: string('5+', { nullable: '5+', default: null, ignorable: true }),
    protocolName: string('5+', { nullable: '5+', default: null, ignorable: true }),
    assignment: bytes('0+'),
  },
);
export type SyncGroupResponse = MessageOf<typeof SyncGroupResponse>;
export type SyncGroupResponseInit = InitOf<typeof SyncGroupResponse>;
