import { array, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Which SCRAM mechanisms users have (KIP-554). Null users means all of them. */
export const DescribeUserScramCredentialsRequest = request(
  { name: 'DescribeUserScramCredentialsRequest', apiKey: 50, versions: '0', flexible: '0+' },
  {
    users: array(
      '0+',
      struct('UserName', {
        name: string('0+'),
      }),
      { nullable: '0+' },
    ),
  },
);
export type DescribeUserScramCredentialsRequest = MessageOf<typeof DescribeUserScramCredentialsRequest>;
export type DescribeUserScramCredentialsRequestInit = InitOf<typeof DescribeUserScramCredentialsRequest>;

/** Mechanisms and iterations, never secrets. */
export const DescribeUserScramCredentialsResponse = response(
  { name: 'DescribeUserScramCredentialsResponse', apiKey: 50, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    results: array(
      '0+',
      struct('DescribeUserScramCredentialsResult', {
        user: string('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        credentialInfos: array(
          '0+',
          struct('CredentialInfo', {
            mechanism: int8('0+'),
            iterations: int32('0+'),
          }),
        ),
      }),
    ),
  },
);
export type DescribeUserScramCredentialsResponse = MessageOf<typeof DescribeUserScramCredentialsResponse>;
export type DescribeUserScramCredentialsResponseInit = InitOf<typeof DescribeUserScramCredentialsResponse>;
