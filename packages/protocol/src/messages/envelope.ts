import { bytes, int16, request, response } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A client's request forwarded to the controller as it came (KIP-590). Only with KRaft in this release. */
export const EnvelopeRequest = request(
  { name: 'EnvelopeRequest', apiKey: 58, versions: '0', flexible: '0+' },
  {
    requestData: bytes('0+'),
    requestPrincipal: bytes('0+', { nullable: '0+' }),
    clientHostAddress: bytes('0+'),
  },
);
export type EnvelopeRequest = MessageOf<typeof EnvelopeRequest>;
export type EnvelopeRequestInit = InitOf<typeof EnvelopeRequest>;

/** The controller's answer for the client. */
export const EnvelopeResponse = response(
  { name: 'EnvelopeResponse', apiKey: 58, versions: '0', flexible: '0+' },
  {
    responseData: bytes('0+', { nullable: '0+', default: null }),
    errorCode: int16('0+'),
  },
);
export type EnvelopeResponse = MessageOf<typeof EnvelopeResponse>;
export type EnvelopeResponseInit = InitOf<typeof EnvelopeResponse>;
