import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A broker that is to stop asks the controller to move its leaders away (KIP-143). v0 has a request header without client id. */
export const ControlledShutdownRequest = request(
  { name: 'ControlledShutdownRequest', apiKey: 7, versions: '0-3', flexible: '3+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('2+', { default: -1, ignorable: true }),
  },
);
export type ControlledShutdownRequest = MessageOf<typeof ControlledShutdownRequest>;
export type ControlledShutdownRequestInit = InitOf<typeof ControlledShutdownRequest>;

/** The partitions that the broker still leads. */
export const ControlledShutdownResponse = response(
  { name: 'ControlledShutdownResponse', apiKey: 7, versions: '0-3', flexible: '3+' },
  {
    errorCode: int16('0+'),
    remainingPartitions: array(
      '0+',
      struct('RemainingPartition', {
        topicName: string('0+'),
        partitionIndex: int32('0+'),
      }),
    ),
  },
);
export type ControlledShutdownResponse = MessageOf<typeof ControlledShutdownResponse>;
export type ControlledShutdownResponseInit = InitOf<typeof ControlledShutdownResponse>;
