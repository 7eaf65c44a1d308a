import { array, int16, int32, int64, request, response, string, struct, uuid } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

const updateMetadataPartitionState = struct('UpdateMetadataPartitionState', {
  topicName: string('0-4', { ignorable: true }),
  partitionIndex: int32('0+'),
  controllerEpoch: int32('0+'),
  leader: int32('0+'),
  leaderEpoch: int32('0+'),
  isr: array('0+', 'int32'),
  zkVersion: int32('0+'),
  replicas: array('0+', 'int32'),
  offlineReplicas: array('4+', 'int32', { ignorable: true }),
});

/** The controller tells a broker the state of partitions and the live brokers: the metadata cache's only source. */
export const UpdateMetadataRequest = request(
  { name: 'UpdateMetadataRequest', apiKey: 6, versions: '0-7', flexible: '6+' },
  {
    controllerId: int32('0+'),
    controllerEpoch: int32('0+'),
    brokerEpoch: int64('5+', { default: -1, ignorable: true }),
    topicStates: array(
      '5+',
      struct('UpdateMetadataTopicState', {
        topicName: string('5+'),
        topicId: uuid('7+', { ignorable: true }),
        partitionStates: array('5+', updateMetadataPartitionState),
      }),
    ),
    // Before v5 each partition carries its topic's name.
    ungroupedPartitionStates: array('0-4', updateMetadataPartitionState),
    liveBrokers: array(
      '0+',
      struct('UpdateMetadataBroker', {
        id: int32('0+'),
        endpoints: array(
          '1+',
          struct('UpdateMetadataEndpoint', {
            port: int32('1+'),
            host: string('1+'),
            listener: string('3+', { ignorable: true }),
            securityProtocol: int16('1+'),
          }),
          { ignorable: true },
        ),
        rack: string('2+', { nullable: '2+', ignorable: true }),
        // v0 knew one plaintext endpoint a broker.
        v0Host: string('0', { ignorable: true }),
        v0Port: int32('0', { ignorable: true }),
      }),
    ),
  },
);
export type UpdateMetadataRequest = MessageOf<typeof UpdateMetadataRequest>;
export type UpdateMetadataRequestInit = InitOf<typeof UpdateMetadataRequest>;

/** Taken, or refused for a stale epoch. */
export const UpdateMetadataResponse = response(
  { name: 'UpdateMetadataResponse', apiKey: 6, versions: '0-7', flexible: '6+' },
  {
    errorCode: int16('0+'),
  },
);
export type UpdateMetadataResponse = MessageOf<typeof UpdateMetadataResponse>;
export type UpdateMetadataResponseInit = InitOf<typeof UpdateMetadataResponse>;
