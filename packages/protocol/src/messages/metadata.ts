import { array, bool, int16, int32, request, response, string, struct, uuid } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Asks for brokers, topics and leaders. From v1 on null topics means all of them; in v0 an empty array does. */
export const MetadataRequest = request(
  { name: 'MetadataRequest', apiKey: 3, versions: '0-11', flexible: '9+' },
  {
    topics: array(
      '0+',
      struct('MetadataRequestTopic', {
        topicId: uuid('10+', { ignorable: true }),
        name: string('0+', { nullable: '10+' }),
      }),
      { nullable: '1+' },
    ),
    // Before v4 always true.
    allowAutoTopicCreation: bool('4+', { default: true }),
    includeClusterAuthorizedOperations: bool('8-10'),
    includeTopicAuthorizedOperations: bool('8+'),
  },
);
export type MetadataRequest = MessageOf<typeof MetadataRequest>;
export type MetadataRequestInit = InitOf<typeof MetadataRequest>;

/** The cluster as the answering broker's metadata cache has it. */
export const MetadataResponse = response(
  { name: 'MetadataResponse', apiKey: 3, versions: '0-11', flexible: '9+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    brokers: array(
      '0+',
      struct('MetadataResponseBroker', {
        nodeId: int32('0+'),
        host: string('0+'),
        port: int32('0+'),
        rack: string('1+', { nullable: '1+', default: null, ignorable: true }),
      }),
    ),
    clusterId: string('2+', { nullable: '2+', default: null, ignorable: true }),
    controllerId: int32('1+', { default: -1, ignorable: true }),
    topics: array(
      '0+',
      struct('MetadataResponseTopic', {
        errorCode: int16('0+'),
        name: string('0+'),
        topicId: uuid('10+', { ignorable: true }),
        isInternal: bool('1+', { ignorable: true }),
        partitions: array(
          '0+',
          struct('MetadataResponsePartition', {
            errorCode: int16('0+'),
            partitionIndex: int32('0+'),
            leaderId: int32('0+'),
            leaderEpoch: int32('7+', { default: -1, ignorable: true }),
            replicaNodes: array('0+', 'int32'),
            isrNodes: array('0+', 'int32'),
            offlineReplicas: array('5+', 'int32', { ignorable: true }),
          }),
        ),
        // A bit per operation; -2^31 where it was not asked for (KIP-430).
        topicAuthorizedOperations: int32('8+', { default: -0x8000_0000 }),
      }),
    ),
    clusterAuthorizedOperations: int32('8-10', { default: -0x8000_0000 }),
  },
);
export type MetadataResponse = MessageOf<typeof MetadataResponse>;
export type MetadataResponseInit = InitOf<typeof MetadataResponse>;
