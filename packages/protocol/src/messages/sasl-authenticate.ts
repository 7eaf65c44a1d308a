import { bytes, int16, int64, request, response, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** One token of the SASL exchange. */
export const SaslAuthenticateRequest = request(
  { name: 'SaslAuthenticateRequest', apiKey: 36, versions: '0-2', flexible: '2+' },
  {
    authBytes: bytes('0+'),
  },
);
export type SaslAuthenticateRequest = MessageOf<typeof SaslAuthenticateRequest>;
export type SaslAuthenticateRequestInit = InitOf<typeof SaslAuthenticateRequest>;

/** The server's token; the session's lifetime from v1 on (KIP-368). */
export const SaslAuthenticateResponse = response(
  { name: 'SaslAuthenticateResponse', apiKey: 36, versions: '0-2', flexible: '2+' },
  {
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    authBytes: bytes('0+'),
    sessionLifetimeMs: int64('1+', { ignorable: true }),
  },
);
export type SaslAuthenticateResponse = MessageOf<typeof SaslAuthenticateResponse>;
export type SaslAuthenticateResponseInit = InitOf<typeof SaslAuthenticateResponse>;
