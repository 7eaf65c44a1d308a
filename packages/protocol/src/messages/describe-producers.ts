import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The active producers of partitions (KIP-664). */
export const DescribeProducersRequest = request(
  { name: 'DescribeProducersRequest', apiKey: 61, versions: '0', flexible: '0+' },
  {
    topics: array(
      '0+',
      struct('TopicRequest', {
        name: string('0+'),
        partitionIndexes: array('0+', 'int32'),
      }),
    ),
  },
);
export type DescribeProducersRequest = MessageOf<typeof DescribeProducersRequest>;
export type DescribeProducersRequestInit = InitOf<typeof DescribeProducersRequest>;

/** Producer state by partition: last sequence, last timestamp, open transaction. */
export const DescribeProducersResponse = response(
  { name: 'DescribeProducersResponse', apiKey: 61, versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    topics: array(
      '0+',
      struct('TopicResponse', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('PartitionResponse', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
            errorMessage: string('0+', { nullable: '0+', default: null }),
            activeProducers: array(
              '0+',
              struct('ProducerState', {
                producerId: int64('0+'),
                producerEpoch: int32('0+'),
                lastSequence: int32('0+', { default: -1 }),
                lastTimestamp: int64('0+', { default: -1 }),
                coordinatorEpoch: int32('0+'),
                currentTxnStartOffset: int64('0+', { default: -1 }),
              }),
            ),
          }),
        ),
      }),
    ),
  },
);
export type DescribeProducersResponse = MessageOf<typeof DescribeProducersResponse>;
export type DescribeProducersResponseInit = InitOf<typeof DescribeProducersResponse>;
