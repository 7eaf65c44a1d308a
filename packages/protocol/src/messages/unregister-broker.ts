import { int16, int32, request, response, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** KRaft: forget a broker. */
export const UnregisterBrokerRequest = request(
  { name: 'UnregisterBrokerRequest', apiKey: 64, versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
  },
);
export type UnregisterBrokerRequest = MessageOf<typeof UnregisterBrokerRequest>;
export type UnregisterBrokerRequestInit = InitOf<typeof UnregisterBrokerRequest>;

/** KRaft: forgotten, or why not. */
export const UnregisterBrokerResponse = response(
  { name: 'UnregisterBrokerResponse', apiKey: 64, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
  },
);
export type UnregisterBrokerResponse = MessageOf<typeof UnregisterBrokerResponse>;
export type UnregisterBrokerResponseInit = InitOf<typeof UnregisterBrokerResponse>;
