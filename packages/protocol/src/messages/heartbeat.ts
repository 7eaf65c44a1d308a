import { int16, int32, request, response, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A group member is alive. */
export const HeartbeatRequest = request(
  { name: 'HeartbeatRequest', apiKey: 12, versions: '0-4', flexible: '4+' },
  {
    groupId: string('0+'),
    generationId: int32('0+'),
    memberId: string('0+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
  },
);
export type HeartbeatRequest = MessageOf<typeof HeartbeatRequest>;
export type HeartbeatRequestInit = InitOf<typeof HeartbeatRequest>;

/** All is well, or a rebalance is under way. */
export const HeartbeatResponse = response(
  { name: 'HeartbeatResponse', apiKey: 12, versions: '0-4', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
  },
);
export type HeartbeatResponse = MessageOf<typeof HeartbeatResponse>;
export type HeartbeatResponseInit = InitOf<typeof HeartbeatResponse>;
