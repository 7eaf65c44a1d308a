import { array, bool, int16, int32, int64, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** The replicas in each log directory of the receiver. Null topics means all of them. */
export const DescribeLogDirsRequest = request(
  { name: 'DescribeLogDirsRequest', apiKey: 35, versions: '0-2', flexible: '2+' },
  {
    topics: array(
      '0+',
      struct('DescribableLogDirTopic', {
        topic: string('0+'),
        partitionIndex: array('0+', 'int32'),
      }),
      { nullable: '0+' },
    ),
  },
);
export type DescribeLogDirsRequest = MessageOf<typeof DescribeLogDirsRequest>;
export type DescribeLogDirsRequestInit = InitOf<typeof DescribeLogDirsRequest>;

/** Log directories with their replicas' sizes and lags. */
export const DescribeLogDirsResponse = response(
  { name: 'DescribeLogDirsResponse', apiKey: 35, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct('DescribeLogDirsResult', {
        errorCode: int16('0+'),
        logDir: string('0+'),
        topics: array(
          '0+',
          struct('DescribeLogDirsTopic', {
            name: string('0+'),
            partitions: array(
              '0+',
              struct('DescribeLogDirsPartition', {
                partitionIndex: int32('0+'),
                partitionSize: int64('0+'),
                offsetLag: int64('0+'),
                isFutureKey: bool('0+'),
              }),
            ),
          }),
        ),
      }),
    ),
  },
);
export type DescribeLogDirsResponse = MessageOf<typeof DescribeLogDirsResponse>;
export type DescribeLogDirsResponseInit = InitOf<typeof DescribeLogDirsResponse>;
