import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A leader has the controller change an ISR (KIP-497); used from inter-broker protocol 2.7-IV2 on. */
export const AlterIsrRequest = request(
  { name: 'AlterIsrRequest', apiKey: 56, versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    topics: array(
      '0+',
      struct('TopicData', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('PartitionData', {
            partitionIndex: int32('0+'),
            leaderEpoch: int32('0+'),
            newIsr: array('0+', 'int32'),
            currentIsrVersion: int32('0+'),
          }),
        ),
      }),
    ),
  },
);
export type AlterIsrRequest = MessageOf<typeof AlterIsrRequest>;
export type AlterIsrRequestInit = InitOf<typeof AlterIsrRequest>;

/** The ISR as the controller has it now. */
export const AlterIsrResponse = response(
  { name: 'AlterIsrResponse', apiKey: 56, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    topics: array(
      '0+',
      struct('TopicData', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('PartitionData', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
            leaderId: int32('0+'),
            leaderEpoch: int32('0+'),
            isr: array('0+', 'int32'),
            currentIsrVersion: int32('0+'),
          }),
        ),
      }),
    ),
  },
);
export type AlterIsrResponse = MessageOf<typeof AlterIsrResponse>;
export type AlterIsrResponseInit = InitOf<typeof AlterIsrResponse>;
