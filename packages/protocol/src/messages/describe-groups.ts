import { array, bool, bytes, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The state and members of groups. */
export const DescribeGroupsRequest = request(
  { name: 'DescribeGroupsRequest', apiKey: 15, versions: '0-5', flexible: '5+' },
  {
    groups: array('0+', 'string'),
    includeAuthorizedOperations: bool('3+'),
  },
);
export type DescribeGroupsRequest = MessageOf<typeof DescribeGroupsRequest>;
export type DescribeGroupsRequestInit = InitOf<typeof DescribeGroupsRequest>;

/** Each group's state, protocol and members. */
export const DescribeGroupsResponse = response(
  { name: 'DescribeGroupsResponse', apiKey: 15, versions: '0-5', flexible: '5+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    groups: array(
      '0+',
      struct('DescribedGroup', {
        errorCode: int16('0+'),
        groupId: string('0+'),
        groupState: string('0+'),
        protocolType: string('0+'),
        protocolData: string('0+'),
        members: array(
          '0+',
          struct('DescribedGroupMember', {
            memberId: string('0+'),
            groupInstanceId: string('4+', { nullable: '4+', default: null, ignorable: true }),
            clientId: string('0+'),
            clientHost: string('0+'),
            memberMetadata: bytes('0+'),
            memberAssignment: bytes('0+'),
          }),
        ),
        authorizedOperations: int32('3+', { default: -0x8000_0000 }),
      }),
    ),
  },
);
export type DescribeGroupsResponse = MessageOf<typeof DescribeGroupsResponse>;
export type DescribeGroupsResponseInit = InitOf<typeof DescribeGroupsResponse>;
