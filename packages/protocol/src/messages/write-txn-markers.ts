import { array, bool, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The transaction coordinator has commit or abort markers written to partitions. */
export const WriteTxnMarkersRequest = request(
  { name: 'WriteTxnMarkersRequest', apiKey: 27, versions: '0-1', flexible: '1+' },
  {
    markers: array(
      '0+',
      struct('WritableTxnMarker', {
        producerId: int64('0+'),
        producerEpoch: int16('0+'),
        transactionResult: bool('0+'),
        topics: array(
          '0+',
          struct('WritableTxnMarkerTopic', {
            name: string('0+'),
            partitionIndexes: array('0+', 'int32'),
          }),
        ),
        coordinatorEpoch: int32('0+'),
      }),
    ),
  },
);
export type WriteTxnMarkersRequest = MessageOf<typeof WriteTxnMarkersRequest>;
export type WriteTxnMarkersRequestInit = InitOf<typeof WriteTxnMarkersRequest>;

/** What became of each partition's marker. */
export const WriteTxnMarkersResponse = response(
  { name: 'WriteTxnMarkersResponse', apiKey: 27, versions: '0-1', flexible: '1+' },
  {
    markers: array(
      '0+',
      struct('WritableTxnMarkerResult', {
        producerId: int64('0+'),
        topics: array(
          '0+',
          struct('WritableTxnMarkerTopicResult', {
            name: string('0+'),
            partitions: array(
              '0+',
              struct('WritableTxnMarkerPartitionResult', {
                partitionIndex: int32('0+'),
                errorCode: int16('0+'),
              }),
            ),
          }),
        ),
      }),
    ),
  },
);
export type WriteTxnMarkersResponse = MessageOf<typeof WriteTxnMarkersResponse>;
export type WriteTxnMarkersResponseInit = InitOf<typeof WriteTxnMarkersResponse>;
