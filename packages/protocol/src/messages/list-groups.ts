import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The groups a broker coordinates, from v4 on only those in given states (KIP-518). */
export const ListGroupsRequest = request(
  { name: 'ListGroupsRequest', apiKey: 16, versions: '0-4', flexible: '3+' },
  {
    statesFilter: array('4+', 'string'),
  },
);
export type ListGroupsRequest = MessageOf<typeof ListGroupsRequest>;
export type ListGroupsRequestInit = InitOf<typeof ListGroupsRequest>;

/** The groups by name and protocol type. */
export const ListGroupsResponse = response(
  { name: 'ListGroupsResponse', apiKey: 16, versions: '0-4', flexible: '3+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    groups: array(
      '0+',
      struct('ListedGroup', {
        groupId: string('0+'),
        protocolType: string('0+'),
        groupState: string('4+', { ignorable: true }),
      }),
    ),
  },
);
export type ListGroupsResponse = MessageOf<typeof ListGroupsResponse>;
export type ListGroupsResponseInit = InitOf<typeof ListGroupsResponse>;
