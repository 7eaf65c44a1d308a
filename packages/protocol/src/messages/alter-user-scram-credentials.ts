import { array, bytes, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Deletes and upserts SCRAM credentials; the password comes salted and hashed. */
export const AlterUserScramCredentialsRequest = request(
  { name: 'AlterUserScramCredentialsRequest', apiKey: 51, versions: '0', flexible: '0+' },
  {
    deletions: array(
      '0+',
      struct('ScramCredentialDeletion', {
        name: string('0+'),
        mechanism: int8('0+'),
      }),
    ),
    upsertions: array(
      '0+',
      struct('ScramCredentialUpsertion', {
        name: string('0+'),
        mechanism: int8('0+'),
        iterations: int32('0+'),
        salt: bytes('0+'),
        saltedPassword: bytes('0+'),
      }),
    ),
  },
);
export type AlterUserScramCredentialsRequest = MessageOf<typeof AlterUserScramCredentialsRequest>;
export type AlterUserScramCredentialsRequestInit = InitOf<typeof AlterUserScramCredentialsRequest>;

/** What became of each user. */
export const AlterUserScramCredentialsResponse = response(
  { name: 'AlterUserScramCredentialsResponse', apiKey: 51, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct('AlterUserScramCredentialsResult', {
        user: string('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
      }),
    ),
  },
);
export type AlterUserScramCredentialsResponse = MessageOf<typeof AlterUserScramCredentialsResponse>;
export type AlterUserScramCredentialsResponseInit = InitOf<typeof AlterUserScramCredentialsResponse>;
