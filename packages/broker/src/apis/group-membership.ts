import { Errors } from '@klassic/protocol';
import type { ErrorEntry, ResponseInit } from '@klassic/protocol';
import type { GroupCoordinator, LeaveGroupResult } from '../group/index.ts';
import type { ApiHandler } from './api-handler.ts';

/** From this version of JoinGroup on a new dynamic member is first given its id (KIP-394). */
const memberIdRequiredVersion = 4;
/** From this version of JoinGroup on the protocol may be null. */
const nullableProtocolVersion = 7;
/** From this version of SyncGroup on members say which protocol they follow (KIP-559). */
const namedProtocolVersion = 5;
/** From this version of LeaveGroup on several members may leave at once (KIP-345). */
const batchLeaveVersion = 3;

/** JoinGroup: answered when the group's next generation is there. */
export function joinGroupHandler(coordinator: GroupCoordinator): ApiHandler<'JoinGroup'> {
  return {
    api: 'JoinGroup',
    minVersion: 0,
    maxVersion: 7,
    async handle({ body, header: { apiVersion, clientId }, context: { clientAddress } }) {
      const { error, protocolName, leaderId, ...result } = await coordinator.handleJoinGroup({
        ...body,
        requireKnownMemberId: apiVersion >= memberIdRequiredVersion && body.groupInstanceId === null,
        clientId: clientId ?? '',
        clientHost: `/${clientAddress}`,
        // Version 0 has one timeout for both.
        rebalanceTimeoutMs: apiVersion === 0 ? body.sessionTimeoutMs : body.rebalanceTimeoutMs,
      });
      return {
        ...result,
        errorCode: error.code,
        protocolName: protocolNameFor(apiVersion, protocolName),
        leader: leaderId,
        members: [...result.members],
      };
    },
    failure: ({ header: { apiVersion } }, error) => ({
      errorCode: error.code,
      protocolName: protocolNameFor(apiVersion, null),
    }),
  };
}

function protocolNameFor(apiVersion: number, protocolName: string | null): string | null {
  return protocolName ?? (apiVersion >= nullableProtocolVersion ? null : '');
}

/** SyncGroup: the leader hands in the assignment, everybody gets their part of it. */
export function syncGroupHandler(coordinator: GroupCoordinator): ApiHandler<'SyncGroup'> {
  return {
    api: 'SyncGroup',
    minVersion: 0,
    maxVersion: 5,
    async handle({ body, header: { apiVersion } }) {
      if (apiVersion >= namedProtocolVersion && (body.protocolType === null || body.protocolName === null)) {
        return { errorCode: Errors.INCONSISTENT_GROUP_PROTOCOL.code };
      }
      const { error, ...result } = await coordinator.handleSyncGroup({
        ...body,
        assignments: new Map(body.assignments.map(({ memberId, assignment }) => [memberId, assignment])),
      });
      return { ...result, errorCode: error.code };
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

/** Heartbeat: the member is alive; it learns whether it has to join again. */
export function heartbeatHandler(coordinator: GroupCoordinator): ApiHandler<'Heartbeat'> {
  return {
    api: 'Heartbeat',
    minVersion: 0,
    maxVersion: 4,
    handle: ({ body: { groupId, memberId, groupInstanceId, generationId } }) => ({
      errorCode: coordinator.handleHeartbeat(groupId, memberId, groupInstanceId, generationId).code,
    }),
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

/** LeaveGroup: members go without waiting for their sessions to end. */
export function leaveGroupHandler(coordinator: GroupCoordinator): ApiHandler<'LeaveGroup'> {
  return {
    api: 'LeaveGroup',
    minVersion: 0,
    maxVersion: 4,
    handle({ body: { groupId, members, memberId }, header: { apiVersion } }) {
      const isBatch = apiVersion >= batchLeaveVersion;
      const leaving = isBatch ? members : [{ memberId, groupInstanceId: null }];
      return leaveResponse(coordinator.handleLeaveGroup(groupId, leaving), isBatch);
    },
    failure: (_request, error) => ({ errorCode: error.code }),
  };
}

function leaveResponse({ error, members }: LeaveGroupResult, isBatch: boolean): ResponseInit<'LeaveGroup'> {
  if (!isBatch) return { errorCode: firstError([error, ...members.map((member) => member.error)]).code };
  return {
    errorCode: error.code,
    members: members.map(({ memberId, groupInstanceId, error: memberError }) => ({
      memberId,
      groupInstanceId,
      errorCode: memberError.code,
    })),
  };
}

function firstError(errors: readonly ErrorEntry[]): ErrorEntry {
  return errors.find((error) => error !== Errors.NONE) ?? Errors.NONE;
}
