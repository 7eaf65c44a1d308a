import { array, bytes, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The tokens of owners; null owners means all that the caller may see. */
export const DescribeDelegationTokenRequest = request(
  { name: 'DescribeDelegationTokenRequest', apiKey: 41, versions: '0-2', flexible: '2+' },
  {
    owners: array(
      '0+',
      struct('DescribeDelegationTokenOwner', {
        principalType: string('0+'),
        principalName: string('0+'),
      }),
      { nullable: '0+' },
    ),
  },
);
export type DescribeDelegationTokenRequest = MessageOf<typeof DescribeDelegationTokenRequest>;
export type DescribeDelegationTokenRequestInit = InitOf<typeof DescribeDelegationTokenRequest>;

/** The tokens with their secrets and renewers. */
export const DescribeDelegationTokenResponse = response(
  { name: 'DescribeDelegationTokenResponse', apiKey: 41, versions: '0-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    tokens: array(
      '0+',
      struct('DescribedDelegationToken', {
        principalType: string('0+'),
        principalName: string('0+'),
        issueTimestamp: int64('0+'),
        expiryTimestamp: int64('0+'),
        maxTimestamp: int64('0+'),
        tokenId: string('0+'),
        hmac: bytes('0+'),
        renewers: array(
          '0+',
          struct('DescribedDelegationTokenRenewer', {
            principalType: string('0+'),
            principalName: string('0+'),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32('0+'),
  },
);
export type DescribeDelegationTokenResponse = MessageOf<typeof DescribeDelegationTokenResponse>;
export type DescribeDelegationTokenResponseInit = InitOf<typeof DescribeDelegationTokenResponse>;
