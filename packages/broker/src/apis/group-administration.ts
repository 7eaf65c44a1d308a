import { Errors } from '@klassic/protocol';
import type { GroupCoordinator } from '../group/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** READ, DELETE and DESCRIBE as bits: all that can be allowed on a group; without an authorizer all of it is. */
const groupOperations = (1 << 3) | (1 << 6) | (1 << 8);

const errorWithoutOperations = -0x8000_0000;

/** ListGroups: the groups that this broker coordinates. */
export function listGroupsHandler(coordinator: GroupCoordinator): ApiHandler<'ListGroups'> {
  return {
    api: 'ListGroups',
    minVersion: 0,
    maxVersion: 4,
    handle({ body: { statesFilter } }) {
      const { error, groups } = coordinator.handleListGroups(new Set(statesFilter));
      return {
        errorCode: error.code,
        groups: groups.map(({ groupId, protocolType, state }) => ({ groupId, protocolType, groupState: state })),
      };
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

/** DescribeGroups: states and members; what members said and were assigned once the group is stable. */
export function describeGroupsHandler(coordinator: GroupCoordinator): ApiHandler<'DescribeGroups'> {
  return {
    api: 'DescribeGroups',
    minVersion: 0,
    maxVersion: 5,
    handle({ body: { groups, includeAuthorizedOperations }, header: { apiVersion } }) {
      return {
        groups: groups.map((groupId) => {
          const { error, summary } = coordinator.handleDescribeGroup(groupId);
          const { state: groupState, protocolType, protocol: protocolData, members } = summary;
          const withOperations = apiVersion >= 3 && includeAuthorizedOperations && error === Errors.NONE;
          return {
            errorCode: error.code,
            groupId,
            groupState,
            protocolType,
            protocolData,
            members: members.map(({ metadata: memberMetadata, assignment: memberAssignment, ...member }) => ({
              ...member,
              memberMetadata,
              memberAssignment,
            })),
            authorizedOperations: withOperations ? groupOperations : errorWithoutOperations,
          };
        }),
      };
    },
    failure: ({ body: { groups } }, error) => ({
      groups: groups.map((groupId) => ({ errorCode: error.code, groupId })),
    }),
  };
}

/** DeleteGroups: groups without members. */
export function deleteGroupsHandler(coordinator: GroupCoordinator): ApiHandler<'DeleteGroups'> {
  return {
    api: 'DeleteGroups',
    minVersion: 0,
    maxVersion: 2,
    async handle({ body: { groupsNames } }) {
      const results = await coordinator.handleDeleteGroups(new Set(groupsNames));
      return { results: [...results].map(([groupId, error]) => ({ groupId, errorCode: error.code })) };
    },
    failure: ({ body: { groupsNames } }, error) => ({
      results: [...new Set(groupsNames)].map((groupId) => ({ groupId, errorCode: error.code })),
    }),
  };
}
