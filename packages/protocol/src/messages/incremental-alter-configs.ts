import { array, bool, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Sets (0), deletes (1), appends to (2) or subtracts from (3) single keys (KIP-339). */
export const IncrementalAlterConfigsRequest = request(
  { name: 'IncrementalAlterConfigsRequest', apiKey: 44, versions: '0-1', flexible: '1+' },
  {
    resources: array(
      '0+',
      struct('AlterConfigsResource', {
        resourceType: int8('0+'),
        resourceName: string('0+'),
        configs: array(
          '0+',
          struct('AlterableConfig', {
            name: string('0+'),
            configOperation: int8('0+'),
            value: string('0+', { nullable: '0+' }),
          }),
        ),
      }),
    ),
    validateOnly: bool('0+'),
  },
);
export type IncrementalAlterConfigsRequest = MessageOf<typeof IncrementalAlterConfigsRequest>;
export type IncrementalAlterConfigsRequestInit = InitOf<typeof IncrementalAlterConfigsRequest>;

/** What became of each resource. */
export const IncrementalAlterConfigsResponse = response(
  { name: 'IncrementalAlterConfigsResponse', apiKey: 44, versions: '0-1', flexible: '1+' },
  {
    throttleTimeMs: int32('0+'),
    responses: array(
      '0+',
      struct('AlterConfigsResourceResponse', {
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+' }),
        resourceType: int8('0+'),
        resourceName: string('0+'),
      }),
    ),
  },
);
export type IncrementalAlterConfigsResponse = MessageOf<typeof IncrementalAlterConfigsResponse>;
export type IncrementalAlterConfigsResponseInit = InitOf<typeof IncrementalAlterConfigsResponse>;
