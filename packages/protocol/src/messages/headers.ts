import { header, int16, int32, string } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Before every request. v0 for ControlledShutdown v0 alone, v2 for flexible requests. */
export const RequestHeaderMessage = header(
  { name: 'RequestHeader', versions: '0-2', flexible: '2+' },
  {
    requestApiKey: int16('0+'),
    requestApiVersion: int16('0+'),
    correlationId: int32('0+'),
    // Not compact even in v2, where all other strings are.
    clientId: string('1+', { nullable: '1+', ignorable: true, compact: false }),
  },
);
export type RequestHeaderMessage = MessageOf<typeof RequestHeaderMessage>;
export type RequestHeaderMessageInit = InitOf<typeof RequestHeaderMessage>;

/** Before every response. v1 for flexible responses, but never for ApiVersions. */
export const ResponseHeaderMessage = header(
  { name: 'ResponseHeader', versions: '0-1', flexible: '1+' },
  {
    correlationId: int32('0+'),
  },
);
export type ResponseHeaderMessage = MessageOf<typeof ResponseHeaderMessage>;
export type ResponseHeaderMessageInit = InitOf<typeof ResponseHeaderMessage>;
