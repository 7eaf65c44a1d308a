import { array, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Raises the log start offset of partitions. */
export const DeleteRecordsRequest = request(
  { name: 'DeleteRecordsRequest', apiKey: 21, versions: '0-2', flexible: '2+' },
  {
    topics: array(
      '0+',
      struct('DeleteRecordsTopic', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('DeleteRecordsPartition', {
            partitionIndex: int32('0+'),
            offset: int64('0+'),
          }),
        ),
      }),
    ),
    timeoutMs: int32('0+'),
  },
);
export type DeleteRecordsRequest = MessageOf<typeof DeleteRecordsRequest>;
export type DeleteRecordsRequestInit = InitOf<typeof DeleteRecordsRequest>;

/** The lowest log start offset of each partition's replicas. */
export const DeleteRecordsResponse = response(
  { name: 'DeleteRecordsResponse', apiKey: 21, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    topics: array(
      '0+',
      struct('DeleteRecordsTopicResult', {
        name: string('0+'),
        partitions: array(
          '0+',
          struct('DeleteRecordsPartitionResult', {
            partitionIndex: int32('0+'),
            lowWatermark: int64('0+'),
            errorCode: int16('0+'),
          }),
        ),
      }),
    ),
  },
);
export type DeleteRecordsResponse = MessageOf<typeof DeleteRecordsResponse>;
export type DeleteRecordsResponseInit = InitOf<typeof DeleteRecordsResponse>;
