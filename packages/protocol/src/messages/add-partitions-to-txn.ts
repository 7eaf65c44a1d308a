import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** A transaction is to write to partitions. */
export const AddPartitionsToTxnRequest = request(
  { name: 'AddPartitionsToTxnRequest', apiKey: 24, versions: '0-3', flexible: '3+' },
  {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    topics: array(
      '0+',
      struct('AddPartitionsToTxnTopic', {
        name: string('0+'),
        partitions: array('0+', 'int32'),
      }),
    ),
  },
);
export type AddPartitionsToTxnRequest = MessageOf<typeof AddPartitionsToTxnRequest>;
export type AddPartitionsToTxnRequestInit = InitOf<typeof AddPartitionsToTxnRequest>;

/** What became of each partition. */
export const AddPartitionsToTxnResponse = response(
  { name: 'AddPartitionsToTxnResponse', apiKey: 24, versions: '0-3', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct('AddPartitionsToTxnTopicResult', {
        name: string('0+'),
        results: array(
          '0+',
          struct('AddPartitionsToTxnPartitionResult', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
          }),
        ),
      }),
    ),
  },
);
export type AddPartitionsToTxnResponse = MessageOf<typeof AddPartitionsToTxnResponse>;
export type AddPartitionsToTxnResponseInit = InitOf<typeof AddPartitionsToTxnResponse>;
