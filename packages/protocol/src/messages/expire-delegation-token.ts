import { bytes, int16, int32, int64, request, response } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Sets a token's expiry; a negative period ends it at once. */
export const ExpireDelegationTokenRequest = request(
  { name: 'ExpireDelegationTokenRequest', apiKey: 40, versions: '0-2', flexible: '2+' },
  {
    hmac: bytes('0+'),
    expiryTimePeriodMs: int64('0+'),
  },
);
export type ExpireDelegationTokenRequest = MessageOf<typeof ExpireDelegationTokenRequest>;
export type ExpireDelegationTokenRequestInit = InitOf<typeof ExpireDelegationTokenRequest>;

/** The new expiry. */
export const ExpireDelegationTokenResponse = response(
  { name: 'ExpireDelegationTokenResponse', apiKey: 40, versions: '0-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  },
);
export type ExpireDelegationTokenResponse = MessageOf<typeof ExpireDelegationTokenResponse>;
export type ExpireDelegationTokenResponseInit = InitOf<typeof ExpireDelegationTokenResponse>;
