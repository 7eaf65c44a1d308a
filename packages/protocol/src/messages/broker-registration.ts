import { array, int16, int32, int64, request, response, string, struct, uint16, uuid } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** KRaft: a broker registers with the quorum (KIP-631). */
export const BrokerRegistrationRequest = request(
  { name: 'BrokerRegistrationRequest', apiKey: 62, versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
    clusterId: string('0+'),
    incarnationId: uuid('0+'),
    listeners: array(
      '0+',
      struct('Listener', {
        name: string('0+'),
        host: string('0+'),
        port: uint16('0+'),
        securityProtocol: int16('0+'),
      }),
    ),
    features: array(
      '0+',
      struct('Feature', {
        name: string('0+'),
        minSupportedVersion: int16('0+'),
        maxSupportedVersion: int16('0+'),
      }),
    ),
    rack: string('0+', { nullable: '0+' }),
  },
);
export type BrokerRegistrationRequest = MessageOf<typeof BrokerRegistrationRequest>;
export type BrokerRegistrationRequestInit = InitOf<typeof BrokerRegistrationRequest>;

/** KRaft: the broker's epoch. */
export const BrokerRegistrationResponse = response(
  { name: 'BrokerRegistrationResponse', apiKey: 62, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
  },
);
export type BrokerRegistrationResponse = MessageOf<typeof BrokerRegistrationResponse>;
export type BrokerRegistrationResponseInit = InitOf<typeof BrokerRegistrationResponse>;
