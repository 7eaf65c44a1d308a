import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Members leave a group; several at once from v3 on (KIP-345). */
export const LeaveGroupRequest = request(
  { name: 'LeaveGroupRequest', apiKey: 13, versions: '0-4', flexible: '4+' },
  {
    groupId: string('0+'),
    members: array(
      '3+',
      struct('MemberIdentity', {
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+', default: null }),
      }),
    ),
    memberId: string('0-2'),
  },
);
export type LeaveGroupRequest = MessageOf<typeof LeaveGroupRequest>;
export type LeaveGroupRequestInit = InitOf<typeof LeaveGroupRequest>;

/** What became of each member that left. */
export const LeaveGroupResponse = response(
  { name: 'LeaveGroupResponse', apiKey: 13, versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    members: array(
      '3+',
      struct('MemberResponse', {
        memberId: string('3+'),
        groupInstanceId: string('3+', { nullable: '3+' }),
        errorCode: int16('3+'),
      }),
    ),
  },
);
export type LeaveGroupResponse = MessageOf<typeof LeaveGroupResponse>;
export type LeaveGroupResponseInit = InitOf<typeof LeaveGroupResponse>;
