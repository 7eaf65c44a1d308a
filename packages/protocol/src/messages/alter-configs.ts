import { array, bool, int16, int32, int8, request, response, string, struct } from '../schema/index.ts';
import type { InitOf, MessageOf } from '../schema/index.ts';

/** Replaces the whole dynamic configuration of resources; IncrementalAlterConfigs changes single keys. */
export const AlterConfigsRequest = request(
  { name: 'AlterConfigsRequest', apiKey: 33, versions: '0-2', flexible: '2+' },
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
            value: string('0+', { nullable: '0+' }),
          }),
        ),
      }),
    ),
    validateOnly: bool('0+'),
  },
);
export type AlterConfigsRequest = MessageOf<typeof AlterConfigsRequest>;
export type AlterConfigsRequestInit = InitOf<typeof AlterConfigsRequest>;

/** What became of each resource. */
export const AlterConfigsResponse = response(
  { name: 'AlterConfigsResponse', apiKey: 33, versions: '0-2', flexible: '2+' },
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
export type AlterConfigsResponse = MessageOf<typeof AlterConfigsResponse>;
export type AlterConfigsResponseInit = InitOf<typeof AlterConfigsResponse>;
