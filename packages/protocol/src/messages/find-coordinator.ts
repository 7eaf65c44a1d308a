import { int16, int32, int8, request, response, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Which broker coordinates a group (key type 0) or a transactional id (1). */
export const FindCoordinatorRequest = request(
  { name: 'FindCoordinatorRequest', apiKey: 10, versions: '0-3', flexible: '3+' },
  {
    key: string('0+'),
    keyType: int8('1+'),
  },
);
export type FindCoordinatorRequest = MessageOf<typeof FindCoordinatorRequest>;
export type FindCoordinatorRequestInit = InitOf<typeof FindCoordinatorRequest>;

/** The coordinator's address. */
export const FindCoordinatorResponse = response(
  { name: 'FindCoordinatorResponse', apiKey: 10, versions: '0-3', flexible: '3+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('0+'),
    errorMessage: string('1+', { nullable: '1+', ignorable: true }),
    nodeId: int32('0+'),
    host: string('0+'),
    port: int32('0+'),
  },
);
export type FindCoordinatorResponse = MessageOf<typeof FindCoordinatorResponse>;
export type FindCoordinatorResponseInit = InitOf<typeof FindCoordinatorResponse>;
