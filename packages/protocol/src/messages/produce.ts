import { array, int16, int32, int64, records, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Appends record sets to partitions. From v3 on a record set is one batch of magic 2 (KIP-98). */
export const ProduceRequest = request(
  { name: 'ProduceRequest', apiKey: 0, versions: '0-9', flexible: '9+' },
  {
    // Null unless the batches are transactional.
    transactionalId: string('3+', { nullable: '3+', default: null }),
    // 0: none, and no response is sent; 1: the leader; -1: every member of the ISR.
    acks: int16('0+'),
    timeoutMs: int32('0+'),
    topicData: array(
      '0+',
      struct('TopicProduceData', {
        name: string('0+'),
        partitionData: array(
          '0+',
          struct('PartitionProduceData', {
            index: int32('0+'),
            records: records('0+', { nullable: '0+', default: null }),
          }),
        ),
      }),
    ),
  },
);
export type ProduceRequest = MessageOf<typeof ProduceRequest>;
export type ProduceRequestInit = InitOf<typeof ProduceRequest>;

/** What became of each partition's record set. With acks=0 it is never sent. */
export const ProduceResponse = response(
  { name: 'ProduceResponse', apiKey: 0, versions: '0-9', flexible: '9+' },
  {
    responses: array(
      '0+',
      struct('TopicProduceResponse', {
        name: string('0+'),
        partitionResponses: array(
          '0+',
          struct('PartitionProduceResponse', {
            index: int32('0+'),
            errorCode: int16('0+'),
            baseOffset: int64('0+'),
            // -1 under CreateTime.
            logAppendTimeMs: int64('2+', { default: -1, ignorable: true }),
            logStartOffset: int64('5+', { default: -1, ignorable: true }),
            // Records refused one by one (KIP-467).
            recordErrors: array(
              '8+',
              struct('BatchIndexAndErrorMessage', {
                batchIndex: int32('8+'),
                batchIndexErrorMessage: string('8+', { nullable: '8+', default: null }),
              }),
              { ignorable: true },
            ),
            errorMessage: string('8+', { nullable: '8+', default: null, ignorable: true }),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32('1+', { ignorable: true }),
  },
);
export type ProduceResponse = MessageOf<typeof ProduceResponse>;
export type ProduceResponseInit = InitOf<typeof ProduceResponse>;
