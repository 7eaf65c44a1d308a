import { array, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Elects preferred leaders (type 0) or, from v1 on, unclean ones (type 1) (KIP-460). Null partitions means all. */
export const ElectLeadersRequest = request(
  { name: 'ElectLeadersRequest', apiKey: 43, versions: '0-2', flexible: '2+' },
  {
    electionType: int8('1+'),
    topicPartitions: array(
      '0+',
      struct('TopicPartitions', {
        topic: string('0+'),
        partitionId: array('0+', 'int32'),
      }),
      { nullable: '0+' },
    ),
    timeoutMs: int32('0+', { default: 60_000 }),
  },
);
export type ElectLeadersRequest = MessageOf<typeof ElectLeadersRequest>;
export type ElectLeadersRequestInit = InitOf<typeof ElectLeadersRequest>;

/** What became of each partition. */
export const ElectLeadersResponse = response(
  { name: 'ElectLeadersResponse', apiKey: 43, versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('1+'),
    replicaElectionResults: array(
      '0+',
      struct('ReplicaElectionResult', {
        topic: string('0+'),
        partitionResult: array(
          '0+',
          struct('PartitionResult', {
            partitionId: int32('0+'),
            errorCode: int16('0+'),
            errorMessage: string('0+', { nullable: '0+' }),
          }),
        ),
      }),
    ),
  },
);
export type ElectLeadersResponse = MessageOf<typeof ElectLeadersResponse>;
export type ElectLeadersResponseInit = InitOf<typeof ElectLeadersResponse>;
