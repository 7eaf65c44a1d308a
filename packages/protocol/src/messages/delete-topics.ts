import { array, int16, int32, request, response, string, struct, uuid } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Deletes topics, by name or from v6 on by id. */
export const DeleteTopicsRequest = request(
  { name: 'DeleteTopicsRequest', apiKey: 20, versions: '0-6', flexible: '4+' },
  {
    topics: array(
      '6+',
      struct('DeleteTopicState', {
        name: string('6+', { nullable: '6+' }),
        topicId: uuid('6+'),
      }),
    ),
    topicNames: array('0-5', 'string', { ignorable: true }),
    timeoutMs: int32('0+'),
  },
);
export type DeleteTopicsRequest = MessageOf<typeof DeleteTopicsRequest>;
export type DeleteTopicsRequestInit = InitOf<typeof DeleteTopicsRequest>;

/** What became of each topic. */
export const DeleteTopicsResponse = response(
  { name: 'DeleteTopicsResponse', apiKey: 20, versions: '0-6', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    responses: array(
      '0+',
      struct('DeletableTopicResult', {
        name: string('0+', { nullable: '6+' }),
        topicId: uuid('6+', { ignorable: true }),
        errorCode: int16('0+'),
        errorMessage: string('5+', { nullable: '5+', default: null, ignorable: true }),
      }),
    ),
  },
);
export type DeleteTopicsResponse = MessageOf<typeof DeleteTopicsResponse>;
export type DeleteTopicsResponseInit = InitOf<typeof DeleteTopicsResponse>;
