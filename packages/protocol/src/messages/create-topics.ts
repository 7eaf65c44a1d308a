import { array, bool, int16, int32, int8, request, response, string, struct, uuid } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Creates topics, with a placement or without one. */
export const CreateTopicsRequest = request(
  { name: 'CreateTopicsRequest', apiKey: 19, versions: '0-7', flexible: '5+' },
  {
    topics: array(
      '0+',
      struct('CreatableTopic', {
        name: string('0+'),
        numPartitions: int32('0+'),
        replicationFactor: int16('0+'),
        assignments: array(
          '0+',
          struct('CreatableReplicaAssignment', {
            partitionIndex: int32('0+'),
            brokerIds: array('0+', 'int32'),
          }),
        ),
        configs: array(
          '0+',
          struct('CreateableTopicConfig', {
            name: string('0+'),
            value: string('0+', { nullable: '0+' }),
          }),
        ),
      }),
    ),
    timeoutMs: int32('0+', { default: 60_000 }),
    validateOnly: bool('1+'),
  },
);
export type CreateTopicsRequest = MessageOf<typeof CreateTopicsRequest>;
export type CreateTopicsRequestInit = InitOf<typeof CreateTopicsRequest>;

/** What became of each topic; from v5 on with its configuration (KIP-525). */
export const CreateTopicsResponse = response(
  { name: 'CreateTopicsResponse', apiKey: 19, versions: '0-7', flexible: '5+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array(
      '0+',
      struct('CreatableTopicResult', {
        name: string('0+'),
        topicId: uuid('7+', { ignorable: true }),
        errorCode: int16('0+'),
        errorMessage: string('1+', { nullable: '1+', ignorable: true }),
        numPartitions: int32('5+', { default: -1, ignorable: true }),
        replicationFactor: int16('5+', { default: -1, ignorable: true }),
        configs: array(
          '5+',
          struct('CreatableTopicConfigs', {
            name: string('5+'),
            value: string('5+', { nullable: '5+' }),
            readOnly: bool('5+'),
            configSource: int8('5+', { default: -1 }),
            isSensitive: bool('5+'),
          }),
          { nullable: '5+', ignorable: true },
        ),
        topicConfigErrorCode: int16('5+', { tag: 0, ignorable: true }),
      }),
    ),
  },
);
export type CreateTopicsResponse = MessageOf<typeof CreateTopicsResponse>;
export type CreateTopicsResponseInit = InitOf<typeof CreateTopicsResponse>;
