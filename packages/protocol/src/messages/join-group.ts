import { array, bytes, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A member joins a group or rejoins it for a rebalance. From v4 on a new member must first be given its id (KIP-394). */
export const JoinGroupRequest = request(
  { name: 'JoinGroupRequest', apiKey: 11, versions: '0-7', flexible: '6+' },
  {
    groupId: string('0+'),
    sessionTimeoutMs: int32('0+'),
    // -1: the session timeout, as v0 had it.
    rebalanceTimeoutMs: int32('1+', { default: -1, ignorable: true }),
    memberId: string('0+'),
    // Static membership (KIP-345).
    groupInstanceId: string('5+', { nullable: '5+', default: null }),
    protocolType: string('0+'),
    protocols: array(
      '0+',
      struct('JoinGroupRequestProtocol', {
        name: string('0+'),
        metadata: bytes('0+'),
      }),
    ),
  },
);
export type JoinGroupRequest = MessageOf<typeof JoinGroupRequest>;
export type JoinGroupRequestInit = InitOf<typeof JoinGroupRequest>;

/** The generation joined; the leader alone also gets the members' subscriptions. */
export const JoinGroupResponse = response(
  { name: 'JoinGroupResponse', apiKey: 11, versions: '0-7', flexible: '6+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    errorCode: int16('0+'),
    generationId: int32('0+', { default: -1 }),
    protocolType: string('7+', { nullable: '7+', default: null, ignorable: true }),
    protocolName: string('0+', { nullable: '7+' }),
    leader: string('0+'),
    memberId: string('0+'),
    members: array(
      '0+',
      struct('JoinGroupResponseMember', {
        memberId: string('0+'),
        groupInstanceId: string('5+', { nullable: '5+', default: null }),
        metadata: bytes('0+'),
      }),
    ),
  },
);
export type JoinGroupResponse = MessageOf<typeof JoinGroupResponse>;
export type JoinGroupResponseInit = InitOf<typeof JoinGroupResponse>;
