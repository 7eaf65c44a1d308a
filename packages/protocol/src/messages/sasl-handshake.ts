import { array, int16, request, response, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The client names its SASL mechanism. From v1 on the tokens travel in SaslAuthenticate, before that bare (KIP-152). */
export const SaslHandshakeRequest = request(
  { name: 'SaslHandshakeRequest', apiKey: 17, versions: '0-1', flexible: 'none' },
  {
    mechanism: string('0+'),
  },
);
export type SaslHandshakeRequest = MessageOf<typeof SaslHandshakeRequest>;
export type SaslHandshakeRequestInit = InitOf<typeof SaslHandshakeRequest>;

/** The mechanisms the listener has. */
export const SaslHandshakeResponse = response(
  { name: 'SaslHandshakeResponse', apiKey: 17, versions: '0-1', flexible: 'none' },
  {
    errorCode: int16('0+'),
    mechanisms: array('0+', 'string'),
  },
);
export type SaslHandshakeResponse = MessageOf<typeof SaslHandshakeResponse>;
export type SaslHandshakeResponseInit = InitOf<typeof SaslHandshakeResponse>;
