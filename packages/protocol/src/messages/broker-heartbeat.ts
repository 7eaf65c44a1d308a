import { bool, int16, int32, int64, request, response } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** KRaft: a broker is alive (KIP-631). */
export const BrokerHeartbeatRequest = request(
  { name: 'BrokerHeartbeatRequest', apiKey: 63, versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    currentMetadataOffset: int64('0+'),
    wantFence: bool('0+'),
    wantShutDown: bool('0+'),
  },
);
export type BrokerHeartbeatRequest = MessageOf<typeof BrokerHeartbeatRequest>;
export type BrokerHeartbeatRequestInit = InitOf<typeof BrokerHeartbeatRequest>;

/** KRaft: whether the broker is caught up, fenced or may stop. */
export const BrokerHeartbeatResponse = response(
  { name: 'BrokerHeartbeatResponse', apiKey: 63, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    isCaughtUp: bool('0+'),
    isFenced: bool('0+', { default: true }),
    shouldShutDown: bool('0+'),
  },
);
export type BrokerHeartbeatResponse = MessageOf<typeof BrokerHeartbeatResponse>;
export type BrokerHeartbeatResponseInit = InitOf<typeof BrokerHeartbeatResponse>;
