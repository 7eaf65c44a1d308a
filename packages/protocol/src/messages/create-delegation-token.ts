import { array, bytes, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A delegation token for the caller (KIP-48). */
export const CreateDelegationTokenRequest = request(
  { name: 'CreateDelegationTokenRequest', apiKey: 38, versions: '0-2', flexible: '2+' },
  {
    renewers: array(
      '0+',
      struct('CreatableRenewers', {
        principalType: string('0+'),
        principalName: string('0+'),
      }),
    ),
    maxLifetimeMs: int64('0+'),
  },
);
export type CreateDelegationTokenRequest = MessageOf<typeof CreateDelegationTokenRequest>;
export type CreateDelegationTokenRequestInit = InitOf<typeof CreateDelegationTokenRequest>;

/** The token: its id, secret and times. */
export const CreateDelegationTokenResponse = response(
  { name: 'CreateDelegationTokenResponse', apiKey: 38, versions: '0-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    principalType: string('0+'),
    principalName: string('0+'),
    issueTimestampMs: int64('0+'),
    expiryTimestampMs: int64('0+'),
    maxTimestampMs: int64('0+'),
    tokenId: string('0+'),
    hmac: bytes('0+'),
    throttleTimeMs: int32('0+'),
  },
);
export type CreateDelegationTokenResponse = MessageOf<typeof CreateDelegationTokenResponse>;
export type CreateDelegationTokenResponseInit = InitOf<typeof CreateDelegationTokenResponse>;
