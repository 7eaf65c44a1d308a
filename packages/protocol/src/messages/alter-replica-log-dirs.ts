import { array, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Moves replicas to other log directories of the receiver (KIP-113). */
export const AlterReplicaLogDirsRequest = request(
  { name: 'AlterReplicaLogDirsRequest', apiKey: 34, versions: '0-2', flexible: '2+' },
  {
    dirs: array(
      '0+',
      struct('AlterReplicaLogDir', {
        path: string('0+'),
        topics: array(
          '0+',
          struct('AlterReplicaLogDirTopic', {
            name: string('0+'),
            partitions: array('0+', 'int32'),
          }),
        ),
      }),
    ),
  },
);
export type AlterReplicaLogDirsRequest = MessageOf<typeof AlterReplicaLogDirsRequest>;
export type AlterReplicaLogDirsRequestInit = InitOf<typeof AlterReplicaLogDirsRequest>;

/** What became of each replica. */
export const AlterReplicaLogDirsResponse = response(
  { name: 'AlterReplicaLogDirsResponse', apiKey: 34, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct('AlterReplicaLogDirTopicResult', {
        topicName: string('0+'),
        partitions: array(
          '0+',
          struct('AlterReplicaLogDirPartitionResult', {
            partitionIndex: int32('0+'),
            errorCode: int16('0+'),
          }),
        ),
      }),
    ),
  },
);
export type AlterReplicaLogDirsResponse = MessageOf<typeof AlterReplicaLogDirsResponse>;
export type AlterReplicaLogDirsResponseInit = InitOf<typeof AlterReplicaLogDirsResponse>;
