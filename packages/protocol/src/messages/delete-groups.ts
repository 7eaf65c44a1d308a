import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Deletes groups that have no members. */
export const DeleteGroupsRequest = request(
  { name: 'DeleteGroupsRequest', apiKey: 42, versions: '0-2', flexible: '2+' },
  {
    groupsNames: array('0+', 'string'),
  },
);
export type DeleteGroupsRequest = MessageOf<typeof DeleteGroupsRequest>;
export type DeleteGroupsRequestInit = InitOf<typeof DeleteGroupsRequest>;

/** What became of each group. */
export const DeleteGroupsResponse = response(
  { name: 'DeleteGroupsResponse', apiKey: 42, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct('DeletableGroupResult', {
        groupId: string('0+'),
        errorCode: int16('0+'),
      }),
    ),
  },
);
export type DeleteGroupsResponse = MessageOf<typeof DeleteGroupsResponse>;
export type DeleteGroupsResponseInit = InitOf<typeof DeleteGroupsResponse>;
