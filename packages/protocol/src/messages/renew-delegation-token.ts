import { bytes, int16, int32, int64, request, response } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Puts a token's expiry off. */
export const RenewDelegationTokenRequest = request(
  { name: 'RenewDelegationTokenRequest', apiKey: 39, versions: '0-2', flexible: '2+' },
  {
    hmac: bytes('0+'),
    renewPeriodMs: int64('0+'),
  },
);
export type RenewDelegationTokenRequest = MessageOf<typeof RenewDelegationTokenRequest>;
export type RenewDelegationTokenRequestInit = InitOf<typeof RenewDelegationTokenRequest>;

/** The new expiry. */
export const RenewDelegationTokenResponse = response(
  { name: 'RenewDelegationTokenResponse', apiKey: 39, versions: '0-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    expiryTimestampMs: int64('0+'),
    throttleTimeMs: int32('0+'),
  },
);
export type RenewDelegationTokenResponse = MessageOf<typeof RenewDelegationTokenResponse>;
export type RenewDelegationTokenResponseInit = InitOf<typeof RenewDelegationTokenResponse>;
