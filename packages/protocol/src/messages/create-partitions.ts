import { array, bool, int16, int32, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Adds partitions to topics. */
export const CreatePartitionsRequest = request(
  { name: 'CreatePartitionsRequest', apiKey: 37, versions: '0-3', flexible: '2+' },
  {
    topics: array(
      '0+',
      struct('CreatePartitionsTopic', {
        name: string('0+'),
        count: int32('0+'),
        assignments: array(
          '0+',
          struct('CreatePartitionsAssignment', {
            brokerIds: array('0+', 'int32'),
          }),
          { nullable: '0+' },
        ),
      }),
    ),
    timeoutMs: int32('0+'),
    validateOnly: bool('0+'),
  },
);
export type CreatePartitionsRequest = MessageOf<typeof CreatePartitionsRequest>;
export type CreatePartitionsRequestInit = InitOf<typeof CreatePartitionsRequest>;

/** What became of each topic. */
export const CreatePartitionsResponse = response(
  { name: 'CreatePartitionsResponse', apiKey: 37, versions: '0-3', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    results: array(
      '0+',
      struct('CreatePartitionsTopicResult', {
        name: string('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    ),
  },
);
export type CreatePartitionsResponse = MessageOf<typeof CreatePartitionsResponse>;
export type CreatePartitionsResponseInit = InitOf<typeof CreatePartitionsResponse>;
